"""Trainings on a stream: the same weights whoever makes the studies, and nothing of them stored."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import torch
from engine_process import environment, petanomaly_command
from PETAnomalyLib.engine import cli
from PETAnomalyLib.engine.commands.training import run_train, stream_of
from PETAnomalyLib.engine.phantom.cohort import write_cohort
from PETAnomalyLib.engine.runtime.errors import Cancelled, InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.cohort_layout import find_studies
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy, write_aligned
from PETAnomalyLib.engine.training.cohort import aligned_studies
from PETAnomalyLib.engine.training.run import train
from PETAnomalyLib.engine.training.stream_settings import StreamSettings
from PETAnomalyLib.engine.training.streamed_phantoms import PhantomSource
from PETAnomalyLib.engine.training.streamed_scans import ScanSource
from repository import MODULE
from safetensors.torch import load_file
from tiny_bundle import FRAME, INTENSITY, write_tiny_bundle
from tiny_training import SECTIONS, configuration, read_log, write_tiny_cohort

STAGES = ("pet-vqgan", "ct-vqgan", "transformer", "autoencoder")
SCANS = StreamSettings(phantoms=False, seed=5)


@pytest.fixture(scope="module")
def cohort(tiny_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_cohort(tmp_path_factory.mktemp("cohort") / "studies", tiny_study)


def run_stage(
    cohort: Path | None, models: Path, name: str, stream: StreamSettings | None, out: str = ""
) -> Path:
    config = configuration(models, name)
    return train(
        SECTIONS[name][0], cohort, config, models / (out or name), None, False, SilentReporter(),
        stream,
    )  # fmt: skip


@pytest.fixture(scope="module")
def models(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name in STAGES:
        run_stage(cohort, folder, name, SCANS)
    return folder


def same(one: Path, other: Path) -> bool:
    """Whether two files of weights are the same to the bit."""
    weights = load_file(one), load_file(other)
    assert weights[0].keys() == weights[1].keys()
    return all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())


def study_of(number: int, folder: Path) -> AlignedStudy:
    """A scan of the cache, deformed."""
    random = np.random.default_rng(3)
    image, ct = random.random((2, 24, 26, 28)).astype(np.float16)
    files = []
    for name in ("a__0", "b__0", "c__0"):
        files.append((name, folder / f"{name}.npz"))
        write_aligned(files[-1][1], {"image": image, "ct": ct, "lesions": image > 0.5})
    return ScanSource(tuple(files), 7)(number).study


def test_scans_come_in_turn_each_time_otherwise(tmp_path: Path) -> None:
    made = [study_of(number, tmp_path) for number in range(6)]
    for turn in (made[:3], made[3:]):
        assert {study.name for study in turn} == {"a__0", "b__0", "c__0"}
    assert len({study.image.tobytes() for study in made}) == 6  # of one image
    again = study_of(4, tmp_path)
    assert again.name == made[4].name
    assert again.image.tobytes() == made[4].image.tobytes()
    assert made[0].image.dtype == np.float16


def test_pet_and_ct_of_a_scan_are_moved_alike(tmp_path: Path) -> None:
    """Of a PET and a CT that show the same, what was made still does: but for intensities."""
    place = np.indices((40, 40, 40)).sum(0) / 120.0
    ball = (np.linalg.norm(np.indices((40, 40, 40)) - 20.0, axis=0) < 12) * place
    file = tmp_path / "a__0.npz"
    write_aligned(file, {"image": ball.astype(np.float16), "ct": ball.astype(np.float16)})
    study = ScanSource((("a__0", file),), 1)(0).study
    assert study.ct is not None
    alike = np.corrcoef(study.image.ravel().astype(float), study.ct.ravel().astype(float))[0, 1]
    moved = np.corrcoef(study.ct.ravel().astype(float), ball.ravel())[0, 1]
    assert alike > 0.999
    assert 0.5 < moved < 0.99
    # Nothing folds: about as much of the ball as there was.
    assert (study.ct > 0.05).sum() == pytest.approx((ball > 0.05).sum(), rel=0.35)


def test_a_scan_that_is_gone_from_the_cache_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a__0\.npz is gone or damaged"):
        ScanSource((("a__0", tmp_path / "a__0.npz"),), 1)(0)


@pytest.mark.slow
def test_every_stage_trains_on_a_stream_and_stores_none_of_it(models: Path) -> None:
    for name in STAGES:
        section = SECTIONS[name][1]
        errors = [entry for entry in read_log(models / name) if "validation" not in str(entry)]
        assert [entry["step"] for entry in errors] == list(range(1, section["steps"] + 1))
        assert json.loads((models / name / "stream.json").read_text())["seed"] == 5
    # The two scans as they are, and of the one that is held out what the transformer is judged by.
    assert len(list((models / "aligned").iterdir())) == 2
    tokens = [file for file in (models / "tokens").rglob("*") if file.is_file()]
    assert len(tokens) == 3  # PET, CT and body
    assert len({file.name.split("-")[0] for file in tokens}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pet-vqgan", "transformer", "autoencoder"])
def test_weights_do_not_depend_on_the_number_of_workers(
    name: str, cohort: Path, models: Path
) -> None:
    three = StreamSettings(phantoms=False, seed=5, processes=3)
    again = run_stage(cohort, models, name, three, f"{name}-three")
    assert same(models / name / "weights.safetensors", again)
    assert read_log(models / f"{name}-three") == read_log(models / name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pet-vqgan", "transformer", "autoencoder"])
def test_a_run_that_was_stopped_and_resumed_is_one_that_was_not_to_the_bit(
    name: str, cohort: Path, models: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, config, out = SECTIONS[name][0], configuration(models, name), models / f"{name}-stopped"
    monkeypatch.setattr("PETAnomalyLib.engine.training.checkpoint.SAVE_EVERY", 1)

    class AfterThreeSteps(SilentReporter):
        def check_cancelled(self) -> None:
            if (out / "log.jsonl").exists() and len(read_log(out)) >= 3:
                raise Cancelled("stopped by the test")

    with pytest.raises(Cancelled):
        train(stage, cohort, config, out, None, False, AfterThreeSteps(), SCANS)
    assert not (out / "weights.safetensors").exists()
    for other in (None, StreamSettings(phantoms=False, seed=6)):
        with pytest.raises(InputError, match="began with a stream of the cohort's scans"):
            train(stage, cohort, config, out, None, True, SilentReporter(), other)
    weights = train(stage, cohort, config, out, None, True, SilentReporter(), SCANS)
    assert same(models / name / "weights.safetensors", weights)
    assert read_log(out) == read_log(models / name)


@pytest.mark.slow
def test_a_run_on_stored_studies_does_not_go_on_with_a_stream(cohort: Path, tmp_path: Path) -> None:
    run_stage(cohort, tmp_path, "autoencoder", None)
    assert not (tmp_path / "autoencoder" / "stream.json").exists()
    config = configuration(tmp_path, "autoencoder", steps=9)
    with pytest.raises(InputError, match="began with studies that are stored"):
        train("autoencoder", cohort, config, tmp_path / "autoencoder", None, True,
              SilentReporter(), SCANS)  # fmt: skip


def test_a_stage_that_cannot_have_a_stream_says_so(tmp_path: Path) -> None:
    config = MODULE / "PETAnomalyLib/engine/families/vae/configs/pet.json"
    stream = StreamSettings(phantoms=True)
    with pytest.raises(InputError, match=r"stage 'vae' has no --stream"):
        train("vae", None, config, tmp_path / "run", None, False, SilentReporter(), stream)
    paced = configuration(tmp_path, "pet-vqgan", gamma=0.9)
    with pytest.raises(InputError, match=r"vqgan\.gamma: is of epochs, and a stream has none"):
        train("vqgan", None, paced, tmp_path / "run", None, False, SilentReporter(), stream)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ("--cohort c --seed 3", "--seed is for --stream"),
        ("--cohort c --seen 1", "--seen is for --stream"),
        ("--cohort c --processes 2", "--processes is for --stream"),
        ("--cohort c --stream --healthy", "--healthy is of phantoms, and --cohort of scans"),
        ("", "train needs studies"),
    ],
)
def test_options_that_do_not_go_together_are_named(options: str, wrong: str) -> None:
    line = f"train vqgan --config f --out o {options}"
    with pytest.raises(InputError, match=wrong):
        run_train(cli.parser().parse_args(line.split()), SilentReporter())


def test_what_a_stream_is_follows_from_the_options() -> None:
    line = "train vqgan --config f --out o --stream"
    for more, wanted in (
        ("", StreamSettings(phantoms=True)),
        ("--cohort c", StreamSettings(phantoms=False)),
        ("--seed 7 --healthy --seen 1 --processes 3", StreamSettings(True, 7, True, 1, 3)),
    ):
        assert stream_of(cli.parser().parse_args(f"{line} {more}".split())) == wanted


@pytest.mark.slow
def test_a_phantom_of_a_stream_is_that_of_a_cohort_on_disk(tmp_path: Path) -> None:
    write_tiny_bundle(tmp_path / "model")
    template = tmp_path / "template.nii.gz"
    write_cohort(tmp_path / "cohort", 1, 31)
    [stored] = aligned_studies(
        find_studies(tmp_path / "cohort"), template, INTENSITY, tmp_path / "aligned",
        SilentReporter(),
    )  # fmt: skip
    made = PhantomSource(29, False, template, INTENSITY)(2)
    assert made.warnings == ()
    assert made.study.name == stored.name
    for one, other in ((made.study.image, stored.image), (made.study.ct, stored.ct)):
        assert one is not None
        assert other is not None
        # NIfTI has the grid in single precision.
        assert np.allclose(one.astype(float), other.astype(float), atol=2e-3)


def test_of_a_phantom_that_cannot_be_aligned_comes_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frame = {"image": np.zeros((2, 2, 2), np.float16)}

    def in_frame(seed: int, *_: object) -> dict[str, np.ndarray]:
        if seed == 3:
            raise InputError("no patient in it")
        return frame

    monkeypatch.setattr("PETAnomalyLib.engine.training.streamed_phantoms._in_frame", in_frame)
    source = PhantomSource(1, False, tmp_path, INTENSITY)
    assert source(1).study.name == "phantom-2__0"
    made = source(2)
    assert made.warnings == ("phantom-3__0 left out: no patient in it",)
    assert made.study.name == f"phantom-{3 + 2**40}__0"


@pytest.mark.slow
def test_phantoms_are_made_and_trained_on_and_none_of_them_is_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HELD_OUT", "TEMPLATE_PHANTOMS"):
        monkeypatch.setattr(f"PETAnomalyLib.engine.training.streamed_phantoms.{name}", 2)
    section = {**SECTIONS["autoencoder"][1], "steps": 3}
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"frame": FRAME, "intensity": INTENSITY, "autoencoder": section}))
    reporter = Listener()
    stream = StreamSettings(phantoms=True, seed=40, healthy=True, seen=1, processes=2)
    out = tmp_path / "runs" / "autoencoder"
    train("autoencoder", None, config, out, None, False, reporter, stream)
    held_out = sorted(file.name.split("-")[1] for file in (tmp_path / "runs/aligned").iterdir())
    assert held_out == ["40__0", "41__0"]
    told = "a stream of healthy phantoms of the seeds from 40 on, each seen once"
    assert f"info: Training on {told}" in reporter.messages
    assert json.loads((out / "stream.json").read_text()) == {
        "sees": told, "phantoms": True, "seed": 40, "healthy": True, "seen": 1,
    }  # fmt: skip
    assert {place.name for place in (tmp_path / "runs").iterdir()} == {
        "aligned", "autoencoder", "template.nii.gz",
    }  # fmt: skip


class Listener(SilentReporter):
    """Keeps what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def log(self, level: str, message: str) -> None:
        self.messages.append(f"{level}: {message}")


def processes_of_session(session: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(ValueError, OSError):
            if os.getsid(int(entry.name)) == session:
                found.append(int(entry.name))
    return found


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("way", ["Ctrl-C", "a worker is killed", "the training is killed"])
def test_a_training_ends_with_words_and_leaves_no_process(
    way: str, cohort: Path, models: Path
) -> None:
    out = models / f"autoencoder-{way.replace(' ', '-')}"
    config = configuration(models, "autoencoder", steps=1_000_000)
    training = subprocess.Popen(
        [
            sys.executable, *petanomaly_command("train", "autoencoder", "--cohort", cohort,
            "--config", config, "--out", out, "--stream", "--processes", 2),
        ],
        env=environment(), stdin=subprocess.DEVNULL, stderr=subprocess.PIPE,
        stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    until = time.monotonic() + 120
    while not (out / "log.jsonl").exists() or len(read_log(out)) < 3:
        assert time.monotonic() < until
        assert training.poll() is None, training.communicate()
        time.sleep(0.05)
    if way == "Ctrl-C":
        os.killpg(training.pid, signal.SIGINT)
    elif way == "the training is killed":
        training.kill()
    else:
        os.kill(a_worker(training.pid), signal.SIGKILL)
    told, err = training.communicate(timeout=60)
    assert "Traceback" not in err
    if way == "Ctrl-C":
        assert training.returncode == 4, err
    elif way == "a worker is killed":
        assert training.returncode == 3, err
        assert "A worker process was ended from outside" in told + err
    until = time.monotonic() + 20
    while processes_of_session(training.pid):
        assert time.monotonic() < until
        time.sleep(0.05)


def a_worker(training: int) -> int:
    """One of the processes that make studies."""
    for process in processes_of_session(training):
        command = Path(f"/proc/{process}/cmdline").read_bytes()
        if b"spawn_main" in command:
            return process
    raise AssertionError("there is no worker")
