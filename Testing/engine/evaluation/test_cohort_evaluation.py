"""What an evaluation finds in its folder is used again only where it is what it should be."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engine_process import environment, petanomaly_command
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.evaluation.cohort_evaluation import detect_once
from PETAnomalyLib.engine.runtime.errors import Cancelled
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy

GARBAGE = {
    "nothing": "",
    "no JSON": "report",
    "deep": "[" * 100_000 + "]" * 100_000,
    "a list": "[1]",
    "a number": "3",
    "no settings": "{}",
    "no model": '{"settings": {}}',
    "a model that is none": '{"settings": {}, "model": "mine"}',
    "a model without a hash": '{"settings": {}, "model": {}}',
}


class Stop(SilentReporter):
    """Ends a run at its first question whether to."""

    def check_cancelled(self) -> None:
        raise Cancelled("it began")


@pytest.mark.parametrize("kind", GARBAGE)
def test_a_report_that_is_garbage_is_none(
    kind: str, tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    bundle = tiny_bundles["autoencoder"]
    study = CohortStudy("ann", "ann__0", tiny_study / "SUV.nii.gz", None, None)
    folder = tmp_path / bundle.name / study.name
    folder.mkdir(parents=True)
    (folder / "report.json").write_text(GARBAGE[kind])
    with pytest.raises(Cancelled, match="it began"):
        detect_once(study, bundle, tmp_path, DetectionSettings(), Stop())
    assert (folder / "report.json").read_text() == GARBAGE[kind], "until there is another"


def test_a_report_of_the_same_is_used_again(
    tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    bundle = tiny_bundles["autoencoder"]
    study = CohortStudy("ann", "ann__0", tiny_study / "SUV.nii.gz", None, None)
    detect_once(study, bundle, tmp_path, DetectionSettings(device="cpu"))
    report = tmp_path / bundle.name / study.name / "report.json"
    assert json.loads(report.read_text())["model"]["sha256"] == bundle.sha256
    detect_once(study, bundle, tmp_path, DetectionSettings(device="cpu"), Stop())


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("processes", [1, 2])
def test_one_signal_ends_an_evaluation_in_mid_study(
    number: signal.Signals,
    processes: int,
    tmp_path: Path,
    tiny_study: Path,
    tiny_bundles: dict[str, Bundle],
) -> None:
    for patient in ("ann", "bob", "cy"):
        (tmp_path / "cohort" / patient).mkdir(parents=True)
        (tmp_path / "cohort" / patient / "0").symlink_to(tiny_study)
    model, out = tiny_bundles["autoencoder"], tmp_path / "out"
    words = ["evaluate", "--cohort", tmp_path / "cohort", "--model", model.path, "--out", out]
    run = subprocess.Popen(
        [sys.executable, *petanomaly_command(*words, "--processes", processes)],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    )
    until = time.monotonic() + 120
    while not list((out / model.name).glob(".*.partial-*")):
        assert run.poll() is None
        assert time.monotonic() < until
        time.sleep(0.02)
    os.kill(run.pid, number)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 4, err
    assert "Traceback" not in err
    assert "Stopped on request" in err
    assert not list((out / model.name).glob(".*"))
    assert not (out / "evaluation.json").exists()
