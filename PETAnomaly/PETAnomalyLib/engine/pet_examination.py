"""A PET, with its CT where the model looks at one, as a detection sees it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection_settings import DetectionSettings, ResolvedSettings
from PETAnomalyLib.engine.dicom_results.reading import Detector, Judged, Reading
from PETAnomalyLib.engine.dicom_results.source import Source, source_of
from PETAnomalyLib.engine.examination import Framed, Measured
from PETAnomalyLib.engine.figures.overview import overview
from PETAnomalyLib.engine.findings.delineation import Delineation
from PETAnomalyLib.engine.findings.measures import Finding, measure, total
from PETAnomalyLib.engine.findings.organs import Organs
from PETAnomalyLib.engine.frame.alignment import Alignment, align
from PETAnomalyLib.engine.frame.doubt import spoken
from PETAnomalyLib.engine.frame.field_of_view import scored_mask, unscored_body
from PETAnomalyLib.engine.frame.model_input import model_input
from PETAnomalyLib.engine.frame.region_atlas import COLUMN as SITE
from PETAnomalyLib.engine.frame.study_fit import StudyFit, study_fit
from PETAnomalyLib.engine.placing import Placing
from PETAnomalyLib.engine.report import versions
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.stages import Stages
from PETAnomalyLib.engine.study.disclosure import Disclosure
from PETAnomalyLib.engine.study.lesion_mask import read_lesions
from PETAnomalyLib.engine.study.organs import read_organs
from PETAnomalyLib.engine.study.study import Study, read_study
from PETAnomalyLib.engine.study.tracer import tracer_warnings


@dataclass(frozen=True)
class PETInputs:
    """The files of a PET(/CT) study.

    Attributes:
        pet: image file in SUVbw or DICOM folder.
        ct: the same in HU, or None.
        organs: somebody's segmentation of the organs, see `read_organs`; None: no finding is
            placed by them.
    """

    pet: Path
    ct: Path | None = None
    organs: Path | None = None

    @property
    def paths(self) -> Sequence[Path]:
        return [one for one in (self.pet, self.ct, self.organs) if one is not None]

    def check(self, bundle: Bundle, settings: DetectionSettings) -> None:  # noqa: ARG002 - as of MR
        if bundle.modality != "PT":
            raise InputError(
                f"the model '{bundle.name}' is of MR ({bundle.contrast}), and a PET is given",
                "give the MR with --mr, or choose a model of PET such as pet-phantom",
            )
        if bundle.ct == "required" and self.ct is None:
            raise InputError(
                f"the model '{bundle.name}' needs the CT of the study",
                "give it with --ct, or choose a model for PET alone such as pet-phantom",
            )

    def read(self, bundle: Bundle, settings: DetectionSettings, run: Stages) -> PETExamination:
        study = _read(bundle, self.pet, self.ct, run)
        organs = None if self.organs is None else _read_organs(self.organs, study, run)
        source = _source(study, settings)
        truth = _phantom_truth(self.pet, study.pet, run)
        return PETExamination(self.pet, study, organs, source, truth, bundle, settings.anyway)


class PETExamination:
    """A study that was read."""

    def __init__(
        self,
        path: Path,
        study: Study,
        organs: Organs | None,
        source: Source | None,
        truth: sitk.Image | None,
        bundle: Bundle,
        anyway: bool,
    ) -> None:
        self._path, self._study, self._organs = path, study, organs
        self._source, self._truth = source, truth
        self._bundle, self._anyway = bundle, anyway

    @property
    def image(self) -> sitk.Image:
        return self._study.pet

    @property
    def row(self) -> type[Finding]:
        return Finding

    @property
    def description(self) -> dict[str, Any]:
        return self._study.description

    def framed(self, template: sitk.Image, run: Stages) -> Framed:
        study = self._study
        alignment, fit = _aligned(study, template, self._anyway, run)
        scored, unscored = _seen(study, template, alignment, run)
        image, ct = model_input(study, template, alignment, self._bundle.intensity)
        return Framed(alignment, image, ct, None, scored, fit.report(), unscored)

    def grow(self, resolved: ResolvedSettings) -> float | None:
        return resolved.grow or None

    def measured(
        self,
        delineation: Delineation,
        score: sitk.Image,
        framed: Framed,
        run: Stages,
    ) -> Measured:
        pet = self._study.pet
        findings = measure(
            delineation.labels, pet, score, delineation.growth_limited, framed.scored
        )
        placing = Placing(self._bundle.region_atlas, framed.alignment, self._organs, pet)
        run.warn(*placing.warnings)
        further = placing.columns(delineation.labels, findings)
        return Measured(findings, further, _totals(findings), placing.references.report())

    def write_further(
        self, folder: Path, labels: sitk.Image, measured: Measured, resolved: ResolvedSettings
    ) -> None:
        if self._source is None:
            return
        from PETAnomalyLib.engine.dicom_results.writing import write_objects  # highdicom, an extra

        version = versions().get("petanomaly", __version__)
        bundle = self._bundle
        detector = Detector(version, bundle.name, bundle.sha256, asdict(resolved))
        judged = _judged(_of_pet(measured), measured.further)
        write_objects(folder, Reading(labels, judged, detector, self._source))

    def draw(
        self,
        path: Path,
        score: sitk.Image,
        labels: sitk.Image,
        measured: Measured,
        resolved: ResolvedSettings,
        told: Disclosure,
    ) -> None:
        overview(
            path,
            self._study.pet,
            score,
            resolved.scorer,
            labels,
            _of_pet(measured),
            truth=self._truth,
            title=told.title(self._path, self._bundle.title),
            threshold=resolved.threshold,
        )


def _of_pet(measured: Measured) -> list[Finding]:
    return [one for one in measured.findings if isinstance(one, Finding)]


def _totals(findings: Sequence[Finding]) -> dict[str, Any]:
    totals = total(findings)
    return {
        "count": totals.count,
        "tmtv_ml": round(totals.tmtv_ml, 4),
        "tlg_g": round(totals.tlg_g, 4),
        "growth_limited": sum(finding.growth_limited for finding in findings),
        "unfamiliar": sum(finding.unfamiliar for finding in findings),
    }


def _read(bundle: Bundle, pet: Path, ct: Path | None, run: Stages) -> Study:
    study = read_study(pet, ct if bundle.ct == "required" else None)
    tracer = study.description["pet"]["tracer"]
    run.warn(*tracer_warnings(tracer, bundle.tracer, bundle.name))
    if ct is not None and bundle.ct != "required":
        run.warn(f"the model '{bundle.name}' looks at PET alone: the CT is not used")
    run.warn(*study.warnings)
    return study


def _read_organs(path: Path, study: Study, run: Stages) -> Organs:
    """The organs; the study's description says which they are."""
    organs, study.description["organs"], warnings = read_organs(path, study.pet)
    run.warn(*warnings)
    return organs


def _judged(
    findings: Sequence[Finding], further: Mapping[str, Sequence[float | str]]
) -> tuple[Judged, ...]:
    """For DICOM: as no reader has seen them."""
    sites = further.get(SITE, [""] * len(findings))
    return tuple(Judged(one, site=str(site)) for one, site in zip(findings, sites))


def _source(study: Study, settings: DetectionSettings) -> Source | None:
    """What DICOM results are about, where they are wanted.

    Raises:
        InputError: they cannot be made of this PET: said before minutes are spent.
    """
    if not settings.dicom:
        return None
    return source_of(study, has_ct=study.ct is not None, anonymous=settings.anonymous)


def _aligned(
    study: Study, template: sitk.Image, anyway: bool, run: Stages
) -> tuple[Alignment, StudyFit]:
    """Where the study lies in the model's frame; what does not fit is refused or warned of."""
    alignment = align(study.pet, template, anyway)
    fit = study_fit(study, template, alignment)
    run.warn_first(*alignment.warnings, *spoken(fit.doubts, anyway))
    return alignment, fit


def _seen(
    study: Study, template: sitk.Image, alignment: Alignment, run: Stages
) -> tuple[sitk.Image, float]:
    """The mask of what the model can see, and the share of the body that it cannot."""
    scored = scored_mask(study.pet, template, alignment)
    unscored, warnings = unscored_body(study.pet, scored)
    run.warn(*warnings)
    return scored, unscored


def _phantom_truth(path: Path, pet: sitk.Image, run: Stages) -> sitk.Image | None:
    """The lesions of a synthetic phantom, which lie beside its PET; never of a real scan."""
    truth = path.parent / "SEG.nii.gz"
    if path.name != "SUV.nii.gz" or not (path.parent / "description.json").exists():
        return None
    if not truth.exists():
        return None
    try:
        lesions, warnings = read_lesions(truth, pet)
    except InputError as error:
        run.warn(f"the phantom's lesions are not drawn: {error.message}")
        return None
    run.warn(*warnings)
    drawn = sitk.GetImageFromArray(lesions.astype(np.uint8))
    drawn.CopyInformation(pet)
    return drawn
