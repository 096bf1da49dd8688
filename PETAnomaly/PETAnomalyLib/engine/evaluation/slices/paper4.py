"""How paper 4 judges: Dice of its objects, AUPRC of its combined map; by lesions' intensity.

Decided where the paper is silent:

- Its figures are of slices: Dice is the mean over the slices with a lesion, each with its two (or
  seven) objects, and AUPRC ranks the pixels of those slices, each slice's map scaled by itself. A
  slice without a lesion would have its objects all the same, and no Dice. What a reader is helped
  by is given beside: both over whole heads, with two (or seven) objects a head.
- Objects are ranked by their mean, so that a bright speck comes before a lesion. What the map could
  give by itself is the Dice of those slices' pixels at the one threshold that is best for them.
- |x - x_hat| is what is scaled (its L1 residual): darker counts as brighter does.
- A model without a mask that moves has one position: the slice (or the head).
- Hyper, medium and low are thirds of the heads by their lesions' mean intensity above that of the
  fluid, as the paper has no borders: its figure compares them with ventricles and sulci. The fluid
  is the brightest of three classes on T2w, the darkest on other contrasts.

References:
    K. Rashmi et al., Ano-swinMAE, MIDL 2024, section 4.1 and appendix A.1; Figure 2.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from PETAnomalyLib.engine.evaluation.comparison import Measured, Values
from PETAnomalyLib.engine.evaluation.metrics import Scores, Truth
from PETAnomalyLib.engine.evaluation.slices.head import Array, HealedHead, Mask
from PETAnomalyLib.engine.evaluation.slices.heads import HYPERINTENSITIES, PLAQUES
from PETAnomalyLib.engine.evaluation.slices.paper2 import mean_of_parts
from PETAnomalyLib.engine.evaluation.slices.ranking import Ranking
from PETAnomalyLib.engine.evaluation.slices.resampling import Measure, mean_of, measured
from PETAnomalyLib.engine.scoring.objects import (
    MASSES,
    Labels,
    ObjectSteps,
    combined_map,
    objects_of,
    tissue_classes,
)
from PETAnomalyLib.engine.scoring.objects import PLAQUES as OF_PLAQUES

DICE, AUPRC = "dice", "auprc"
DICE_OF_HEADS, AUPRC_OF_HEADS = "dice_of_heads", "auprc_of_heads"
BEST_DICE = "best_dice"

LEVELS = ("hyper", "medium", "low")
"""Of a lesion's intensity, the paper's words."""

_FLUID_CLASSES = 3  # fluid, grey and white matter
_BRIGHT_FLUID = "T2w"

Tiles = npt.NDArray[Any] | None
ScoreOf = Callable[[HealedHead], Array]


def steps_of(disease: str) -> ObjectSteps:
    """Two objects for a disease of few large lesions, seven for one of many small ones."""
    return OF_PLAQUES if disease in (PLAQUES, HYPERINTENSITIES) else MASSES


@dataclass(frozen=True)
class JudgedHead:
    """What one way of scoring makes of one head with a lesion.

    Attributes:
        dice: of each slice with a lesion.
        score, truth: the pixels of those slices: combined map, and whether in a lesion.
        dice_of_head: over all its pixels.
        score_of_head, truth_of_head: all its pixels.
    """

    dice: Values
    score: Scores
    truth: Truth
    dice_of_head: float
    score_of_head: Scores
    truth_of_head: Truth


class Mixtures:
    """Classes of images, by their content: models of one frame see the same images."""

    def __init__(self) -> None:
        self._known: dict[str, Labels] = {}

    def __call__(self, image: Array, brain: Mask, classes: int) -> Labels:
        """As `tissue_classes`."""
        content = np.ascontiguousarray(image).tobytes() + np.ascontiguousarray(brain).tobytes()
        key = f"{hashlib.sha256(content).hexdigest()} {classes} {image.shape}"
        if key not in self._known:
            # A class is a small number: of a hundred heads all slices are 300 MB so.
            self._known[key] = tissue_classes(image, brain, classes).astype(np.int8)
        return self._known[key].astype(np.int32)


def judge_head(
    head: HealedHead, score_of: ScoreOf, steps: ObjectSteps, tiles: Tiles, mixtures: Mixtures
) -> JudgedHead:
    """Judge a score of a head with a lesion.

    Args:
        head: in the model frame.
        score_of: D x H x W, 0 or more, larger where more anomalous.
        steps: the paper's, for the disease.
        tiles: of the mask that moved, see `combined_map`.
        mixtures: of images seen before.
    """
    score = score_of(head)
    some = head.slices(head.lesions).any(axis=(1, 2))
    image, brain, lesions, part = (
        np.ascontiguousarray(head.slices(volume)[some])
        for volume in (head.image, head.brain, head.lesions, score)
    )
    combined = combined_map(part, brain, 0, False, tiles)
    drawn = objects_of(combined, image, brain, 0, steps, mixtures)
    judged = brain | lesions
    of_head = combined_map(score, head.brain, head.axis, True, tiles)
    drawn_in_head = _drawn_in_head(head, of_head, steps, mixtures)
    return JudgedHead(
        dice=np.array([_dice(one, truth) for one, truth in zip(drawn, lesions)]),
        score=combined[judged],
        truth=lesions[judged],
        dice_of_head=_dice(drawn_in_head, head.lesions),
        score_of_head=of_head[head.judged],
        truth_of_head=head.lesions[head.judged],
    )


def drawn_in_healthy(
    head: HealedHead, score_of: ScoreOf, steps: ObjectSteps, tiles: Tiles, mixtures: Mixtures
) -> int:
    """Voxels that are drawn in a head without a lesion."""
    combined = combined_map(score_of(head), head.brain, head.axis, True, tiles)
    return int(_drawn_in_head(head, combined, steps, mixtures).sum())


def _drawn_in_head(
    head: HealedHead, combined: Array, steps: ObjectSteps, mixtures: Mixtures
) -> Mask:
    whole = replace(steps, of_volume=True)
    return objects_of(combined, head.image, head.brain, head.axis, whole, mixtures)


def over_heads(heads: Sequence[JudgedHead]) -> Measured:
    """The figures of one way over heads.

    Raises:
        InputError: there is no lesion.
    """
    slices = Ranking.of([head.score for head in heads], [head.truth for head in heads])
    whole = Ranking.of(
        [head.score_of_head for head in heads], [head.truth_of_head for head in heads]
    )
    measures = {
        DICE: mean_of_parts([head.dice for head in heads]),
        AUPRC: Measure(slices.auprc, slices.auprc(slices.alone)),
        BEST_DICE: Measure(slices.best_dice, slices.best_dice(slices.alone)),
        DICE_OF_HEADS: mean_of(np.array([head.dice_of_head for head in heads])),
        AUPRC_OF_HEADS: Measure(whole.auprc, whole.auprc(whole.alone)),
    }
    return measured(measures, [len(heads)])


def above_fluid(head: HealedHead, contrast: str) -> float:
    """The mean intensity of a head's lesions, less that of its fluid; the model's unit.

    Args:
        head: with a lesion.
        contrast: of its image.
    """
    healthy = head.brain & ~head.lesions
    classes = tissue_classes(head.image, healthy, _FLUID_CLASSES)
    fluid = classes == (_FLUID_CLASSES if contrast == _BRIGHT_FLUID else 1)
    if not fluid.any():  # too few voxels for classes: all that is healthy
        fluid = healthy
    return float(head.image[head.lesions].mean() - head.image[fluid].mean())


def thirds(above: Sequence[float]) -> list[list[int]]:
    """Places of heads by their lesions' intensity: hyper, medium, low."""
    falling = np.argsort(-np.asarray(above), kind="stable")
    return [sorted(part.tolist()) for part in np.array_split(falling, len(LEVELS))]


def trend(above: Iterable[float], heads: Iterable[JudgedHead]) -> tuple[float, float | None]:
    """Spearman's rank correlation of a head's mean Dice with its lesions' intensity, and its p.

    Above 0 where brighter lesions are found better. NaN, None where all are alike.
    """
    dice = [float(head.dice.mean()) for head in heads]
    bright = list(above)
    if len(dice) < 3 or np.ptp(dice) == 0 or np.ptp(bright) == 0:
        return float("nan"), None
    found = stats.spearmanr(bright, dice)
    return float(found.statistic), float(found.pvalue)


def _dice(drawn: Mask, truth: Mask) -> float:
    return float(2 * (drawn & truth).sum() / (drawn.sum() + truth.sum()))
