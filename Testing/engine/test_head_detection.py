"""`petanomaly detect --mr`, from a file to findings, with a small untrained model."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from ellipsoid_heads import SPACING_MM, draw_head
from engine_process import run_petanomaly
from tiny_head_bundles import write_tiny_head_bundle


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_head_bundle(tmp_path_factory.mktemp("models") / "tiny-mr", "vae").path


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stripped FLAIR with a mass."""
    flair, _, _ = draw_head("mass", 71)
    return write(tmp_path_factory.mktemp("head") / "FLAIR.nii.gz", flair)


def write(path: Path, values: np.ndarray) -> Path:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing([SPACING_MM] * 3)
    image.SetOrigin([-(n - 1) * SPACING_MM / 2 for n in image.GetSize()])
    sitk.WriteImage(image, str(path))
    return path


def detect(*words: str | Path, code: int = 0) -> str:
    done = run_petanomaly("detect", *words)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_head_gives_maps_findings_a_picture_and_a_report(
    model: Path, head: Path, tmp_path: Path
) -> None:
    out = tmp_path / "r"
    detect("--mr", head, "--model", model, "--out", out, "--threshold", "0.3")
    image = sitk.ReadImage(str(head))
    score = sitk.ReadImage(str(out / "residual.nii.gz"))
    scored = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "scored_mask.nii.gz")))
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "segmentation.seg.nrrd")))
    for made in (score, sitk.ReadImage(str(out / "segmentation.seg.nrrd"))):
        assert made.GetSize() == image.GetSize()
        assert np.allclose(made.GetOrigin(), image.GetOrigin(), atol=1e-4)
    assert not scored[sitk.GetArrayFromImage(image) == 0].any()  # air is no brain
    assert not labels[scored == 0].any()
    rows = list(csv.DictReader((out / "findings.csv").open(encoding="utf-8")))
    assert rows
    assert list(rows[0]) == [
        "number", "volume_ml", "diameter_mm", "centroid_r_mm", "centroid_a_mm", "centroid_s_mm",
        "score_max", "score_mean", "site",
    ]  # fmt: skip
    voxel_ml = SPACING_MM**3 / 1000
    for row in rows:
        inside = labels == int(row["number"])
        assert float(row["volume_ml"]) == pytest.approx(inside.sum() * voxel_ml, abs=1e-3)
        where = np.argwhere(inside)
        centre = image.TransformContinuousIndexToPhysicalPoint(where.mean(0)[::-1].tolist())
        found = [float(row[f"centroid_{axis}_mm"]) for axis in "ras"]
        assert np.allclose(found, np.array(centre) * (-1, -1, 1), atol=1e-3)
        assert ("right" in row["site"]) == (found[0] > 0) or row["site"] == "brainstem"
        assert float(row["score_max"]) > 0.3
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["findings"]["count"] == len(rows)
    assert report["findings"]["volume_ml"] == pytest.approx(
        sum(float(row["volume_ml"]) for row in rows), abs=0.01
    )
    assert report["inputs"]["mask"]["from"] == "skull-stripped image"
    assert report["inputs"]["mr"]["contrast"] == "FLAIR"
    assert not {"tmtv_ml", "tlg_g", "growth_limited"} & set(report["findings"])
    assert (out / "overview.png").stat().st_size > 10_000
    said = run_petanomaly("dicom", out, "--pet", head.parent)
    assert said.returncode == 2
    assert "is the result of an MR" in said.stderr
    assert "Finding 1 (" in sitk.ReadImage(str(out / "segmentation.seg.nrrd")).GetMetaData(
        "Segment0_Name"
    )


def test_a_given_mask_says_where_the_brain_is(model: Path, head: Path, tmp_path: Path) -> None:
    flair = sitk.GetArrayFromImage(sitk.ReadImage(str(head)))
    left = (flair > 0).astype(np.uint8)
    left[:, :, : flair.shape[2] // 2] = 0  # half of it is gone
    mask = write(tmp_path / "mask.nii.gz", left)
    out = tmp_path / "r"
    detect("--mr", head, "--mask", mask, "--model", model, "--out", out, "--anyway")
    scored = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "scored_mask.nii.gz")))
    assert not scored[left == 0].any()
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["inputs"]["mask"]["from"] == "given"


def test_what_does_not_go_together_is_said_and_nothing_written(
    model: Path, head: Path, tmp_path: Path
) -> None:
    out = tmp_path / "r"
    for words, said in (
        (("--mr", head, "--model", "pet-phantom"), "is of PET, and an MR is given"),
        (("--pet", head, "--model", model), "is of MR (FLAIR), and a PET is given"),
        (("--mr", head, "--model", model, "--ct", head), "--ct is for a PET"),
        (("--mr", head, "--model", model, "--grow", "0.4"), "--grow is for a PET"),
        (("--pet", head, "--mask", head, "--model", model), "no MR is given"),
        (("--mr", head, "--model", model, "--dicom"), "DICOM results are written of PET"),
        (("--mr", head, "--pet", head, "--model", model), "not allowed with argument"),
    ):
        assert said in detect(*words, "--out", out, code=2)
        assert not out.exists()


def test_cohorts_and_calibration_of_a_model_of_mr_are_refused(
    model: Path, head: Path, tmp_path: Path
) -> None:
    out = tmp_path / "r"
    said = detect("--cohort", head.parent, "--model", model, "--out", out, code=2)
    assert "is of MR (FLAIR), and a cohort is of PET" in said
    assert not out.exists()
    words = ("--model", model, "--cohort", head.parent, "--out", tmp_path / "c.json")
    done = run_petanomaly("calibrate", *words)
    assert done.returncode == 2
    assert "--cohort, --familiarity and --regions are of PET" in done.stderr
    assert not (tmp_path / "c.json").exists()


def test_the_list_of_models_says_which_contrast_a_model_is_of(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PETANOMALY_MODELS", str(model.parent))
    lines = run_petanomaly("models", "list").stdout.splitlines()
    assert [line.split()[1:3] for line in lines if model.name in line] == [["MR", "FLAIR"]]


def test_another_contrast_is_told_by_its_name_and_by_its_look(model: Path, tmp_path: Path) -> None:
    _, t1w, _ = draw_head("healthy", 72)
    named = write(tmp_path / "sub-1_T1w.nii.gz", t1w)
    out = tmp_path / "r"
    words = ("--model", model, "--out", out)
    assert "is T1w, as its headers or its name tell" in detect("--mr", named, *words, code=2)
    unnamed = write(tmp_path / "head.nii.gz", t1w)
    assert "contrast" in detect("--mr", unnamed, *words, code=2)
    assert not out.exists()
    detect("--mr", named, *words, "--anyway")
    warnings = json.loads((out / "report.json").read_text(encoding="utf-8"))["warnings"]
    assert any("is T1w" in warning for warning in warnings)


def test_the_map_is_the_papers_residual_in_the_brain_or_its_absolute_value(
    model: Path, head: Path, tmp_path: Path
) -> None:
    """Against the reconstructions as they are kept."""
    for words, expected in (
        ((), lambda difference: np.maximum(difference, 0)),
        (("--all-uptake",), np.abs),
    ):
        out = tmp_path / f"r{len(words)}"
        detect("--mr", head, "--model", model, "--out", out, "--keep-reconstructions", *words)
        with np.load(out / "reconstructions.npz") as kept:
            image, residual = kept["image"], kept["residual"]
            difference = image - kept["reconstructions"].mean(0)
        wanted = expected(difference)
        inside = image > 0  # of the brain only its darkest voxels are 0
        assert np.allclose(residual[inside], wanted[inside], atol=1e-5)
        assert residual.max() > 0
