"""Paper 4's figures of heads: objects, ranking, thirds by the lesion's intensity."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ellipsoid_heads import aligned_head
from PETAnomalyLib.engine.evaluation.slices import paper4
from PETAnomalyLib.engine.evaluation.slices.head import HealedHead
from PETAnomalyLib.engine.evaluation.slices.reconstructions import head_of
from PETAnomalyLib.engine.scoring.mask_tiles import mask_tiles
from PETAnomalyLib.engine.scoring.objects import MASSES, PLAQUES, combined_map, objects_of
from sklearn.metrics import average_precision_score

ALONE = replace(MASSES, classes=0)


def head(kind: str = "mass", seed: int = 1, axis: int = 0) -> HealedHead:
    """An ellipsoid head whose reconstruction is a little noise away, and lacks half the lesion."""
    study = aligned_head(kind, seed, "FLAIR")
    assert study.lesions is not None
    noise = np.random.default_rng(seed).normal(0, 0.03, study.image.shape)
    residual = noise + 0.25 * (study.lesions > 0)
    return head_of(study, residual.astype(np.float32), axis)


def distance(one: HealedHead) -> np.ndarray:
    return np.abs(one.residual)


@pytest.mark.parametrize("axis", [0, 2])
def test_dice_is_of_the_slices_with_a_lesion_each_with_its_objects(axis: int) -> None:
    one = head(axis=axis)
    found = paper4.judge_head(one, distance, MASSES, None, paper4.Mixtures())
    expected = []
    for k in range(one.image.shape[axis]):
        image, brain, lesions, score = (
            np.take(volume, [k], axis)
            for volume in (one.image, one.brain, one.lesions, distance(one))
        )
        if lesions.any():
            combined = combined_map(score, brain, axis, False)
            drawn = objects_of(combined, image, brain, axis, MASSES)
            expected.append(2 * (drawn & lesions).sum() / (drawn.sum() + lesions.sum()))
    assert found.dice == pytest.approx(expected)
    assert found.dice.max() > 0.5


def test_areas_are_scikit_learns_of_those_slices_and_of_whole_heads() -> None:
    heads = [head(seed=seed) for seed in (1, 2, 3)]
    tiles = mask_tiles(heads[0].image.shape[1:], 16, 4)
    judged = [paper4.judge_head(one, distance, ALONE, tiles, paper4.Mixtures()) for one in heads]
    found = paper4.over_heads(judged).estimates
    for name, scores in (
        (paper4.AUPRC, [slices_ranked(one, tiles) for one in heads]),
        (paper4.AUPRC_OF_HEADS, [
            (combined_map(distance(one), one.brain, 0, True, tiles)[one.judged],
             one.lesions[one.judged]) for one in heads
        ]),
    ):  # fmt: skip
        score, truth = (np.concatenate(parts) for parts in zip(*scores))
        assert found[name].value == pytest.approx(average_precision_score(truth, score)), name
    score, truth = (
        np.concatenate(parts) for parts in zip(*(slices_ranked(h, tiles) for h in heads))
    )
    dice = [2 * (truth & (score >= t)).sum() / (truth.sum() + (score >= t).sum())
            for t in np.unique(score[truth])]  # fmt: skip
    assert found[paper4.BEST_DICE].value == pytest.approx(max(dice))
    every = np.concatenate([one.dice for one in judged])
    assert found[paper4.DICE].value == pytest.approx(every.mean())
    of_heads = [one.dice_of_head for one in judged]
    assert found[paper4.DICE_OF_HEADS].value == pytest.approx(np.mean(of_heads))


def slices_ranked(one: HealedHead, tiles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    some = one.lesions.any(axis=(1, 2))
    combined = combined_map(distance(one)[some], one.brain[some], 0, False, tiles)
    judged = one.judged[some]
    return combined[judged], one.lesions[some][judged]


def test_a_model_that_finds_the_lesion_alone_has_all_of_it() -> None:
    one = head()
    perfect = replace(one, residual=one.lesions.astype(np.float32))
    found = paper4.judge_head(perfect, distance, PLAQUES, None, paper4.Mixtures())
    assert paper4.over_heads([found]).estimates[paper4.AUPRC].value == 1
    assert paper4.over_heads([found]).estimates[paper4.AUPRC_OF_HEADS].value == 1


def test_a_healthy_head_has_its_objects_all_the_same() -> None:
    one = head("healthy")
    drawn = paper4.drawn_in_healthy(one, distance, ALONE, None, paper4.Mixtures())
    assert drawn == paper4.drawn_in_healthy(
        replace(one, residual=3 * one.residual), distance, ALONE, None, paper4.Mixtures()
    )
    clean = replace(one, residual=np.zeros_like(one.residual))
    assert paper4.drawn_in_healthy(clean, distance, ALONE, None, paper4.Mixtures()) == 0


def test_an_image_has_its_mixture_once() -> None:
    one, mixtures = head(), paper4.Mixtures()
    first = paper4.judge_head(one, distance, MASSES, None, mixtures)
    known = dict(mixtures._known)
    again = paper4.judge_head(replace(one, residual=2 * one.residual), distance, MASSES, None,
                              mixtures)  # fmt: skip
    assert mixtures._known.keys() == known.keys()
    assert again.dice == pytest.approx(first.dice)


def test_lesions_are_hyper_medium_or_low_by_their_intensity_above_the_fluids() -> None:
    one = head()
    of_lesion = one.image[one.lesions].mean()
    ventricles = (one.image < 0.3) & one.brain
    above = paper4.above_fluid(one, "FLAIR")  # fluid is darkest
    assert above == pytest.approx(of_lesion - one.image[ventricles].mean(), abs=0.03)
    brighter = replace(one, image=np.where(one.lesions, one.image + 0.2, one.image))
    assert paper4.above_fluid(brighter, "FLAIR") == pytest.approx(above + 0.2, abs=0.01)
    assert paper4.above_fluid(one, "T2w") < 0.1 + above - 0.3  # there it is brightest
    assert paper4.thirds([0.1, 0.9, 0.5, 0.7, 0.3]) == [[1, 3], [2, 4], [0]]


def test_dice_that_rises_with_intensity_is_a_trend_above_0() -> None:
    none, of_none = np.empty(0, np.float32), np.empty(0, bool)
    judged = [
        paper4.JudgedHead(np.array([dice, dice]), none, of_none, dice, none, of_none)
        for dice in (0.1, 0.2, 0.4, 0.5)
    ]
    assert paper4.trend([1, 2, 3, 4], judged) == (pytest.approx(1.0), pytest.approx(0.0))
    assert paper4.trend([4, 3, 2, 1], judged)[0] == pytest.approx(-1.0)
    assert np.isnan(paper4.trend([1, 1, 1, 1], judged)[0])
