"""Training stages on a tiny cohort: from a folder of studies to a bundle, stopped and resumed."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import torch
from lightning_fabric import Fabric
from PETAnomalyLib.engine.families.vqgan_performer import vqgan as vqgan_network
from PETAnomalyLib.engine.families.vqgan_performer.train_vqgan import perplexity, revive_dead_codes
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGANSizes
from PETAnomalyLib.engine.publishing.export import export
from PETAnomalyLib.engine.runtime.errors import Cancelled, InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy, find_studies
from PETAnomalyLib.engine.training.checkpoint import WARM_UP, Run
from PETAnomalyLib.engine.training.cohort import aligned_studies, split_by_patient
from PETAnomalyLib.engine.training.run import train
from PIL import Image
from safetensors.torch import load_file
from tiny_bundle import AUTOENCODER, INTENSITY
from tiny_training import (
    EXPORT_METADATA,
    SECTIONS,
    Interrupted,
    configuration,
    read_log,
    write_tiny_cohort,
)

PICTURES = {
    "vqgan": "reconstructions.png",
    "transformer": "likelihoods.png",
    "autoencoder": "reconstructions.png",
}


@pytest.fixture(scope="module")
def cohort(tiny_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_cohort(tmp_path_factory.mktemp("cohort") / "studies", tiny_study)


def run_stage(cohort: Path, models: Path, name: str, **changes: Any) -> Path:
    config = configuration(models, name, **changes)
    return train(SECTIONS[name][0], cohort, config, models / name, None, False, SilentReporter())


@pytest.fixture(scope="module")
def models(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name in SECTIONS:
        run_stage(cohort, folder, name)
    return folder


@pytest.mark.slow
def test_every_stage_leaves_weights_curves_a_picture_and_its_configuration(models: Path) -> None:
    for name, (stage, section) in SECTIONS.items():
        run = models / name
        assert {path.name for path in run.iterdir()} == {
            "weights.safetensors", "log.jsonl", "config.json", "checkpoint.pt", "tensorboard",
            "curves.png", PICTURES[stage],
        }  # fmt: skip
        steps = [entry["step"] for entry in read_log(run)]
        assert steps == [*range(1, section["steps"] + 1), section["steps"]]  # and a validation
        for picture in ("curves.png", PICTURES[stage]):
            colours = Image.open(run / picture).getcolors(maxcolors=2**24)
            assert colours is not None
            assert len(colours) > 10  # more than paper and ink


@pytest.mark.slow
def test_tensorboard_reads_the_same_curve(models: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    board = EventAccumulator(str(models / "pet-vqgan" / "tensorboard")).Reload()
    logged = [entry["error"] for entry in read_log(models / "pet-vqgan") if "error" in entry]
    assert [event.value for event in board.Scalars("error")] == pytest.approx(logged)
    assert "codes_used" in board.Tags()["scalars"]


@pytest.mark.slow
def test_the_use_of_the_codebook_is_reported(models: Path) -> None:
    [validated] = [entry for entry in read_log(models / "ct-vqgan") if "codes_used" in entry]
    assert 1 <= validated["validation_perplexity"] <= validated["codes_used"] <= 16


@pytest.mark.slow
def test_runs_of_one_model_share_one_template_and_one_cache(models: Path) -> None:
    assert (models / "template.nii.gz").exists()
    assert len(list((models / "aligned").glob("*.npz"))) == 2


@pytest.mark.slow
def test_a_study_written_anew_under_its_old_name_is_aligned_anew(
    cohort: Path, models: Path, tmp_path: Path
) -> None:
    """As when a conversion to SUV was wrong, and the cohort was converted again."""
    shutil.copytree(cohort, tmp_path / "cohort")
    study = find_studies(tmp_path / "cohort")[0]
    intensity = json.loads((models / "pet-vqgan" / "config.json").read_text())["intensity"]

    def pet() -> np.ndarray:
        template, cache = models / "template.nii.gz", tmp_path / "aligned"
        return aligned_studies([study], template, intensity, cache, SilentReporter())[0].image

    before = pet()
    assert np.array_equal(pet(), before)
    [kept] = (tmp_path / "aligned").iterdir()
    kept.write_bytes(kept.read_bytes()[:1000])  # as a power cut leaves it
    assert np.array_equal(pet(), before)
    sitk.WriteImage(sitk.ReadImage(str(study.pet)) * 1.5, str(study.pet))
    assert pet().mean() > 1.1 * before.mean()


class Warned(SilentReporter):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def log(self, level: str, message: str) -> None:
        self.messages.append(f"{level}: {message}")


def test_a_study_that_cannot_be_used_is_named_and_left_out(
    cohort: Path, models: Path, tmp_path: Path
) -> None:
    shutil.copytree(cohort, tmp_path / "cohort")
    bad, good = find_studies(tmp_path / "cohort")
    sitk.WriteImage(sitk.ReadImage(str(bad.pet)) * 0.0, str(bad.pet))
    reporter = Warned()
    template, cache = models / "template.nii.gz", tmp_path / "aligned"
    aligned = aligned_studies([bad, good], template, INTENSITY, cache, reporter)
    assert [study.name for study in aligned] == [good.name]
    [message] = reporter.messages
    assert message.startswith(f"warning: {bad.name} left out: ")
    assert "constant" in message


@pytest.mark.slow
def test_a_cancel_while_studies_are_aligned_leaves_the_rest_undone(
    cohort: Path, models: Path, tmp_path: Path
) -> None:
    for patient in range(16):
        shutil.copytree(cohort / "patient-2", tmp_path / "cohort" / f"patient-{patient}")
    studies, cache = find_studies(tmp_path / "cohort"), tmp_path / "aligned"

    class AfterTheFirst(SilentReporter):
        def check_cancelled(self) -> None:
            if list(cache.glob("*.npz")):
                raise Cancelled("stopped by the test")

    with pytest.raises(Cancelled):
        aligned_studies(studies, models / "template.nii.gz", INTENSITY, cache, AfterTheFirst())
    assert 1 <= len(list(cache.glob("*.npz"))) < len(studies)


def test_a_finished_model_becomes_a_bundle_that_verifies(models: Path, tmp_path: Path) -> None:
    card = tmp_path / "card.md"
    card.write_text("# Tiny\n")
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
        "metadata": EXPORT_METADATA,
    }  # fmt: skip
    config = tmp_path / "tiny.json"
    config.write_text(json.dumps(settings))
    calibration = tmp_path / "calibration.json"
    calibrated = {**settings["thresholds"], "min_bandwidth": 0.04}  # type: ignore[dict-item]  # a dict
    curves = {"min_bandwidth": [[0.02, 0.3], [0.04, 0.4]]}
    calibration.write_text(json.dumps({"thresholds": calibrated, "curves": curves}))
    bundle = export(config, models, tmp_path / "bundle", calibration)
    assert bundle.thresholds["min_bandwidth"] == 0.04
    kept = json.loads((bundle.path / "configs" / "calibration.json").read_text())
    assert kept["curves"] == curves
    assert "configs/calibration.json" in (bundle.path / "SHA256SUMS").read_text()
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


def test_a_run_that_has_no_checkpoint_yet_resumes_from_the_beginning(
    cohort: Path, models: Path
) -> None:
    config, run = configuration(models, "autoencoder"), models / "autoencoder-unbegun"
    with pytest.raises(Cancelled):
        train("autoencoder", cohort, config, run, None, False, Interrupted(after=3))
    train("autoencoder", cohort, config, run, None, True, SilentReporter())
    assert read_log(run) == read_log(models / "autoencoder")


def test_a_run_that_goes_on_without_masking_rounds_trains_on_all_tokens(
    cohort: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PETAnomalyLib.engine.training.checkpoint.SAVE_EVERY", 1)
    run = models / "transformer-unmasked"
    masking = configuration(models, "transformer", masking_threshold=0.2)
    with pytest.raises(Cancelled):
        train("transformer", cohort, masking, run, None, False, Interrupted(after=3))
    assert read_log(run)[-1]["marked"] > 0
    before = len(read_log(run))
    config = configuration(models, "transformer", masking_rounds=[])
    train("transformer", cohort, config, run, None, True, SilentReporter())
    after = [entry for entry in read_log(run)[before:] if "marked" in entry]
    assert after
    assert all(entry["marked"] == 0 for entry in after)


def test_a_run_is_never_overwritten_by_mistake(cohort: Path, models: Path) -> None:
    with pytest.raises(InputError, match="holds a training run already"):
        run_stage(cohort, models, "autoencoder")


def test_what_is_wrong_in_the_configuration_is_named_before_the_cohort_is_read(
    tmp_path: Path,
) -> None:
    with pytest.raises(InputError, match=r"autoencoder\.stepps: is unknown"):
        run_stage(tmp_path / "nowhere", tmp_path, "autoencoder", stepps=3)
    assert not (tmp_path / "autoencoder").exists()


def test_a_run_that_cannot_be_written_is_refused(cohort: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    config = configuration(tmp_path, "autoencoder")
    out = tmp_path / "file" / "run"
    with pytest.raises(InputError, match="file/run cannot be written: Not a directory"):
        train("autoencoder", cohort, config, out, None, False, SilentReporter())


@pytest.mark.parametrize("kept", [0, 1000])
def test_a_damaged_checkpoint_is_named(kept: int, cohort: Path, models: Path) -> None:
    run = Path(shutil.copytree(models / "autoencoder", models / f"autoencoder-{kept}"))
    checkpoint = run / "checkpoint.pt"
    checkpoint.write_bytes(checkpoint.read_bytes()[:kept])
    config = configuration(models, "autoencoder", steps=9)
    with pytest.raises(InputError, match=r"checkpoint\.pt is damaged"):
        train("autoencoder", cohort, config, run, None, True, SilentReporter())


class Bomb:
    """Makes a folder where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.mark),)


def test_a_run_folder_from_elsewhere_runs_no_code(
    cohort: Path, models: Path, tmp_path: Path
) -> None:
    run = Path(shutil.copytree(models / "autoencoder", models / "autoencoder-foreign"))
    state = torch.load(run / "checkpoint.pt", weights_only=True)
    torch.save({**state, "network": Bomb(tmp_path / "ran")}, run / "checkpoint.pt")
    config = configuration(models, "autoencoder", steps=9)
    with pytest.raises(InputError, match="could run code"):
        train("autoencoder", cohort, config, run, None, True, SilentReporter())
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("name", ["pet-vqgan", "transformer", "autoencoder"])
def test_the_checkpoint_of_another_stage_is_refused(name: str, cohort: Path, models: Path) -> None:
    run = Path(shutil.copytree(models / name, models / f"{name}-mixed"))
    other = "autoencoder" if name != "autoencoder" else "transformer"
    shutil.copy(models / other / "checkpoint.pt", run)
    config = configuration(models, name, steps=9)
    with pytest.raises(InputError, match=r"checkpoint\.pt is not of this run"):
        train(SECTIONS[name][0], cohort, config, run, None, True, SilentReporter())


@pytest.mark.parametrize(
    ("name", "changes", "key"),
    [
        ("autoencoder", {"sizes": {**AUTOENCODER, "bottleneck": 6}}, "autoencoder.sizes"),
        ("pet-vqgan", {"modality": "ct"}, "vqgan.modality"),
        ("transformer", {"ct_vqgan": "pet-vqgan"}, "transformer.ct_vqgan"),
    ],
)
def test_a_run_goes_on_with_the_network_that_it_began_with(
    name: str, changes: dict[str, Any], key: str, cohort: Path, models: Path, tmp_path: Path
) -> None:
    run = models / name
    before = (run / "config.json").read_bytes()
    config = configuration(tmp_path, name, steps=9, **changes)
    with pytest.raises(InputError, match=f"key {key}: is not what .*{name} began with"):
        train(SECTIONS[name][0], cohort, config, run, None, True, SilentReporter())
    assert (run / "config.json").read_bytes() == before


def test_a_run_goes_on_with_its_own_copy_of_the_configuration(cohort: Path, models: Path) -> None:
    run = models / "autoencoder"
    before = (run / "config.json").read_bytes()
    config = run / "config.json"
    train("autoencoder", cohort, config, run, None, True, SilentReporter())
    assert config.read_bytes() == before


def test_a_stage_that_needs_ct_names_the_studies_without_before_any_is_aligned(
    cohort: Path, models: Path, tmp_path: Path
) -> None:
    studies = Path(shutil.copytree(cohort, tmp_path / "studies"))
    (studies / "patient-2" / "0" / "CTres.nii.gz").unlink()
    for name in ("pet-vqgan", "ct-vqgan"):
        shutil.copytree(models / name, tmp_path / "runs" / name)
    for name, section in (("ct", "ct-vqgan"), ("tokens", "transformer")):
        stage, config = SECTIONS[section][0], configuration(tmp_path / "runs", section)
        out = tmp_path / "runs" / name
        with pytest.raises(
            InputError, match="1 of the cohort's 2 studies have no CT: patient-2__0"
        ):
            train(stage, studies, config, out, None, False, SilentReporter())
    assert not (tmp_path / "runs" / "template.nii.gz").exists()
    assert not (tmp_path / "runs" / "aligned").exists()


def test_a_transformer_without_a_finished_vqgan_is_refused_before_any_study_is_aligned(
    cohort: Path, models: Path, tmp_path: Path
) -> None:
    shutil.copytree(models / "pet-vqgan", tmp_path / "pet-vqgan")
    shutil.copytree(models / "ct-vqgan", tmp_path / "ct-vqgan")
    (tmp_path / "ct-vqgan" / "weights.safetensors").unlink()
    with pytest.raises(InputError, match=r"ct-vqgan has no weights\.safetensors"):
        run_stage(cohort, tmp_path, "transformer")
    assert not (tmp_path / "template.nii.gz").exists()
    assert not (tmp_path / "aligned").exists()


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
    with torch.no_grad():
        encodings = network.encoder(images).movedim(1, -1).reshape(-1, 8)
    assert revive_dead_codes(network, encodings, seed=1) == 6
    codes = network.quantizer.embedding.weight[10:]
    assert torch.cdist(codes.double(), encodings.double()).min(1).values.max() < 1e-5
    assert revive_dead_codes(network, encodings, seed=2) == 0


def test_the_learning_rate_warms_up_and_ends_at_zero(tmp_path: Path) -> None:
    run = Run(tmp_path, steps=1000, minutes=None, fabric=Fabric(accelerator="cpu", devices=1))
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    rates = []
    for step in range(1001):
        run.step = step
        run.set_learning_rate(optimizer, 2.0)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates[0] == pytest.approx(2.0 / WARM_UP)
    assert max(rates) == rates[WARM_UP - 1]
    assert rates[525] == pytest.approx(1.0 - np.sin(np.pi * 0.025), abs=1e-12)
    assert rates[1000] == pytest.approx(0.0)
    assert run.progress() == 1.0
