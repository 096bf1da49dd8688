"""`petanomaly calibrate --normative`: how far a model of brain MR misses healthy heads, voxel by
voxel, and thresholds that few findings in healthy heads exceed.

A model of MR has no lesions to be calibrated on, but healthy heads are easy to come by. The heads
are laid into the model's frame and reconstructed once, kept beside the result until that is whole,
so that a run that was stopped goes on. Thresholds are searched across two halves of the heads: the
Z-scores of each by the other's norms.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.evaluation.slices.head import HealedHead
from PETAnomalyLib.engine.evaluation.slices.reconstructions import KeptReconstructions
from PETAnomalyLib.engine.findings.delineation import Delineator
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.output import require_writable, write_whole
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.scoring.normative import Array, Mask, NormativeResidual
from PETAnomalyLib.engine.scoring.postprocessing import postprocessed
from PETAnomalyLib.engine.study.brain_cohort import BrainStudy
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.head_cohort import heads_in_frame

FEWEST_HEADS = 10
FINDINGS_A_HEALTHY_HEAD = 3.0
# Shares of the brain's voxels beyond a threshold, from a tenth to one in a million.
_SHARES = np.logspace(-1, -6, 41)
_HIGHEST = {"zscore": 1e6, "residual": 1.0}  # as a manifest may say


def calibrate_normative(
    bundle: Bundle, studies: Sequence[BrainStudy], out: Path, reporter: Reporter
) -> dict[str, Any]:
    """Measure healthy heads; put the sections `normative` and `thresholds` into `out` (JSON).

    Mean and standard deviation of the residual lie beside it, as `<name>.residual_mean.nii.gz` and
    `<name>.residual_std.nii.gz`. A threshold is the lowest that no more than three findings a
    healthy head exceed.

    Args:
        bundle: a model of brain MR.
        studies: healthy heads with its contrast, kept out of training; at least ten, better forty.
        out: the JSON file; what it holds beside these sections stays.
        reporter: told of the progress.

    Returns:
        Both sections.

    Raises:
        InputError: too few heads that can be used, one with a lesion, or a file that cannot be
            read or written.
    """
    mean, std = (out.with_name(f"{out.stem}.residual_{what}.nii.gz") for what in ("mean", "std"))
    for file in (out, mean, std):
        require_writable(file)
    kept = out.with_name(f"{out.name}.heads")
    heads = _Heads(bundle, studies, kept, reporter)
    reporter.stage("norms", f"Norms of {len(heads.studies)} healthy heads")
    halves = [heads.studies[::2], heads.studies[1::2]]
    norms = [heads.norms_of(half) for half in halves]
    reporter.progress(0.8)
    thresholds: dict[str, float] = {}
    curves: dict[str, list[tuple[float, float]]] = {}
    for scorer in ("zscore", "residual"):
        curves[scorer] = heads.findings_at_each(scorer, list(zip(halves, reversed(norms))))
        thresholds[scorer] = tolerable(curves[scorer])
        reporter.check_cancelled()
    of_all = heads.norms_of(heads.studies)
    template = read_float_image(bundle.template)
    for file, values in ((mean, of_all.mean), (std, of_all.std)):
        image = sitk.GetImageFromArray(values)
        image.CopyInformation(template)
        sitk.WriteImage(image, str(file), useCompression=True)
    sections = {
        "thresholds": {**bundle.thresholds, "scorers": thresholds},
        "normative": {"heads": len(heads.studies), "mean": mean.name, "std": std.name},
        "findings_a_healthy_head": curves,
    }
    earlier = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    write_whole(out, json.dumps({**earlier, "model": bundle.name, **sections}, indent=2) + "\n")
    shutil.rmtree(kept)
    reporter.progress(1.0)
    return sections


def tolerable(curve: Sequence[tuple[float, float]]) -> float:
    """The lowest threshold with no more findings in a healthy head than wanted, at all higher ones
    too.

    Args:
        curve: thresholds, rising, and findings a head at each.
    """
    chosen = curve[-1][0]
    for threshold, findings in reversed(curve):
        if findings > FINDINGS_A_HEALTHY_HEAD:
            break
        chosen = threshold
    return chosen


class _Heads:
    """Healthy heads in a model's frame, and what it makes of them."""

    def __init__(
        self, bundle: Bundle, studies: Sequence[BrainStudy], kept: Path, reporter: Reporter
    ) -> None:
        self._bundle, self._reporter = bundle, reporter
        self.studies: list[AlignedStudy] = []
        for study in heads_in_frame(bundle, studies, kept / "aligned", reporter):
            if study.lesions is not None and study.lesions.any():
                raise InputError(
                    f"{study.name} has a lesion, and norms are of healthy heads",
                    "leave it out of the cohort",
                )
            self.studies.append(study)
        if len(self.studies) < FEWEST_HEADS:
            raise InputError(
                f"{len(self.studies)} heads are too few to know how healthy heads differ",
                f"give at least {FEWEST_HEADS} that no network was trained on",
            )
        self._reconstructions = KeptReconstructions(bundle, kept / "reconstructions")
        self._reconstructions.make(self.studies, reporter, 1, (0.1, 0.7))

    def norms_of(self, studies: Sequence[AlignedStudy]) -> NormativeResidual:
        def heads() -> Iterator[tuple[Array, Mask]]:
            for head in self._healed(studies):
                yield head.residual, head.brain

        x, y, z = self._bundle.spacing_mm
        return NormativeResidual.of(heads, (z, y, x))

    def findings_at_each(
        self, scorer: str, parts: Sequence[tuple[Sequence[AlignedStudy], NormativeResidual]]
    ) -> list[tuple[float, float]]:
        """Thresholds, rising, and findings a head at each.

        Args:
            scorer: `zscore` or `residual`.
            parts: heads, and the norms that they are judged by.
        """
        maps, volume = [], 0
        for studies, norms in parts:
            for head in self._healed(studies):
                maps.append(self._map_of(head, scorer, norms))
                volume += int(np.count_nonzero(head.brain))
        values = np.concatenate([one[one > 0] for one in maps])
        ranks = np.minimum(_SHARES * volume, len(values) - 1).astype(np.int64)
        found = np.sort(values)[::-1][ranks] if len(values) else np.ones(1)
        thresholds = np.unique(np.minimum(found, _HIGHEST[scorer]))
        counts = np.zeros(len(thresholds))
        template = read_float_image(self._bundle.template)
        for one in maps:
            image = sitk.GetImageFromArray(one)
            image.CopyInformation(template)
            delineator = Delineator(image, template)
            for place, threshold in enumerate(thresholds):
                labels = delineator.at(float(threshold), None, self._bundle.min_volume_ml).labels
                counts[place] += sitk.GetArrayViewFromImage(labels).max()
            self._reporter.check_cancelled()
        return [(float(t), float(n)) for t, n in zip(thresholds, counts / len(maps))]

    def _map_of(self, head: HealedHead, scorer: str, norms: NormativeResidual) -> Array:
        """As a detection post-processes it."""
        found: Mapping[str, Any] = self._bundle.postprocessing or {}
        signed = norms.zscore(head.residual) if scorer == "zscore" else head.residual
        return postprocessed(
            np.abs(signed) if found.get("darker_too", False) else signed,
            head.brain,
            head.axis,
            found.get("median_voxels", 1),
            found.get("squash_percentile", 0.0),
            found.get("eroded_voxels", 0),
        )

    def _healed(self, studies: Sequence[AlignedStudy]) -> Iterator[HealedHead]:
        return (self._reconstructions.healed(study) for study in studies)
