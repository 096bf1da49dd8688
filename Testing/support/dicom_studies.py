"""A DICOM PET with findings drawn into it, in any orientation, for results as DICOM."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from PETAnomalyLib.engine.dicom_results.reading import Detector, Judged, Reading
from PETAnomalyLib.engine.dicom_results.source import source_of
from PETAnomalyLib.engine.findings.measures import Finding, measure
from PETAnomalyLib.engine.study.study import Study, read_study
from pydicom.dataset import FileDataset
from synthetic_dicom import a_body, pet_header, write_series

STUDY_UID = "1.2.826.0.1.3680043.8.498.7"
DETECTOR = Detector("0.1.0", "a-model", "5e" * 32, {"scorer": "kde", "seed": 0, "grow": 0.4})
AXIAL = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
# The normal of the first points to the feet, so that the files' order is the reverse.
ORIENTATIONS: dict[str, Sequence[float]] = {
    "axial": AXIAL,
    "feet last": (1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
    "prone": (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0),
    "coronal": (1.0, 0.0, 0.0, 0.0, 0.0, -1.0),
    "sagittal": (0.0, 1.0, 0.0, 0.0, 0.0, -1.0),
    "oblique": tuple(
        np.round(
            np.array([[0.8, 0.6, 0.0], [-0.36, 0.48, 0.8]]).ravel(), 6
        )
    ),
}  # fmt: skip


def write_pet(folder: Path, orientation: str = "axial", **changes: Any) -> Path:
    """A PET series with all that a DICOM result needs; `changes` by keyword of the header."""
    header = pet_header(**{
        "StudyInstanceUID": STUDY_UID, "StudyDate": "20250101", "StudyTime": "103000",
        "StudyID": "S1", "AccessionNumber": "A1", "SeriesNumber": "4",
        "PatientBirthDate": "19500203", "ReferringPhysicianName": "Doe^Jane",
        "StudyDescription": "PET/CT", **changes,
    })  # fmt: skip
    write_series(folder, header, a_body((10, 20, 24)), orientation=ORIENTATIONS[orientation])
    return folder


def boxes(pet: sitk.Image, count: int) -> sitk.Image:
    """Labels 1..count: small boxes of different sizes in different places; none for 0."""
    labels = np.zeros(pet.GetSize()[::-1], np.uint16)
    for number in range(1, count + 1):
        k, j, i = number % 7 + 1, 3 * (number % 6) + 1, 4 * (number // 7) + 2
        labels[k : k + 1 + number % 3, j : j + 2, i : i + 1 + number % 2] = number
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(pet)
    return image


def score_of(pet: sitk.Image) -> sitk.Image:
    """A map, monotonous in the SUV."""
    return sitk.Cast(pet * 1.5 - 2.0, sitk.sitkFloat32)


def findings_of(study: Study, labels: sitk.Image) -> list[Finding]:
    """Measured as a detection does."""
    return measure(labels, study.pet, score_of(study.pet))


def reading_of(
    folder: Path,
    count: int,
    *,
    verdicts: dict[int, str] | None = None,
    anonymous: bool = False,
    detector: Detector = DETECTOR,
    change: Callable[[sitk.Image], None] | None = None,
) -> Reading:
    """Of the PET in a folder, with `count` findings.

    Args:
        folder: with the PET alone.
        count: of findings.
        verdicts: finding -> verdict; `unsure` where none is given.
        anonymous: see `source_of`.
        detector: what found them.
        change: of the labels.
    """
    study = read_study(folder)
    labels = boxes(study.pet, count)
    if change is not None:
        change(labels)
    judged = [
        Judged(finding, (verdicts or {}).get(finding.number, "unsure"))
        for finding in findings_of(study, labels)
    ]
    source = source_of(
        study.pet_slices, study.pet.GetSpacing()[2], is_fdg=True, has_ct=True, anonymous=anonymous
    )
    return Reading(labels, tuple(judged), detector, source)


def by_instance(folder: Path) -> dict[str, FileDataset]:
    """The slices in a folder by their SOP Instance UID."""
    import pydicom

    read = [pydicom.dcmread(path) for path in folder.rglob("*.dcm")]
    return {str(dataset.SOPInstanceUID): dataset for dataset in read}
