"""`detect` of a study that does not fit its model: refused in words, or gone on with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.detection import detect
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from tiny_bundle import write_tiny_bundle, write_tiny_study


def detected(tmp_path: Path, ct: Path, anyway: bool) -> dict[str, Any]:
    bundle = write_tiny_bundle(tmp_path / "models" / "tiny")
    study = write_tiny_study(tmp_path / "study")
    settings = DetectionSettings(model=str(bundle.path), samples=1, decodes=1, anyway=anyway)
    detect(study / "SUV.nii.gz", ct, tmp_path / "result", settings, SilentReporter())
    report: dict[str, Any] = json.loads((tmp_path / "result" / "report.json").read_text())
    return report


@pytest.fixture
def ct_upside_down(tmp_path: Path) -> Path:
    ct = sitk.ReadImage(str(write_tiny_study(tmp_path / "other") / "CTres.nii.gz"))
    flipped = sitk.Flip(ct, (False, False, True))
    flipped.CopyInformation(ct)
    sitk.WriteImage(flipped, str(tmp_path / "CT.nii.gz"))
    return tmp_path / "CT.nii.gz"


def test_a_ct_upside_down_is_refused_and_says_how_to_go_on(
    tmp_path: Path, ct_upside_down: Path
) -> None:
    with pytest.raises(InputError, match="The CT looks upside down") as refusal:
        detected(tmp_path, ct_upside_down, anyway=False)
    assert "--anyway" in refusal.value.hint
    assert not (tmp_path / "result").exists()


def test_anyway_goes_on_and_its_warning_is_the_first(tmp_path: Path, ct_upside_down: Path) -> None:
    report = detected(tmp_path, ct_upside_down, anyway=True)
    assert "The CT looks upside down" in report["warnings"][0]
    assert set(report["fit"]) >= {"orientation", "pet_ct"}
