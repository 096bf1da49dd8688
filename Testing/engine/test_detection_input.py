"""What lies beside the study, and how it is named, never costs a detection its result."""

from __future__ import annotations

import json
import os
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from engine_process import run_petanomaly
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection import detect
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.evaluation.study_judgement import PLAIN, Detections, Rule
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy

posix = pytest.mark.skipif(os.name == "nt", reason="names of bytes are POSIX's")


def run(pet: Path, bundle: Bundle, out: Path) -> tuple[Path, list[str]]:
    """A detection with the smallest model; returns its folder and warnings."""
    settings = DetectionSettings(model=str(bundle.path), device="cpu")
    detect(pet, None, out, settings, SilentReporter())
    return out, json.loads((out / "report.json").read_text(encoding="utf-8"))["warnings"]


def as_phantom(study: Path, folder: Path) -> Path:
    """A copy of a phantom's study, with what tells that it is one."""
    shutil.copytree(study, folder)
    (folder / "description.json").write_text("{}", encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", ["garbage", "cut", "elsewhere", "pipe", "folder"])
def test_broken_lesions_beside_a_phantom_are_told_and_cost_nothing(
    tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle], kind: str
) -> None:
    folder = as_phantom(tiny_study, tmp_path / "p")
    truth = folder / "SEG.nii.gz"
    whole = truth.read_bytes()
    if kind == "elsewhere":
        image = sitk.ReadImage(str(truth))
        image.SetOrigin((9000.0, 0.0, 0.0))
        sitk.WriteImage(image + 1, str(truth))
    else:
        truth.unlink()
    if kind == "garbage":
        truth.write_bytes(b"no image")
    elif kind == "cut":
        truth.write_bytes(whole[:-300])
    elif kind == "folder":
        truth.mkdir()
    elif kind == "pipe":
        if os.name == "nt":
            pytest.skip("pipes of POSIX")
        os.mkfifo(truth)
    out, warnings = run(folder / "SUV.nii.gz", tiny_bundles["autoencoder"], tmp_path / "out")
    assert [text for text in warnings if "the phantom's lesions are not drawn" in text]
    assert (out / "overview.png").stat().st_size > 10_000


@pytest.mark.slow
@posix
def test_a_study_under_names_that_are_no_utf8_is_detected_like_any_other(
    tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    folder = tmp_path / os.fsdecode(b"Patient \xfc")
    folder.mkdir()
    pet = folder / os.fsdecode(b"SUV \xff.nii.gz")
    shutil.copy(tiny_study / "SUV.nii.gz", pet)
    out, _ = run(pet, tiny_bundles["autoencoder"], tmp_path / "odd")
    plain, _ = run(tiny_study / "SUV.nii.gz", tiny_bundles["autoencoder"], tmp_path / "plain")
    assert (out / "residual.nii.gz").read_bytes() == (plain / "residual.nii.gz").read_bytes()


@posix
@pytest.mark.parametrize("command", ["detect", "suv", "phantom"])
def test_a_place_that_is_no_utf8_is_refused_at_once_and_nothing_is_left(
    tmp_path: Path, tiny_study: Path, command: str
) -> None:
    out = tmp_path / os.fsdecode(b"result \xff.nii.gz")
    words = {
        "detect": ["--pet", tiny_study / "SUV.nii.gz", "--out", out],
        "suv": [tiny_study, "--out", out],
        "phantom": ["--count", 1, "--seed", 1, "--out", out],
    }[command]
    start = time.monotonic()
    done = run_petanomaly(command, *words)
    assert done.returncode == 2
    assert "not UTF-8" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - start < 20
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_folder_that_is_no_utf8_is_refused_by_detect_itself(
    tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    folder = tmp_path / os.fsdecode(b"\xe4")
    folder.mkdir()
    with pytest.raises(InputError, match="not UTF-8"):
        run(tiny_study / "SUV.nii.gz", tiny_bundles["autoencoder"], folder / "out")
    assert list(folder.iterdir()) == []


def test_the_maps_that_are_judged_are_the_named_ones_whole_and_on_the_pets_grid(
    tmp_path: Path,
) -> None:
    pet = sitk.GetImageFromArray(np.ones((4, 5, 6), np.float32))
    result = tmp_path / "m" / "s"
    result.mkdir(parents=True)
    values = np.random.default_rng(0).random((4, 5, 6)).astype(np.float32)
    sitk.WriteImage(sitk.GetImageFromArray(values), str(result / "kde.nii.gz"))
    sitk.WriteImage(sitk.GetImageFromArray(values * 0), str(result / "kde.nii"))
    mask = sitk.GetImageFromArray(np.ones((4, 5, 6), np.uint8))
    sitk.WriteImage(mask, str(result / "scored_mask.nii.gz"))
    study = CohortStudy("s", "s", tmp_path, None, None)
    rules = [Rule("m", scorer, 0.0, 0.4, 0.0) for scorer in (PLAIN, "kde")]
    detections = Detections(tmp_path, "m")
    (plain, _), (score, seen) = detections.maps(study, rules, pet)
    assert plain is pet
    assert np.array_equal(sitk.GetArrayFromImage(score), values)
    assert seen.GetPixelID() == sitk.sitkUInt8
    with pytest.raises(InputError, match=r"has \(6, 5, 4\) voxels, the study's PET \(6, 5, 3\)"):
        list(detections.maps(study, rules, pet[:, :, :3]))
    content = (result / "kde.nii.gz").read_bytes()
    (result / "kde.nii.gz").write_bytes(content[:-20])
    with pytest.raises(InputError, match="truncated"):
        list(detections.maps(study, rules, pet))
    (result / "kde.nii.gz").unlink()
    with pytest.raises(InputError, match="does not exist"):
        list(detections.maps(study, rules, pet))
