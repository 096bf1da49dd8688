"""The detections that the documentation begins with, run to the letter with tiny models.

The models have random weights and the names of those that are shipped; the demonstration alone is
run with the real one.
"""

from __future__ import annotations

import shlex
import shutil
from pathlib import Path

import documented_commands
import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine import cli, demo
from PETAnomalyLib.engine.bundles import search
from synthetic_dicom import ct_header, pet_header, plain_factor, write_series
from tiny_bundle import write_tiny_bundle, write_tiny_study

pytestmark = pytest.mark.slow


def commands(beginning: str) -> list[str]:
    """All different commands of the documentation that begin so and are not marked."""
    found = documented_commands.commands()
    lines = {one.line for one in found if not one.block.reason}
    return sorted(line for line in lines if line.startswith(beginning))


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The files that the commands name."""
    folder = tmp_path_factory.mktemp("documentation")
    study = write_tiny_study(folder / "cohort" / "phantom-2000049" / "0")
    shutil.copyfile(study / "SUV.nii.gz", folder / "SUV.nii.gz")
    shutil.copyfile(study / "CTres.nii.gz", folder / "CT.nii.gz")
    pet, ct = (sitk.ReadImage(str(study / f"{name}.nii.gz")) for name in ("SUV", "CTres"))
    to_bqml = 1.0 / plain_factor()
    slope = round(float(sitk.GetArrayViewFromImage(pet).max()) * to_bqml / 32000.0, 3)
    stored = sitk.GetArrayFromImage(pet) * to_bqml / slope
    grid = {"spacing": pet.GetSpacing()[1::-1], "gap": pet.GetSpacing()[2]}
    write_series(
        folder / "dicom" / "pet",
        pet_header(StudyInstanceUID="1.2.826.0.1.3680043.8.498.6"),
        stored,
        slopes=[slope] * len(stored),
        **grid,
    )
    write_series(folder / "dicom" / "ct", ct_header(), sitk.GetArrayFromImage(ct), **grid)
    write_tiny_bundle(folder / "models" / "petct-phantom", "petct")
    write_tiny_bundle(folder / "models" / "pet-phantom", "pet")
    return folder


@pytest.mark.parametrize("line", commands("petanomaly detect "))
def test_the_documented_detection_runs(
    line: str, place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    # Their names are taken by those that are shipped, wherever else a model lies.
    monkeypatch.setattr(search, "shipped_folders", lambda: [place / "models"])
    assert cli.main(shlex.split(line)[1:]) == 0, capfd.readouterr().err
    pet = sitk.ReadImage(str(place / "SUV.nii.gz"))
    result = place / "result"
    if "--cohort" in line:
        assert (place / "results" / "studies.csv").is_file()
        result = place / "results" / "phantom-2000049__0"
    scored = sitk.ReadImage(str(result / "residual.nii.gz"))
    assert scored.GetSize() == pet.GetSize()
    assert np.isfinite(sitk.GetArrayViewFromImage(scored)).all()


def test_the_demonstration_finds_its_patients_lesions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert demo.main() == 0, capfd.readouterr().err
    assert (tmp_path / "demo" / "result" / "overview.png").is_file()
