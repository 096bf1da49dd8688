"""Every family of slices goes the whole way by the command line: train, export, verify, detect."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.runtime.errors import Cancelled
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.training.run import train
from repository import MODULE
from safetensors.numpy import load_file
from slice_networks import SMALL
from tiny_bundle import FRAME, INTENSITY, write_tiny_study
from tiny_training import Interrupted

COLUMNS, ROWS, SLICES = FRAME["size_voxels"]
FAMILIES_FOLDER = MODULE / "PETAnomalyLib" / "engine" / "families"
FOLDER = {family: FAMILIES_FOLDER / family.replace("-", "_") for family in SMALL}
STAGE = {family: next(iter(FAMILIES[family].stages)) for family in SMALL}
OF_STAGE: dict[str, dict[str, Any]] = {
    "vqgan": {"adversarial_from": 0.5, "discriminator_channels": 4, "discriminator_layers": 2}
}
"""What the slices of these tests are too small for the defaults of."""


@pytest.fixture(scope="module")
def scans(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("slices") / "scans"
    for patient, seed in (("a", 3_000_001), ("b", 3_000_003)):
        write_tiny_study(place / patient / "0", seed=seed)
    return place


def configuration(folder: Path, family: str, axis: int = 0, **more: Any) -> Path:
    plane = [n for place, n in enumerate((SLICES, ROWS, COLUMNS)) if place != axis]
    section = {
        "sizes": {**SMALL[family], "size": plane, "axis": axis}, "steps": 4, "batch": 2,
        **OF_STAGE.get(family, {}), **more,
    }  # fmt: skip
    path = folder / f"{family}.json"
    path.write_text(json.dumps({"frame": FRAME, "intensity": INTENSITY, STAGE[family]: section}))
    return path


def trained(family: str, scans: Path, folder: Path, *more: str, axis: int = 0) -> Path:
    run = folder / "runs" / family
    config = configuration(folder, family, axis)
    train = ["train", STAGE[family], "--cohort", str(scans), "--config", str(config)]
    assert main([*train, "--out", str(run), *more]) == 0
    return run


@pytest.mark.slow
@pytest.mark.parametrize(("family", "axis"), [*((family, 0) for family in SMALL), ("vae", 1)])
def test_it_is_trained_exported_verified_and_detects(
    family: str, axis: int, scans: Path, tmp_path: Path
) -> None:
    trained(family, scans, tmp_path, axis=axis)
    texts = FOLDER[family] / "bundles" / "pet.json"
    model = tmp_path / "model"
    export = ["export", "--config", str(texts), "--runs", str(tmp_path / "runs")]
    assert main([*export, "--out", str(model)]) == 0
    assert main(["models", "verify", str(model)]) == 0
    pet = scans / "a" / "0" / "SUV.nii.gz"
    detect = ["detect", "--pet", str(pet), "--model", str(model), "--out", str(tmp_path / "result")]
    assert main([*detect, "--keep-reconstructions"]) == 0
    maps = {path.name.split(".")[0] for path in (tmp_path / "result").glob("*.nii.gz")}
    many = FAMILIES[family].gives_many_reconstructions
    assert maps == {"residual", "scored_mask"} | ({"kde", "zscore"} if many else set())
    residual = sitk.ReadImage(str(tmp_path / "result" / "residual.nii.gz"))
    assert residual.GetSize() == sitk.ReadImage(str(pet)).GetSize()
    with np.load(tmp_path / "result" / "reconstructions.npz") as kept:
        assert kept["reconstructions"].shape == (16 if many else 1, SLICES, ROWS, COLUMNS)
    with (tmp_path / "result" / "findings.csv").open() as rows:
        assert next(csv.reader(rows))[0] == "number"


@pytest.mark.slow
@pytest.mark.parametrize(
    "family", ["vae", "vq-vae", "vqgan", "f-anogan", "h-tae-s", "auto-ddpm", "ano-swinmae"]
)
def test_a_training_that_was_stopped_ends_with_the_same_weights(
    family: str, scans: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PETAnomalyLib.engine.training.checkpoint.SAVE_EVERY", 1)
    config = configuration(tmp_path, family)
    stopped, whole = tmp_path / "runs" / "stopped", tmp_path / "runs" / "whole"
    train(STAGE[family], scans, config, whole, None, False, SilentReporter())
    with pytest.raises(Cancelled):
        train(STAGE[family], scans, config, stopped, None, False, Interrupted(after=2))
    train(STAGE[family], scans, config, stopped, None, True, SilentReporter())
    expected, found = (load_file(run / "weights.safetensors") for run in (whole, stopped))
    assert expected.keys() == found.keys()
    for name, values in expected.items():
        assert found[name] == pytest.approx(values, rel=1e-4, abs=1e-6), name


@pytest.mark.parametrize("family", SMALL)
def test_the_shipped_configuration_and_texts_fit_each_other(family: str) -> None:
    folder = FOLDER[family]
    config = json.loads((folder / "configs" / "pet.json").read_text())
    texts = json.loads((folder / "bundles" / "pet.json").read_text())
    columns, rows, slices = config["frame"]["size_voxels"]
    known = FAMILIES[family]
    assert (
        known.misfit({"autoencoder": config[STAGE[family]]["sizes"]}, (slices, rows, columns))
        is None
    )
    assert texts["family"] == family
    assert tuple(texts["scorers"]) == known.scorers
    assert (folder / "bundles" / texts["card"]).is_file()
    assert (folder / "README.md").is_file()
