"""Models and heads brought together: heads in each model's frame, and reconstructed.

Heads that are not usable with one of the models are left out for all: tests are paired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from torch import nn

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.evaluation.cohort_evaluation import require_own_names
from PETAnomalyLib.engine.evaluation.slices.head import Array, HealedHead
from PETAnomalyLib.engine.evaluation.slices.heads import HEALTHY
from PETAnomalyLib.engine.evaluation.slices.no_brains import no_brains
from PETAnomalyLib.engine.evaluation.slices.reconstructions import KeptReconstructions, head_of
from PETAnomalyLib.engine.evaluation.slices.slice_table import SliceTable
from PETAnomalyLib.engine.families.networks import build_network
from PETAnomalyLib.engine.maps import norms_of
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import Cluster
from PETAnomalyLib.engine.study.brain_cohort import BrainStudy
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.head_cohort import heads_in_frame

Groups = Mapping[str, Sequence[BrainStudy]]
Aligned = dict[str, list[AlignedStudy]]


@dataclass(frozen=True)
class MeasuredModel:
    """One model, and the heads in its frame.

    Attributes:
        bundle: the model.
        axis: that its slices lie along.
        pixel_mm: edge of a pixel in the plane of slices, the mean of both.
        aligned: group -> heads in its frame.
        reconstructions: of them.
    """

    bundle: Bundle
    axis: int
    pixel_mm: float
    aligned: Aligned
    reconstructions: KeptReconstructions

    @classmethod
    def of(cls, bundle: Bundle, aligned: Aligned, folder: Path) -> MeasuredModel:
        """A model and heads in its frame, whose reconstructions are kept in a folder."""
        axis = bundle.slice_axis
        in_plane = [mm for place, mm in enumerate(reversed(bundle.spacing_mm)) if place != axis]
        kept = KeptReconstructions(bundle, folder)
        return cls(bundle, axis, float(np.mean(in_plane)), aligned, kept)

    def reconstruct(
        self,
        reporter: Reporter,
        workers: int | Cluster,
        share: tuple[float, float],
        with_no_brains: bool,
    ) -> None:
        """All heads that have not been, and pictures that are no brains, if they are wanted."""
        studies = [study for group in self.aligned.values() for study in group]
        if with_no_brains:
            studies.append(no_brains(self.shape, self.axis))
        self.reconstructions.make(studies, reporter, workers, share)

    def heads(self, group: str) -> Callable[[], Iterator[HealedHead]]:
        """What gives the heads of a group, read one after the other."""
        return lambda: (self.reconstructions.healed(study) for study in self.aligned[group])

    def normative_heads(self, group: str) -> Callable[[], Iterator[HealedHead]]:
        """The same with Z-scores by the model's norms in place of residuals; it has norms."""
        norms = norms_of(self.bundle)
        assert norms is not None
        return lambda: (
            replace(head, residual=norms.zscore(head.residual)) for head in self.heads(group)()
        )

    def template_heads(self, group: str) -> Callable[[], Iterator[HealedHead]]:
        """The same with the template in place of a reconstruction."""
        template = template_of(self.bundle)
        return lambda: (
            head_of(study, study.image.astype(np.float32) - template, self.axis)
            for study in self.aligned[group]
        )

    def no_brains(self) -> HealedHead:
        """Pictures that are no brains, reconstructed."""
        return self.reconstructions.healed(no_brains(self.shape, self.axis))

    @property
    def shape(self) -> tuple[int, int, int]:
        """D, H, W of its frame."""
        x, y, z = self.bundle.size_voxels
        return z, y, x


def facts_of(found: SliceTable, models: Sequence[MeasuredModel]) -> dict[str, Any]:
    """What every table says of its models and heads beside its figures."""
    return {
        "contrast": models[0].bundle.contrast,
        "heads": {group: [s.name for s in some] for group, some in models[0].aligned.items()},
        "parameters": {row.name: parameters_of(row.model) for row in found.rows if row.model},
    }


def require_heads_models(bundles: Sequence[Bundle]) -> str:
    """The contrast that all the models are of.

    Raises:
        InputError: there is no model, one is of PET, or two are of different contrasts.
    """
    if not bundles:
        raise InputError(
            "tables 2, 3 and 4 are of the models that you give", "give --model, once for each"
        )
    contrasts = {bundle.contrast: bundle.name for bundle in bundles}
    if "" in contrasts:
        raise InputError(
            f"the model '{contrasts['']}' is of PET; these tables are of models of brain MR",
            "leave it out",
        )
    if len(contrasts) > 1:
        (one, first), (other, second) = list(contrasts.items())[:2]
        raise InputError(
            f"the model '{first}' is of {one}, and '{second}' of {other}",
            "make a table for each contrast",
        )
    require_own_names(bundles)
    return next(iter(contrasts))


def measure_models(
    bundles: Sequence[Bundle],
    groups: Groups,
    out: Path,
    reporter: Reporter,
    workers: int | Cluster,
    with_no_brains: bool = False,
    shown: str = "",
) -> list[MeasuredModel]:
    """Align every group for every model, and reconstruct what has not been.

    Args:
        bundles: of brain MR, of one contrast.
        groups: name -> studies; those named `HEALTHY`, or beginning so, may have no lesion, all
            others must have one.
        out: folder of what is kept: `aligned`, and `reconstructions`.
        reporter: told of the progress.
        workers: that reconstruct.
        with_no_brains: reconstruct pictures that are no brains, too.
        shown: contrast of the images, where it is another one than the models'; "": theirs.

    Raises:
        InputError: a group of which no head can be used.
    """
    frames: dict[bytes, Aligned] = {}
    for bundle in bundles:
        if _frame_of(bundle) not in frames:
            frames[_frame_of(bundle)] = _aligned(bundle, groups, out / "aligned", reporter, shown)
    usable = {
        group: set.intersection(
            *({study.name for study in aligned[group]} for aligned in frames.values())
        )
        for group in groups
    }
    for group, studies in groups.items():
        if studies and not usable[group]:
            raise InputError(
                f"no head of {group} can be used with all models", "make tables of fewer models"
            )
    models = []
    for number, bundle in enumerate(bundles):
        whole = frames[_frame_of(bundle)]
        mine = {g: [s for s in whole[g] if s.name in usable[g]] for g in groups}
        model = MeasuredModel.of(bundle, mine, out / "reconstructions")
        share = (0.1 + 0.7 * number / len(bundles), 0.1 + 0.7 * (number + 1) / len(bundles))
        model.reconstruct(reporter, workers, share, with_no_brains)
        models.append(model)
    return models


def with_models(
    found: SliceTable, models: Sequence[MeasuredModel]
) -> list[tuple[str, MeasuredModel]]:
    """The rows of a table that have a model, and what was measured of it."""
    by_name = {model.bundle.name: model for model in models}
    return [(row.name, by_name[row.model.name]) for row in found.rows if row.model]


def template_of(bundle: Bundle) -> Array:
    """The mean of the heads that the model was trained on, in its intensity, D x H x W."""
    return sitk.GetArrayFromImage(read_float_image(bundle.template)).astype(np.float32)


def parameters_of(bundle: Bundle) -> int:
    """Trainable numbers of all its networks."""
    family = FAMILIES[bundle.healer["family"]]
    networks: list[nn.Module] = [
        build_network(family.networks[name], bundle.healer[name]) for name in bundle.weights
    ]
    return sum(
        part.numel() for network in networks for part in network.parameters() if part.requires_grad
    )


def _aligned(
    bundle: Bundle, groups: Groups, cache: Path, reporter: Reporter, shown: str
) -> Aligned:
    """Every group in the model's frame, without heads that are not what they should be."""
    found: Aligned = {}
    for group, studies in groups.items():
        found[group] = []
        if not studies:
            continue
        for study in heads_in_frame(bundle, studies, cache, reporter, shown):
            has_lesions = study.lesions is not None and bool(study.lesions.any())
            if has_lesions == group.startswith(HEALTHY):
                what = "has a lesion" if has_lesions else "has no lesion in the model's frame"
                reporter.log("warning", f"{study.name} left out of {group}: it {what}")
            else:
                found[group].append(study)
        if not found[group]:
            raise InputError(
                f"no head of {group} can be used", "the warnings above say why of each"
            )
    return found


def _frame_of(bundle: Bundle) -> bytes:
    """Models with the same see the same heads."""
    assert bundle.template_mask is not None
    return (
        bundle.template.read_bytes()
        + bundle.template_mask.read_bytes()
        + repr(sorted(bundle.intensity.items())).encode()
    )
