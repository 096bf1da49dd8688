"""Paper 4's post-processing by `petanomaly detect --mr`: its objects are the findings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from absent_package import make_absent
from ellipsoid_heads import SPACING_MM, draw_head
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.cli import main
from tiny_head_bundles import write_tiny_head_bundle

OBJECTS: dict[str, Any] = {
    "eroded_edge": 1, "threshold": 0.5, "kept": 3, "dilated_edge": 3, "classes": 5,
    "of_volume": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    folder = tmp_path_factory.mktemp("models") / "tiny-objects"
    return write_tiny_head_bundle(folder, "ano-swinmae", sizes={"mask": 10}, objects=OBJECTS)


@pytest.fixture(scope="module")
def head(tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = sitk.GetImageFromArray(draw_head("mass", 71)[0])
    image.SetSpacing([SPACING_MM] * 3)
    path = tmp_path_factory.mktemp("head") / "FLAIR.nii.gz"
    sitk.WriteImage(image, str(path))
    return path


@pytest.mark.slow
def test_findings_are_its_objects(bundle: Bundle, head: Path, tmp_path: Path) -> None:
    out = tmp_path / "r"
    words = ["detect", "--mr", str(head), "--model", str(bundle.path), "--out", str(out)]
    assert main([*words, "--min-volume", "0"]) == 0
    score = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "residual.nii.gz")))
    labels = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "segmentation.seg.nrrd")))
    scored = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "scored_mask.nii.gz"))) > 0
    assert score.min() >= 0
    assert score.max() <= 1
    assert np.array_equal(labels > 0, (score > 0.5) & scored)
    # Three objects, of which resampling may cut some in two.
    assert 1 <= json.loads((out / "report.json").read_text())["findings"]["count"] <= 6


def test_without_scikit_learn_it_is_said_before_anything_is_read(
    bundle: Bundle,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make_absent("sklearn", (), monkeypatch)
    words = ["detect", "--mr", str(tmp_path / "no.nii.gz"), "--model", str(bundle.path)]
    assert main([*words, "--out", str(tmp_path / "r")]) == 2
    assert "pip install scikit-learn" in capsys.readouterr().err
    assert not (tmp_path / "r").exists()
