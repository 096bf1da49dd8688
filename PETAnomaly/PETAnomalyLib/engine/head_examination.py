"""An MR of a head, as a detection sees it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection_settings import DetectionSettings, ResolvedSettings
from PETAnomalyLib.engine.examination import Framed, Measured
from PETAnomalyLib.engine.figures.head_overview import head_overview
from PETAnomalyLib.engine.findings.delineation import Delineation
from PETAnomalyLib.engine.findings.head_measures import (
    HeadFinding,
    measure_head,
    total_volume_ml,
)
from PETAnomalyLib.engine.frame.doubt import Doubt, spoken
from PETAnomalyLib.engine.frame.field_of_view import scored_mask
from PETAnomalyLib.engine.frame.head_alignment import align_head
from PETAnomalyLib.engine.frame.head_input import head_input
from PETAnomalyLib.engine.frame.head_sites import COLUMN, head_sites
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.stages import Stages
from PETAnomalyLib.engine.scoring.objects import require_mixture
from PETAnomalyLib.engine.study.disclosure import Disclosure
from PETAnomalyLib.engine.study.head import Head, read_head
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.lesion_mask import read_lesions

_LEAST_SEEN = 0.05  # of the brain: with less in view nothing is worth scoring
_UNSEEN_WORTH_A_WORD = 0.01


@dataclass(frozen=True)
class HeadInputs:
    """The files of an MR.

    Attributes:
        mr: image file, DICOM folder, or file of a DICOM series.
        mask: image file, not 0 in the brain, on the MR's grid; or None.
    """

    mr: Path
    mask: Path | None = None

    @property
    def paths(self) -> Sequence[Path]:
        return [one for one in (self.mr, self.mask) if one is not None]

    def check(self, bundle: Bundle, settings: DetectionSettings) -> None:
        if bundle.modality != "MR":
            raise InputError(
                f"the model '{bundle.name}' is of PET, and an MR is given",
                "give the PET with --pet, or choose a model of MR: petanomaly models list",
            )
        if settings.dicom:
            raise InputError(
                "DICOM results are written of PET studies, not of MR",
                "leave --dicom out; segmentation.seg.nrrd holds the findings",
            )
        if (bundle.postprocessing or {}).get("objects", {}).get("classes"):
            require_mixture()

    def read(self, bundle: Bundle, settings: DetectionSettings, run: Stages) -> HeadExamination:
        head = read_head(self.mr, self.mask, bundle.contrast)
        if head.contrast and head.contrast != bundle.contrast:
            doubt = Doubt(
                f"The MR is {head.contrast}, as its headers or its name tell; the model "
                f"'{bundle.name}' is of {bundle.contrast}.",
                "Choose the series of that contrast, or another model.",
                True,
            )
            run.warn(*spoken([doubt], settings.anyway))
        run.warn(*head.warnings)
        truth = _phantom_truth(self.mr, head.image)
        return HeadExamination(self.mr, head, truth, bundle, settings.anyway)


class HeadExamination:
    """A head that was read."""

    def __init__(
        self, path: Path, head: Head, truth: sitk.Image | None, bundle: Bundle, anyway: bool
    ) -> None:
        self._path, self._head, self._truth = path, head, truth
        self._bundle, self._anyway = bundle, anyway
        self._mask_from = head.mask_from
        assert bundle.template_mask is not None  # the manifest of a model of MR has one
        self._template_mask = sitk.Cast(read_float_image(bundle.template_mask), sitk.sitkUInt8)

    @property
    def image(self) -> sitk.Image:
        return self._head.image

    @property
    def row(self) -> type[HeadFinding]:
        return HeadFinding

    @property
    def description(self) -> dict[str, Any]:
        mask = {**self._head.description.get("mask", {}), "from": self._mask_from}
        return {**self._head.description, "mask": mask}

    def framed(self, template: sitk.Image, run: Stages) -> Framed:
        placed = align_head(self._head, template, self._template_mask, self._anyway)
        run.warn_first(*placed.alignment.warnings)
        self._mask_from = placed.mask_from
        image, brain = head_input(self.image, placed, template, self._bundle.intensity)
        scored = sitk.And(scored_mask(self.image, template, placed.alignment), placed.mask)
        unseen = _share_unseen(placed.mask, scored, run)
        fit = {"brain": {"correlation": round(placed.alignment.quality, 4)}}
        return Framed(placed.alignment, image, None, brain, scored, fit, unseen)

    def grow(self, resolved: ResolvedSettings) -> float | None:  # noqa: ARG002 - as of PET
        return None  # intensity of MR has no unit that a fraction of would mean something

    def measured(
        self,
        delineation: Delineation,
        score: sitk.Image,
        framed: Framed,
        run: Stages,  # noqa: ARG002 - as of PET
    ) -> Measured:
        findings = measure_head(delineation.labels, score)
        where = head_sites(findings, self._template_mask, framed.alignment)
        totals = {"count": len(findings), "volume_ml": round(total_volume_ml(findings), 4)}
        return Measured(findings, {COLUMN: where}, totals, {})

    def write_further(
        self, folder: Path, labels: sitk.Image, measured: Measured, resolved: ResolvedSettings
    ) -> None:
        """There is nothing else."""

    def draw(
        self,
        path: Path,
        score: sitk.Image,
        labels: sitk.Image,
        measured: Measured,
        resolved: ResolvedSettings,
        told: Disclosure,
    ) -> None:
        head_overview(
            path,
            self.image,
            score,
            resolved.scorer,
            labels,
            [one for one in measured.findings if isinstance(one, HeadFinding)],
            truth=self._truth,
            title=told.title(self._path, self._bundle.title),
            threshold=resolved.threshold,
        )


def _share_unseen(mask: sitk.Image, scored: sitk.Image, run: Stages) -> float:
    brain = np.count_nonzero(sitk.GetArrayViewFromImage(mask))
    seen = np.count_nonzero(sitk.GetArrayViewFromImage(scored))
    share = 1.0 - seen / brain if brain else 1.0
    if share > 1 - _LEAST_SEEN:
        raise InputError(
            f"{100 * share:.0f} % of the brain lies outside the model's field of view.",
            "Use an MR that shows the part of the brain that the model was made for.",
        )
    if share >= _UNSEEN_WORTH_A_WORD:
        run.warn(
            f"{100 * share:.0f} % of the brain lies outside the model's field of view and is not "
            "scored: a lesion there is not found."
        )
    return share


def _phantom_truth(path: Path, image: sitk.Image) -> sitk.Image | None:
    """The lesions of a synthetic head, which lie beside its MR; never of a real one."""
    truth = path.parent / "SEG.nii.gz"
    if not (path.parent / "description.json").is_file() or not truth.is_file():
        return None
    try:
        lesions, _ = read_lesions(truth, image)
    except InputError:
        return None
    drawn = sitk.GetImageFromArray(lesions.astype(np.uint8))
    drawn.CopyInformation(image)
    return drawn
