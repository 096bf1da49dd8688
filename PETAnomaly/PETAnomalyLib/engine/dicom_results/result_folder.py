"""A result folder, as `detect` wrote it or as it was corrected by hand, read to be reported.

Voxels are the segmentation's, verdicts the table's, and numbers are measured anew from voxels, PET
and map: so they fit one another whichever of the files was edited.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import SimpleITK as sitk

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.dicom_results.reading import Detector, Judged, Reading
from PETAnomalyLib.engine.dicom_results.source import Source, source_of
from PETAnomalyLib.engine.findings.measures import Finding, measure
from PETAnomalyLib.engine.findings.verdict import UNSURE, VERDICTS
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.json_file import read_json
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.input_path import is_folder, shown
from PETAnomalyLib.engine.study.lattice import on_voxels_of
from PETAnomalyLib.engine.study.segmentation_file import read_finding_labels
from PETAnomalyLib.engine.study.study import read_study
from PETAnomalyLib.engine.study.table_file import Line, read_table

# Two ways from the same files to SUV differ by rounding; another patient's uptake by more.
SAME_SUV = 0.01
ROUNDED = 1e-4  # g/ml, of the table's four decimals
_SCORERS = ("kde", "zscore", "residual")
_SHA256_DIGITS = 64


@dataclass(frozen=True)
class _Row:
    """Of findings.csv."""

    suv_max: float
    mtv_ml: float
    verdict: str
    by_hand: bool
    site: str


def read_result(folder: Path, pet: Path, anonymous: bool) -> tuple[Reading, tuple[str, ...]]:
    """What is to be reported of a result.

    Args:
        folder: it.
        pet: the DICOM series that it is of.
        anonymous: see `source_of`.

    Returns:
        The reading, and what was noticed, for the user.

    Raises:
        InputError: no whole result, or one of another PET; the PET is no DICOM; see also
            `read_study`, `read_finding_labels`, `source_of`.
    """
    report = _report(folder)
    if "mr" in report["inputs"]:
        raise InputError(
            f"{shown(folder)} is the result of an MR; DICOM objects are made of PET studies.",
            "Give the result of a PET; segmentation.seg.nrrd holds the findings of an MR.",
        )
    detector = _detector(report, folder)
    rows = _rows(folder / "findings.csv")
    study = read_study(pet)
    source = source_of(study, has_ct="ct" in report["inputs"], anonymous=anonymous)
    _refuse_other_series(report, study.description["pet"], folder)
    labels = read_finding_labels(folder / "segmentation.seg.nrrd", study.pet)
    file = folder / f"{detector.scorer}.nii.gz"
    score = on_voxels_of(read_float_image(file), study.pet, f"The map {shown(file)}", whole=True)
    findings = measure(labels, study.pet, score)
    return _judged(labels, findings, rows, detector, source, study.pet)


def _judged(
    labels: sitk.Image,
    findings: list[Finding],
    rows: Mapping[int, _Row],
    detector: Detector,
    source: Source,
    pet: sitk.Image,
) -> tuple[Reading, tuple[str, ...]]:
    half_a_voxel = math.prod(pet.GetSpacing()) / 2000.0  # ml
    judged, notes = [], []
    for finding in findings:
        row, name = rows.get(finding.number), f"Finding {finding.number}"
        if row is None:
            notes.append(f"{name} is in no row of the table: its verdict is {UNSURE}.")
            judged.append(Judged(finding, by_hand=True))
            continue
        redrawn = abs(finding.mtv_ml - row.mtv_ml) > half_a_voxel
        if redrawn:
            notes.append(f"{name} was redrawn after the table was written: it is measured anew.")
        elif abs(finding.suv_max - row.suv_max) > SAME_SUV * row.suv_max + ROUNDED:
            raise InputError(
                f"{name} has the volume that the table says, but its SUVmax is "
                f"{finding.suv_max:.2f} in this PET and {row.suv_max:.2f} in the table: it is "
                "another PET, or it was converted to SUV in another way.",
                "Give the PET that the result is of.",
            )
        judged.append(
            Judged(finding, row.verdict, row.by_hand or redrawn, "" if redrawn else row.site)
        )
    gone = sorted(rows.keys() - {finding.number for finding in findings})
    if gone:
        listed = ", ".join(map(str, gone[:5])) + (", ..." if len(gone) > 5 else "")
        notes.append(
            f"{len(gone)} findings of the table have no voxels any more: left out ({listed})."
        )
    return Reading(labels, tuple(judged), detector, source), tuple(notes)


def _report(folder: Path) -> dict[str, Any]:
    if not is_folder(folder):
        raise _no_result(folder, "it is a file")
    path = folder / "report.json"
    try:
        report = read_json(path)
    except OSError as error:
        raise _no_result(folder, f"report.json cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise _no_result(folder, f"report.json is damaged: {error}") from error
    parts = ("model", "settings", "inputs")
    if not isinstance(report, dict) or not all(isinstance(report.get(p), dict) for p in parts):
        raise _no_result(folder, f"report.json lacks {', '.join(parts)}")
    return report


def _detector(report: dict[str, Any], folder: Path) -> Detector:
    model, settings = report["model"], report["settings"]
    name, sha256 = model.get("name"), model.get("sha256")
    if not (isinstance(name, str) and name and name.isascii() and len(name) <= _SHA256_DIGITS):
        raise _no_result(folder, "report.json names no model")
    if not (isinstance(sha256, str) and len(sha256) == _SHA256_DIGITS and sha256.isalnum()):
        raise _no_result(folder, "report.json has no hash of the model")
    if settings.get("scorer") not in _SCORERS:
        raise _no_result(folder, "report.json names no scorer")
    versions = report.get("versions")
    version = versions.get("petanomaly", __version__) if isinstance(versions, dict) else __version__
    return Detector(str(version), name, sha256, settings)


def _rows(path: Path) -> dict[int, _Row]:
    hint = "Use the findings.csv that petanomaly wrote, or that the panel exported."
    rows: dict[int, _Row] = {}
    for line in read_table(path, ("number", "suv_max", "mtv_ml"), hint):
        verdict = line.values.get("verdict", "") or UNSURE
        if verdict not in VERDICTS:
            raise InputError(
                f"line {line.number} of {shown(path)} has the verdict {verdict!r}",
                f"a verdict is one of {', '.join(VERDICTS)}",
            )
        number = int(_number(line, "number", path))
        if number in rows:
            raise InputError(
                f"line {line.number} of {shown(path)} has finding {number} again", hint
            )
        by_hand = line.values.get("by_hand", "").lower() == "true"
        rows[number] = _Row(
            _number(line, "suv_max", path),
            _number(line, "mtv_ml", path),
            verdict,
            by_hand,
            line.values.get("site", ""),
        )
    return rows


def _number(line: Line, column: str, path: Path) -> float:
    text = line.values.get(column, "")
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value) or value < 0:
        raise InputError(
            f"line {line.number} of {shown(path)} has {text!r} in the column '{column}'",
            "write numbers with a decimal point",
        )
    return value


def _refuse_other_series(report: dict[str, Any], pet: dict[str, Any], folder: Path) -> None:
    of_result = report["inputs"].get("pet")
    stated = of_result.get("series_instance_uid") if isinstance(of_result, dict) else None
    if stated and stated != pet.get("series_instance_uid"):
        raise InputError(
            f"The result {shown(folder)} is of another PET series than the one given.",
            "Give the PET that it was made from.",
        )


def _no_result(folder: Path, why: str) -> InputError:
    return InputError(
        f"{shown(folder)} is no whole result of petanomaly: {why}.",
        "Give a folder that petanomaly detect has written.",
    )
