"""What was injected, as a study states it, beside what a model was made for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.study.study import read_pet
from PETAnomalyLib.engine.study.tracer import FDG, Tracer, tracer_warnings
from pydicom.dataset import Dataset
from synthetic_dicom import DROP, a_body, pet_header, write_series

PSMA = Tracer("Ga-68 PSMA-11", 4062.6)


def stated(folder: Path, **changes: Any) -> Any:
    write_series(folder, pet_header(**changes), a_body())
    return read_pet(folder)[1]["tracer"]


def code(value: str, meaning: str) -> list[Dataset]:
    item = Dataset()
    item.CodeValue, item.CodeMeaning, item.CodingSchemeDesignator = value, meaning, "SRT"
    return [item]


def test_a_dicom_study_states_name_code_nuclide_and_half_life(tmp_path: Path) -> None:
    header = pet_header(Radiopharmaceutical=DROP)
    item = header.RadiopharmaceuticalInformationSequence[0]
    item.RadiopharmaceuticalCodeSequence = code("C-B1031", "Fluorodeoxyglucose F^18^")
    item.RadionuclideCodeSequence = code("C-111A1", "^18^Fluorine")
    write_series(tmp_path / "pet", header, a_body())
    assert read_pet(tmp_path / "pet")[1]["tracer"] == {
        "name": "Fluorodeoxyglucose F^18^",
        "code": "C-B1031",
        "nuclide": "F-18",
        "half_life_s": 6586.2,
    }


def test_a_ga_68_psma_study_is_told_for_a_model_of_fdg(tmp_path: Path) -> None:
    tracer = stated(tmp_path, Radiopharmaceutical="Ga68-PSMA", RadionuclideHalfLife="4057.7")
    assert tracer == {"name": "Ga68-PSMA", "nuclide": "Ga-68", "half_life_s": 4057.7}
    (warning,) = tracer_warnings(tracer, FDG, "some-model")
    for word in ("Ga68-PSMA", "4057.7", "some-model", "F-18 FDG", "6586.2"):
        assert word in warning
    assert tracer_warnings(tracer, PSMA, "another") == ()


def test_the_reference_object_with_ga_68_is_told(real_data: Path) -> None:
    tracer = read_pet(real_data / "suv-reference-objects" / "DRO_5_0" / "PT")[1]["tracer"]
    assert tracer_warnings(tracer, FDG, "some-model")
    tracer = read_pet(real_data / "wholebody-pet-sts001" / "dicom")[1]["tracer"]
    assert tracer_warnings(tracer, FDG, "some-model") == ()


def test_the_tracer_of_an_image_file_is_not_stated(tmp_path: Path) -> None:
    image = sitk.GetImageFromArray((a_body() / 4000).astype(np.float32))
    image.SetSpacing((18.0, 18.0, 20.0))
    sitk.WriteImage(image, str(tmp_path / "pet.nii.gz"))
    description = read_pet(tmp_path / "pet.nii.gz")[1]
    assert json.loads(json.dumps(description))["tracer"] == "not stated"
    assert tracer_warnings(description["tracer"], FDG, "some-model") == ()


def test_suv_without_a_radiopharmaceutical_states_no_tracer(tmp_path: Path) -> None:
    header = pet_header(Units="GML")
    del header.RadiopharmaceuticalInformationSequence
    write_series(tmp_path, header, a_body((12, 24, 24), 2))
    assert read_pet(tmp_path)[1]["tracer"] == "not stated"


@pytest.mark.parametrize(
    "name",
    ["FDG", "FDG -- fluorodeoxyglucose", "F-18 FDG", "18F-FDG", "[18F]FDG", "FDG F18", "F18FDG",
     "Fluorodeoxyglucose F^18^", "Fluordesoxyglucose", "2-Deoxy-2-fluoro-D-glucose (FDG)",
     "Solution", "F-18", "18F", "Fluorine-18", "Fluor-18", "", "Unknown", "PET tracer"],
)  # fmt: skip
def test_the_names_of_fdg_and_names_that_say_nothing_are_not_told(name: str) -> None:
    assert tracer_warnings({"name": name, "half_life_s": 6586.2}, FDG, "model") == ()


@pytest.mark.parametrize(
    "tracer",
    [
        {"name": "F-18 PSMA-1007", "half_life_s": 6586.2},
        {"name": "NaF", "half_life_s": 6586.2},
        {"name": "18F-FET", "nuclide": "F-18"},
        {"name": "FDG", "half_life_s": 4057.7},
        {"name": "Solution", "half_life_s": 1221.8},
        {"code": "C-B1038", "half_life_s": 6586.2},
        {"half_life_s": 4057.7},
    ],
)
def test_another_substance_or_another_nuclide_is_told(tracer: dict[str, Any]) -> None:
    assert len(tracer_warnings(tracer, FDG, "model")) == 1


def test_a_model_of_another_tracer_is_compared_by_its_own_name_and_code() -> None:
    for name in ("PSMA-11", "Ga68-PSMA", "68Ga-PSMA-11", "[68Ga]Ga-PSMA-11"):
        assert tracer_warnings({"name": name, "half_life_s": 4057.7}, PSMA, "model") == ()
    assert tracer_warnings({"name": "68Ga-DOTATATE", "half_life_s": 4057.7}, PSMA, "model")
    assert tracer_warnings({"name": "FDG", "half_life_s": 6586.2}, PSMA, "model")
    coded = Tracer("Ga-68 PSMA-11", 4062.6, "C-1")
    assert tracer_warnings({"name": "gozetotide", "code": "C-1"}, coded, "model") == ()
