"""A family that only the tests have goes the whole way without a line changed elsewhere."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles import kinds
from PETAnomalyLib.engine.bundles.manifest import check_manifest
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.runtime.errors import BundleError
from repository import TESTING
from tiny_bundle import write_tiny_study

FAMILY = TESTING / "support" / "toy_family"


@pytest.fixture(scope="module")
def registered() -> Iterator[None]:
    """The family is entered, and out again afterwards."""
    kind = importlib.import_module("toy_family.kind")
    if "toy" not in kinds.FAMILIES:  # imported before, in this process
        kinds.register(kind.FAMILY)
    yield
    del kinds._families["toy"]


@pytest.fixture(scope="module")
def bundle(registered: None, tmp_path_factory: pytest.TempPathFactory) -> Path:  # noqa: ARG001
    """Trained and exported by the command line."""
    place = tmp_path_factory.mktemp("toy")
    for patient, seed in (("a", 3_000_001), ("b", 3_000_003)):
        write_tiny_study(place / "scans" / patient / "0", seed=seed)
    config = FAMILY / "configs" / "toy.json"
    train = ["train", "blur", "--cohort", str(place / "scans"), "--config", str(config)]
    assert main([*train, "--out", str(place / "runs" / "blur")]) == 0
    texts = FAMILY / "bundles" / "toy.json"
    export = ["export", "--config", str(texts), "--runs", str(place / "runs")]
    assert main([*export, "--out", str(place / "models" / "toy")]) == 0
    return place / "models" / "toy"


@pytest.mark.slow
def test_it_is_trained_exported_and_verified(
    bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["models", "verify", str(bundle)]) == 0
    assert f"{bundle}: every file is there" in capsys.readouterr().err
    manifest = json.loads((bundle / "configs" / "metadata.json").read_text())
    assert manifest["petanomaly"]["healer"] == {"family": "toy", "blur": {"kernel": 3}}


@pytest.mark.slow
def test_it_detects(bundle: Path, tmp_path: Path) -> None:
    study = bundle.parents[1] / "scans" / "a" / "0"
    detect = ["detect", "--pet", str(study / "SUV.nii.gz"), "--model", str(bundle)]
    assert main([*detect, "--out", str(tmp_path / "result"), "--keep-reconstructions"]) == 0
    pet = sitk.ReadImage(str(study / "SUV.nii.gz"))
    for scorer in ("kde", "zscore", "residual"):
        score = sitk.ReadImage(str(tmp_path / "result" / f"{scorer}.nii.gz"))
        assert score.GetSize() == pet.GetSize()
    with np.load(tmp_path / "result" / "reconstructions.npz") as kept:
        assert kept["reconstructions"].shape[0] == 4
        assert "resampling_mask" not in kept  # it has no tokens
    with (tmp_path / "result" / "findings.csv").open() as rows:
        assert next(csv.reader(rows))[0] == "number"


@pytest.mark.slow
def test_the_panels_list_shows_it(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("PySide6")
    pytest.importorskip("slicer")
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    harness = importlib.import_module("harness")
    harness.start()
    models = importlib.import_module("PETAnomalyLib.panel.environment.models")
    monkeypatch.setenv("PETANOMALY_MODELS", str(bundle.parent))
    (found,) = [model for model in models.InstalledModels().all() if model.name == "toy"]
    assert models.whyNoScorer(found, "kde") == ""
    assert "Toy (blurred)" in (found.title, models.card(found))


@pytest.mark.slow
def test_its_sizes_are_bounded_like_anybodys(bundle: Path) -> None:
    manifest = json.loads((bundle / "configs" / "metadata.json").read_text())
    for kernel, complaint in ((10, "1 to 9"), ("$import os", "must be a number")):
        manifest["petanomaly"]["healer"]["blur"]["kernel"] = kernel
        with pytest.raises(BundleError, match=complaint):
            check_manifest(manifest)


def test_two_families_cannot_share_a_name(registered: None) -> None:  # noqa: ARG001
    with pytest.raises(ValueError, match="two families enter 'toy'"):
        kinds.register(kinds.FAMILIES["toy"])
