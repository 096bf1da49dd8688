"""Training as real processes: killed at random moments and resumed, and two instead of one."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from engine_process import Runs, environment, petanomaly_command
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.training.run import train
from tiny_training import SECTIONS, configuration, read_log, write_tiny_cohort

# Long enough for a checkpoint in mid-run, for codes to be revived and for the discriminator.
STAGES: dict[str, dict[str, Any]] = {
    "pet-vqgan": {"steps": 70, "batch": 2, "adversarial_from": 0.8},
    "transformer": {"steps": 70, "batch": 2},
    "autoencoder": {"steps": 70, "batch": 2},
}

SECONDS = 900  # the longest that a process may take, on a machine that is busy with others
SAME = 0.0  # one process does the same sums in the same order
# Two processes add up in another order, which is 4e-7 of the loss after these steps (measured).
SAME_BUT_FOR_ROUNDING = 1e-4


@pytest.fixture(scope="module")
def cohort(tiny_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_cohort(tmp_path_factory.mktemp("cohort") / "studies", tiny_study)


@pytest.fixture(scope="module")
def models(cohort: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every stage trained without interruption in one process."""
    folder = tmp_path_factory.mktemp("runs")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the processes: other numbers of them round otherwise
    for name in SECTIONS:
        config = configuration(folder, name, **STAGES.get(name, {}))
        train(SECTIONS[name][0], cohort, config, folder / name, None, False, SilentReporter())
    torch.set_num_threads(threads)
    return folder


@pytest.fixture(scope="module")
def runs() -> Iterator[Runs]:
    with contextlib.closing(Runs("PETAnomalyLib.engine.training.run")) as started:
        yield started


def train_words(cohort: Path, models: Path, name: str, run: Path) -> list[str]:
    config = models / f"{name}.json"
    words = ["train", SECTIONS[name][0], "--cohort", cohort, "--config", config, "--out", run]
    return [str(word) for word in words]


def train_command(cohort: Path, models: Path, name: str, run: Path) -> list[str]:
    return petanomaly_command(*train_words(cohort, models, name, run))


def start(arguments: list[str], log: Path, **more: str) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**environment(), **more},
            start_new_session=True,
        )


def finish(process: subprocess.Popen[bytes], log: Path) -> None:
    try:
        assert process.wait(SECONDS) == 0, log.read_text()
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def steps_done(run: Path) -> int:
    log = run / "log.jsonl"
    return len(log.read_bytes().splitlines()) if log.exists() else 0


def assert_same_curves(run: Path, reference: Path, tolerance: float) -> None:
    found, expected = read_log(run), read_log(reference)
    assert [entry.keys() for entry in found] == [entry.keys() for entry in expected]
    for one, other in zip(found, expected):
        assert one == pytest.approx(other, rel=tolerance, abs=tolerance / 1000)


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
@pytest.mark.parametrize("name", STAGES)
def test_a_run_killed_at_random_moments_and_resumed_ends_like_one_that_was_not(
    name: str, cohort: Path, models: Path, runs: Runs, tmp_path: Path
) -> None:
    run, log = models / f"{name}-killed", tmp_path / "log"
    words = [*train_words(cohort, models, name, run), "--resume"]
    moments = random.Random()
    # Before the first checkpoint, and after it.
    for step in (moments.randrange(0, 50), moments.randrange(50, 70)):
        process = runs.start(words, log)
        while runs.is_running(process) and steps_done(run) <= step:
            time.sleep(0.005)
        time.sleep(moments.uniform(0.0, 0.05))
        with contextlib.suppress(ProcessLookupError):  # it was done before
            os.killpg(process, signal.SIGKILL)
        assert runs.status() in (0, signal.SIGKILL), log.read_text()
    runs.start(words, log)
    assert runs.status() == 0, log.read_text()
    assert_same_curves(run, models / name, SAME)


@pytest.mark.slow
@pytest.mark.parametrize("name", STAGES)
def test_two_processes_train_like_one_with_the_same_batch(
    name: str, cohort: Path, models: Path, tmp_path: Path
) -> None:
    run, log = models / f"{name}-two", tmp_path / "log"
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    finish(start([*torchrun, *train_command(cohort, models, name, run)], log), log)
    assert_same_curves(run, models / name, SAME_BUT_FOR_ROUNDING)
    said = log.read_text()
    assert said.count("Wrote ") == 1  # the first process speaks and writes, the other does not


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Slurm runs on Linux")
def test_slurms_processes_find_each_other(cohort: Path, models: Path, tmp_path: Path) -> None:
    """What `srun --ntasks-per-node 2` sets, set here."""
    run, log = models / "autoencoder-slurm", tmp_path / "log"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    slurm = {
        "SLURM_JOB_ID": "1", "SLURM_JOB_NAME": "train", "SLURM_NTASKS": "2",
        "SLURM_NTASKS_PER_NODE": "2", "SLURM_NODEID": "0", "SLURM_NODELIST": "127.0.0.1",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
    }  # fmt: skip
    command = train_command(cohort, models, "autoencoder", run)
    processes = [
        start(command, log, **slurm, SLURM_PROCID=str(n), SLURM_LOCALID=str(n)) for n in (0, 1)
    ]
    for process in processes:
        finish(process, log)
    assert_same_curves(run, models / "autoencoder", SAME_BUT_FOR_ROUNDING)


@pytest.mark.slow
def test_a_batch_that_the_processes_cannot_share_is_refused(
    cohort: Path, models: Path, tmp_path: Path
) -> None:
    config = configuration(tmp_path, "autoencoder", batch=3)
    log = tmp_path / "log"
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = train_command(cohort, models, "autoencoder", models / "autoencoder-three")
    command[command.index(str(models / "autoencoder.json"))] = str(config)
    process = start([*torchrun, *command], log)
    assert process.wait(SECONDS) != 0
    assert "a batch of 3 cannot be shared evenly by 2 processes" in log.read_text()
