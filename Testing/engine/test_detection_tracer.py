"""A scan with another tracer than the model's is told first of all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection import detect
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from synthetic_dicom import DOSE_BQ, WEIGHT_KG, pet_header, write_series

GA_68 = {"Radiopharmaceutical": "Ga68-PSMA", "RadionuclideHalfLife": "4057.7"}


def as_dicom(study: Path, folder: Path, **changes: Any) -> Path:
    """The study's PET as a series whose values belong to the injection."""
    image = sitk.ReadImage(str(study / "SUV.nii.gz"))
    columns, rows, gap = image.GetSpacing()
    write_series(
        folder,
        pet_header(DecayCorrection="ADMIN", **changes),
        np.clip(sitk.GetArrayFromImage(image) * 1000, 0, 32000),
        slopes=[DOSE_BQ / WEIGHT_KG / 1e6] * image.GetDepth(),
        spacing=(rows, columns),
        gap=gap,
    )
    return folder


def report_of(pet: Path, bundle: Bundle, out: Path) -> dict[str, Any]:
    settings = DetectionSettings(model=str(bundle.path), device="cpu")
    detect(pet, None, out, settings, SilentReporter())
    report: dict[str, Any] = json.loads((out / "report.json").read_text(encoding="utf-8"))
    return report


@pytest.mark.slow
def test_the_tracer_of_a_study_is_compared_with_the_models(
    tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    model = tiny_bundles["autoencoder"]
    report = report_of(as_dicom(tiny_study, tmp_path / "psma", **GA_68), model, tmp_path / "a")
    assert report["inputs"]["pet"]["tracer"]["name"] == "Ga68-PSMA"
    assert "ANOTHER TRACER" in report["warnings"][0]
    assert "Ga68-PSMA" in report["warnings"][0]
    report = report_of(as_dicom(tiny_study, tmp_path / "fdg"), model, tmp_path / "b")
    assert not any("TRACER" in warning for warning in report["warnings"])
    report = report_of(tiny_study / "SUV.nii.gz", model, tmp_path / "c")
    assert report["inputs"]["pet"]["tracer"] == "not stated"
    assert not any("TRACER" in warning for warning in report["warnings"])
