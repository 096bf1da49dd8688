"""`detect --organs`: three columns more, and nothing else changes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection import detect
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter

SAME = ("residual.nii.gz", "scored_mask.nii.gz", "segmentation.seg.nrrd", "overview.png")


def run(
    study: Path, bundle: Bundle, out: Path, organs: Path | None, anonymous: bool = False
) -> Path:
    settings = DetectionSettings(model=str(bundle.path), device="cpu", anonymous=anonymous)
    return detect(study / "SUV.nii.gz", None, out, settings, SilentReporter(), organs=organs)


def test_findings_are_placed_and_nothing_else_changes(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    bundle = tiny_bundles["autoencoder"]
    plain = run(tiny_study, bundle, tmp_path / "plain", None)
    segments = sitk.ReadImage(str(plain / "segmentation.seg.nrrd"))
    masks = tmp_path / "Jane Doe"
    masks.mkdir()
    sitk.WriteImage(segments == 1, str(masks / "urinary_bladder.nii.gz"))
    placed = run(tiny_study, bundle, tmp_path / "placed", masks)
    for name in SAME:
        assert (placed / name).read_bytes() == (plain / name).read_bytes()
    before = (plain / "findings.csv").read_text().splitlines()
    after = (placed / "findings.csv").read_text().splitlines()
    assert after[0] == before[0] + ",organ,organ_distance_mm,suggestion"
    assert after[1] == before[1] + ",urinary_bladder,0.0000,physiological"
    assert [line.startswith(known + ",") for known, line in zip(before, after)] == [True] * len(
        before
    )

    with (placed / "findings.csv").open() as file:
        others = list(csv.DictReader(file))[1:]
    array, spacing = sitk.GetArrayFromImage(segments), np.array(segments.GetSpacing()[::-1])
    bladder = np.argwhere(array == 1) * spacing
    for row in others:
        own = np.argwhere(array == int(row["number"])) * spacing
        distance = min(np.linalg.norm(bladder - point, axis=1).min() for point in own)
        assert float(row["organ_distance_mm"]) == pytest.approx(distance, abs=1e-4)
        assert row["suggestion"] == ""
    said = json.loads((placed / "report.json").read_text())["inputs"]["organs"]
    assert said == {"path": ".", "form": "folder of masks", "names": ["urinary_bladder"]}
    assert "organs" not in json.loads((plain / "report.json").read_text())["inputs"]


def test_organs_of_another_study_are_refused_and_nothing_is_written(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="does not exist"):
        run(tiny_study, tiny_bundles["autoencoder"], tmp_path / "out", tmp_path / "organs")
    assert not (tmp_path / "out").exists()
