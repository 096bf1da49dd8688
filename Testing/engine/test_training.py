"""Training stages on a tiny cohort: from a folder of studies to a bundle, stopped and resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PETAnomalyLib.engine.errors import Cancelled, InputError
from PETAnomalyLib.engine.events import SilentReporter
from PETAnomalyLib.engine.networks import vqgan as vqgan_network
from PETAnomalyLib.engine.networks.vqgan import VQGANSizes
from PETAnomalyLib.engine.training.augmentation import shifted
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.cohort import split_by_patient
from PETAnomalyLib.engine.training.cohort_layout import CohortStudy, find_studies
from PETAnomalyLib.engine.training.export import export
from PETAnomalyLib.engine.training.run import train
from PETAnomalyLib.engine.training.vqgan import perplexity, revive_dead_codes
from safetensors.torch import load_file
from tiny_bundle import AUTOENCODER, FRAME, INTENSITY, PERFORMER, VQGAN, write_tiny_study

SECTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "pet-vqgan": (
        "vqgan",
        {"modality": "pet", "sizes": VQGAN, "steps": 6, "batch": 2, "crop": 16},
    ),
    "ct-vqgan": (
        "vqgan",
        {"modality": "ct", "sizes": VQGAN, "steps": 3, "batch": 2, "crop": 16},
    ),
    "transformer": (
        "transformer",
        {
            "pet_vqgan": "pet-vqgan",
            "ct_vqgan": "ct-vqgan",
            "sizes": PERFORMER,
            "steps": 6,
            "hidden_share": 0.3,
            "masking_rounds": [0.3, 0.7],
            "masking_threshold": 0.05,
        },
    ),
    "autoencoder": ("autoencoder", {"sizes": AUTOENCODER, "steps": 6, "batch": 1}),
}


class Interrupted(SilentReporter):
    """Stops the run after a number of questions whether to."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def check_cancelled(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Cancelled("stopped by the test")


@pytest.fixture(scope="module")
def cohort(tiny_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    (folder / "patient-1" / "0").parent.mkdir()
    (folder / "patient-1" / "0").symlink_to(tiny_study, target_is_directory=True)
    write_tiny_study(folder / "patient-2" / "0", seed=3_000_003)
    return folder


def configuration(folder: Path, name: str, **changes: Any) -> Path:
    stage, section = SECTIONS[name]
    path = folder / f"{name}.json"
    path.write_text(
        json.dumps({"frame": FRAME, "intensity": INTENSITY, stage: {**section, **changes}})
    )
    return path


def run_stage(cohort: Path, models: Path, name: str, **changes: Any) -> Path:
    config = configuration(models, name, **changes)
    return train(SECTIONS[name][0], cohort, config, models / name, None, False, SilentReporter())


@pytest.fixture(scope="module")
def models(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name in SECTIONS:
        run_stage(cohort, folder, name)
    return folder


def curve(run: Path, value: str) -> list[float]:
    entries = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [entry[value] for entry in entries if value in entry]


def test_every_stage_leaves_weights_a_curve_and_its_configuration(models: Path) -> None:
    for name in SECTIONS:
        files = {path.name for path in (models / name).iterdir()}
        assert files == {"weights.safetensors", "log.jsonl", "config.json", "checkpoint.pt"}


def test_runs_of_one_model_share_one_template_and_one_cache(models: Path) -> None:
    assert (models / "template.nii.gz").exists()
    assert len(list((models / "aligned").glob("*.npz"))) == 2


def test_a_finished_model_becomes_a_bundle_that_verifies(models: Path, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("# Tiny\n")
    texts = (
        "version", "task", "description", "authors", "copyright", "license", "intended_use",
        "data_source",
    )  # fmt: skip
    settings = {
        "family": "vqgan-performer",
        "networks": {
            "pet_vqgan": "pet-vqgan", "ct_vqgan": "ct-vqgan", "transformer": "transformer",
        },
        "title": "Tiny",
        "card": "card.md",
        "thresholds": {
            "resampling": 0.01, "min_bandwidth": 0.02, "epsilon_percentile": 50,
            "scorers": {"kde": 3.0, "zscore": 3.0, "residual": 0.1},
        },
        "scorers": ["kde", "zscore", "residual"],
        "sampling": {"samples": 2, "decodes": 2},
        "min_volume_ml": 0.5,
        "metadata": {"name": "tiny", **dict.fromkeys(texts, "test")},
    }  # fmt: skip
    config = tmp_path / "tiny.json"
    config.write_text(json.dumps(settings))
    calibration = tmp_path / "calibration.json"
    calibrated = {**settings["thresholds"], "min_bandwidth": 0.04}  # type: ignore[dict-item]  # a dict
    calibration.write_text(json.dumps({"thresholds": calibrated}))
    bundle = export(config, models, tmp_path / "bundle", calibration)
    assert bundle.thresholds["min_bandwidth"] == 0.04
    weights = load_file(bundle.weights["transformer"])
    assert "layers.0.self_attention.directions" in weights  # FAVOR+ features travel with it
    assert bundle.path.joinpath("docs", "README.md").read_text() == "# Tiny\n"


@pytest.mark.parametrize("name", ["pet-vqgan", "transformer", "autoencoder"])
def test_a_run_that_was_stopped_and_resumed_ends_like_one_that_was_not(
    name: str, cohort: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = SECTIONS[name][0]
    config = configuration(models, name)
    stopped = models / f"{name}-stopped"
    # A checkpoint after every step: as if the kill came right after one.
    monkeypatch.setattr("PETAnomalyLib.engine.training.checkpoint.SAVE_EVERY", 1)
    with pytest.raises(Cancelled):
        train(stage, cohort, config, stopped, None, False, Interrupted(after=3))
    assert not (stopped / "weights.safetensors").exists()
    train(stage, cohort, config, stopped, None, True, SilentReporter())
    whole, resumed = (load_file(run / "weights.safetensors") for run in (models / name, stopped))
    for key, value in whole.items():
        assert torch.allclose(value.double(), resumed[key].double(), rtol=1e-4, atol=1e-6), key


def test_a_run_is_never_overwritten_by_mistake(cohort: Path, models: Path) -> None:
    with pytest.raises(InputError, match="holds a training run already"):
        run_stage(cohort, models, "autoencoder")


def test_an_unknown_key_of_the_configuration_is_named(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="unknown key 'stepps'"):
        run_stage(cohort, tmp_path, "autoencoder", stepps=3)


def test_a_folder_without_studies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no study"):
        find_studies(tmp_path)


def test_no_patient_is_in_training_and_validation() -> None:
    studies = [
        CohortStudy(f"p{patient}", f"p{patient}__{number}", Path("x"), None, None)
        for patient in range(20)
        for number in range(2)
    ]
    training, validation = split_by_patient(studies, 0.2, seed=3)
    patients = [{s.patient for s in part} for part in (training, validation)]
    assert len(patients[1]) == 4
    assert not patients[0] & patients[1]
    assert len(training) + len(validation) == len(studies)
    assert split_by_patient(studies, 0.2, seed=3)[1] == validation


def test_perplexity_is_1_for_a_single_code_and_the_codebooks_size_for_even_use() -> None:
    assert perplexity(torch.zeros(1000, dtype=torch.long), 16) == pytest.approx(1.0)
    assert perplexity(torch.arange(1600) % 16, 16) == pytest.approx(16.0)


def test_dead_codes_are_given_real_encodings() -> None:
    torch.manual_seed(0)
    network = vqgan_network.VQGAN(VQGANSizes((4, 6), 16, 8, 1))
    images = torch.rand(2, 1, 16, 16, 16)
    network.quantizer.ema_cluster_size[:] = torch.tensor([100.0] * 10 + [0.0] * 6)
    assert revive_dead_codes(network, images) == 6
    with torch.no_grad():
        encodings = network.encoder(images).movedim(1, -1).reshape(-1, 8)
    codes = network.quantizer.embedding.weight[10:]
    assert torch.cdist(codes.double(), encodings.double()).min(1).values.max() < 1e-5
    assert revive_dead_codes(network, images) == 0


def test_volumes_are_shifted_together_and_by_whole_voxels() -> None:
    volume = np.random.default_rng(0).random((6, 7, 8))
    one, other = shifted([volume, 2 * volume], 2, np.random.default_rng(1))
    assert np.array_equal(2 * one, other)
    cut = [slice(2, -2)] * 3
    inner = volume[tuple(cut)]
    positions = [
        (z, y, x)
        for z in range(-2, 3)
        for y in range(-2, 3)
        for x in range(-2, 3)
        if np.array_equal(
            one[2 : 2 + inner.shape[0], 2 : 2 + inner.shape[1], 2 : 2 + inner.shape[2]],
            volume[2 + z : 4 + z, 2 + y : 5 + y, 2 + x : 6 + x],
        )
    ]
    assert len(positions) == 1


def test_the_learning_rate_warms_up_and_ends_at_zero(tmp_path: Path) -> None:
    run = Run(tmp_path, steps=100, minutes=None)
    rates = []
    for step in range(101):
        run.step = step
        rates.append(run.learning_rate(1.0, warmup=10))
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == rates[9]
    assert rates[100] == pytest.approx(0.0)
    assert run.progress() == 1.0
