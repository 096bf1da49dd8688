"""SUVbw of real headers, scans and reference objects, against published values."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.study.dicom.suv import read_suv
from pydicom.dataset import Dataset
from suv_factor import factor, with_private
from synthetic_dicom import a_body, pet_header, plain_factor, write_series

HEADERS = (
    "PHILIPS_BQML",
    "PHILIPS_CNTS_AND_BQML_SUV",
    "PHILIPS_CNTS_AND_SUV",
    "SIEMENS",
    "GE_MEDICAL_AND_BQML",
    "BQML_AC_DT_lessThan_S_DT_SIEMENS",
    "CPS_AND_BQML_AC_DT_-_S_DT",
    "RADIOPHARM_DATETIME_UNDEFINED",
)
TRACER = ("RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartTime",
          "RadiopharmaceuticalStartDateTime")  # fmt: skip


def from_json(record: dict[str, Any]) -> Dataset:
    """One instance of the cornerstone headers as a dataset."""
    private = record["PhilipsPETPrivateGroup"]
    header, item = Dataset(), Dataset()
    for keyword, value in record.items():
        if keyword != "PhilipsPETPrivateGroup":
            setattr(item if keyword in TRACER else header, keyword, value)
    header.RadiopharmaceuticalInformationSequence = [item]
    elements = {"SUVScaleFactor": 0x00, "ActivityConcentrationScaleFactor": 0x09}
    if private:
        values = {elements[key]: str(value) for key, value in private.items()}
        with_private(header, 0x7053, "Philips PET Private Group", values)
    return header


@pytest.mark.parametrize("name", HEADERS)
def test_a_real_header_gives_the_published_factor_within_a_thousandth(
    real_data: Path, name: str
) -> None:
    folder = real_data / "suv-headers"
    file = f"{name}-instances.json"
    with (folder / "expected_suvbw_factor.csv").open(encoding="utf-8") as table:
        expected = {
            row["file"]: float(row["suvbw_factor_per_bqml_or_count"])
            for row in csv.DictReader(table)
        }
    records = json.loads((folder / file).read_text(encoding="utf-8"))
    assert factor(*map(from_json, records)) == pytest.approx(expected[file], rel=1e-3)


@pytest.mark.parametrize(
    "name",
    ["DRO_0_0", "DRO_1_0", "DRO_2_0", "DRO_2_4", "DRO_3_1", "DRO_4_0", "DRO_4_1", "DRO_5_0"],
)
def test_a_reference_object_has_its_nominal_suvs_in_the_mask(real_data: Path, name: str) -> None:
    folder = real_data / "suv-reference-objects" / name
    image, _, _ = read_suv(folder / "PT")
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "mask" / "DRO_mask.nii.gz"))) > 0
    values = sitk.GetArrayFromImage(image)[mask]
    assert [values.min(), np.median(values), values.max()] == pytest.approx(
        [0.20, 1.00, 4.00], rel=0.01
    )


def test_the_whole_body_scan_gives_its_published_factor(real_data: Path) -> None:
    _, description, _ = read_suv(real_data / "wholebody-pet-sts001" / "dicom")
    assert description["suv"]["factor"] == pytest.approx(2.42903e-4, rel=1e-3)
    assert description["suv"]["weight_kg"] == 71.0


def test_the_slope_of_every_slice_is_applied(tmp_path: Path) -> None:
    slopes = [1.0, 0.5, 2.0, 1.25, 3.0, 0.75]
    write_series(tmp_path / "pet", pet_header(), a_body((6, 8, 9)), slopes=slopes)
    image, _, _ = read_suv(tmp_path / "pet")
    expected = a_body((6, 8, 9)) * np.array(slopes)[:, None, None] * plain_factor()
    assert sitk.GetArrayFromImage(image) == pytest.approx(expected, rel=1e-6)
