"""A DICOM PET with findings drawn into it, in any orientation, for results as DICOM."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Sequence
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from PETAnomalyLib.engine.dicom_results.reading import Detector, Judged, Reading
from PETAnomalyLib.engine.dicom_results.source import source_of
from PETAnomalyLib.engine.findings.measures import Finding, measure, write_csv
from PETAnomalyLib.engine.findings.segmentation import write_segmentation
from PETAnomalyLib.engine.frame.measured_regions import HIGHEST_CODE
from PETAnomalyLib.engine.frame.region_atlas import site_of
from PETAnomalyLib.engine.study.study import Study, read_study
from pydicom.dataset import FileDataset
from synthetic_dicom import a_body, pet_header, write_series

STUDY_UID = "1.2.826.0.1.3680043.8.498.7"
DETECTOR = Detector("0.1.0", "a-model", "5e" * 32, {"scorer": "kde", "seed": 0, "grow": 0.4})
SITES = tuple(site_of(np.array([number], np.uint8)) for number in range(1, HIGHEST_CODE + 1))
"""All that there are."""
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


def write_pet(folder: Path, orientation: str = "axial", gap: float = 4.0, **changes: Any) -> Path:
    """A PET series with all that a DICOM result needs; `changes` by keyword of the header, `gap`
    from slice to slice in mm.
    """
    header = pet_header(**{
        "StudyInstanceUID": STUDY_UID, "StudyDate": "20250101", "StudyTime": "103000",
        "StudyID": "S1", "AccessionNumber": "A1", "SeriesNumber": "4",
        "PatientBirthDate": "19500203", "ReferringPhysicianName": "Doe^Jane",
        "StudyDescription": "PET/CT", **changes,
    })  # fmt: skip
    uptake = a_body((10, 20, 24)) + np.random.default_rng(0).integers(1000, 9000, (10, 20, 24))
    write_series(folder, header, uptake, orientation=ORIENTATIONS[orientation], gap=gap)
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
    sites: Sequence[str] = (),
    anonymous: bool = False,
    detector: Detector = DETECTOR,
    change: Callable[[sitk.Image], None] | None = None,
) -> Reading:
    """Of the PET in a folder, with `count` findings.

    Args:
        folder: with the PET alone.
        count: of findings.
        verdicts: finding -> verdict; `unsure` where none is given.
        sites: of the findings, in order; none where none is given.
        anonymous: see `source_of`.
        detector: what found them.
        change: of the labels.
    """
    study = read_study(folder)
    labels = boxes(study.pet, count)
    if change is not None:
        change(labels)
    judged = [
        Judged(finding, (verdicts or {}).get(finding.number, "unsure"), site=site)
        for finding, site in zip(findings_of(study, labels), chain(sites, repeat("")))
    ]
    source = source_of(study, has_ct=True, anonymous=anonymous)
    return Reading(labels, tuple(judged), detector, source)


def by_instance(folder: Path) -> dict[str, FileDataset]:
    """The slices in a folder by their SOP Instance UID."""
    import pydicom

    read = [pydicom.dcmread(path) for path in folder.rglob("*.dcm")]
    return {str(dataset.SOPInstanceUID): dataset for dataset in read}


def write_result(folder: Path, pet: Path, count: int = 5) -> Study:
    """A result folder of the PET, as a detection leaves it, with `count` findings; the study."""
    study = read_study(pet)
    labels = boxes(study.pet, count)
    findings = findings_of(study, labels)
    folder.mkdir(parents=True)
    sitk.WriteImage(score_of(study.pet), str(folder / "kde.nii.gz"))
    write_segmentation(folder / "segmentation.seg.nrrd", labels, findings)
    write_csv(folder / "findings.csv", findings)
    report = {
        "inputs": study.description,
        "model": {"name": DETECTOR.model, "sha256": DETECTOR.sha256},
        "settings": DETECTOR.settings,
        "versions": {"petanomaly": DETECTOR.version},
    }
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
    return study


def with_column(table: Path, name: str, values: dict[int, str]) -> None:
    """Add a column to findings.csv: finding -> value, empty for the others."""
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    with table.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], name], lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, name: values.get(int(row["number"]), "")} for row in rows)
