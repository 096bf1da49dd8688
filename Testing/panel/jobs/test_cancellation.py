"""Ending real child processes, polite ones and deaf ones, in every way that a run is ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PETAnomalyLib.panel.environment.interpreter import findInterpreter
from PETAnomalyLib.panel.jobs.run import EngineRun
from repository import TESTING
from stub_run import Heard, engine, posixOnly
from waiting import processesThatMention, waitFor


@pytest.fixture
def noProcessLeft(tmp_path: Path) -> Iterator[None]:
    """Runs get the test's own folder as an argument, so that their processes can be told from
    others.
    """
    yield
    waitFor(lambda: not processesThatMention(str(tmp_path)), 6.0)


POLITE = """
    import sys, threading, os, time, json
    def leave():
        while sys.stdin.buffer.read(1): pass
        os._exit(4)
    threading.Thread(target=leave, daemon=True).start()
    print(json.dumps({"event": "stage", "name": "up", "label": "Up"}), flush=True)
    time.sleep(600)
"""


DEAF = """
    import json, os, signal, subprocess, sys, time
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = "import time, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"
    subprocess.Popen([sys.executable, "-c", child, sys.argv[2]])
    print(json.dumps({"event": "stage", "name": "up", "label": "Up"}), flush=True)
    time.sleep(600)
"""


@posixOnly
@pytest.mark.usefixtures("noProcessLeft")
def test_cancel_ends_a_polite_engine_within_a_second(tmp_path: Path) -> None:
    run = EngineRun(engine(tmp_path / "e", POLITE))
    heard = Heard(run)
    run.start(["detect", str(tmp_path)])
    waitFor(lambda: heard.stages)
    begin = time.monotonic()
    run.cancel()
    assert time.monotonic() - begin < 0.1  # it only asks
    waitFor(lambda: heard.outcomes)
    assert time.monotonic() - begin < 1.0
    assert heard.outcome.cancelled
    assert not heard.outcome.ok


@posixOnly
@pytest.mark.usefixtures("noProcessLeft")
def test_cancel_ends_a_deaf_engine_and_its_children_within_5_seconds(tmp_path: Path) -> None:
    run = EngineRun(engine(tmp_path / "e", DEAF))
    heard = Heard(run)
    run.start(["detect", str(tmp_path)])
    waitFor(lambda: heard.stages)
    begin = time.monotonic()
    run.cancel()
    waitFor(lambda: heard.outcomes)
    assert heard.outcome.cancelled
    waitFor(lambda: not processesThatMention(str(tmp_path)), begin + 5.0 - time.monotonic())


@posixOnly
@pytest.mark.usefixtures("noProcessLeft")
@pytest.mark.slow
def test_a_watchdog_that_is_stopped_is_killed_with_the_engine(tmp_path: Path) -> None:
    run = EngineRun(engine(tmp_path / "e", DEAF))
    heard = Heard(run)
    run.start(["detect", str(tmp_path)])
    waitFor(lambda: heard.stages)
    watchdogs = set(processesThatMention(str(tmp_path))) & set(processesThatMention("watchdog.py"))
    assert len(watchdogs) == 1
    os.kill(watchdogs.pop(), signal.SIGSTOP)
    begin = time.monotonic()
    run.cancel()
    waitFor(lambda: heard.outcomes)
    assert time.monotonic() - begin < 5.5
    assert heard.outcome.cancelled


@posixOnly
@pytest.mark.usefixtures("noProcessLeft")
def test_cancel_before_the_engine_has_come_up_ends_it_too(tmp_path: Path) -> None:
    run = EngineRun(engine(tmp_path / "e", POLITE))
    heard = Heard(run)
    run.start(["detect", str(tmp_path)])
    run.cancel()
    waitFor(lambda: heard.outcomes)
    assert heard.outcome.cancelled


@posixOnly
@pytest.mark.usefixtures("noProcessLeft")
def test_stop_now_returns_at_once_and_nothing_of_that_run_is_heard_of_again(tmp_path: Path) -> None:
    run = EngineRun(engine(tmp_path / "e", POLITE))
    heard = Heard(run)
    run.start(["detect", str(tmp_path)])
    waitFor(lambda: heard.stages)
    begin = time.monotonic()
    run.stopNow()
    assert time.monotonic() - begin < 0.1
    assert not run.isRunning
    waitFor(lambda: not processesThatMention(str(tmp_path)), 5.0)
    assert heard.outcomes == []


@posixOnly
@pytest.mark.usefixtures("noProcessLeft")
def test_a_second_start_ends_the_first_run_whose_late_events_are_dropped(tmp_path: Path) -> None:
    source = """
    import json, sys, time
    name = sys.argv[1]
    for i in range(1, 2000):
        print(json.dumps({"event": "stage", "name": name, "label": str(i)}), flush=True)
        if name == "second" and i == 5: break
        time.sleep(0.001)
    """
    run = EngineRun(engine(tmp_path / "e", source))
    heard = Heard(run)
    run.start(["first", str(tmp_path)])
    waitFor(lambda: heard.stages)
    run.start(["second", str(tmp_path)])
    before = len(heard.stages)
    waitFor(lambda: heard.outcomes)
    assert [name for name, _label in heard.stages[before:]] == ["second"] * 5
    assert heard.outcome.ok


PARENT = """
import os, sys, time
sys.path[:0] = {paths!r}
import harness; harness.start()
import qt, slicer
from PETAnomalyLib.panel.environment.interpreter import Interpreter, findInterpreter
from PETAnomalyLib.panel.jobs.run import EngineRun
from PETAnomalyLib.panel.jobs.run_folder import RunFolder
environment = dict(os.environ, PYTHONPATH={engine!r})
folder = RunFolder({temporary!r})
(folder.path / "pet.nrrd").write_bytes(b"x" * 1000)
run = EngineRun(Interpreter(sys.executable, environment, foreign=False))
run.onStage = lambda name, label: print("running", flush=True)
run.start(["detect", str(folder.path)])
{then}
slicer.app.exec()
"""


def startParent(tmp_path: Path, engineSource: str, then: str = "") -> subprocess.Popen[str]:
    """A Slicer-shaped process of its own with a run under way."""
    engine(tmp_path / "e", engineSource)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    source = PARENT.format(
        paths=[str(TESTING), str(TESTING.parent / "PETAnomaly")],
        engine=str(tmp_path / "e"),
        temporary=str(temporary),
        then=then,
    )
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    parent = subprocess.Popen(
        [sys.executable, "-c", source], stdout=subprocess.PIPE, text=True, env=environment
    )
    assert parent.stdout is not None
    assert any(line.strip() == "running" for line in iter(parent.stdout.readline, ""))
    return parent


def assertNothingIsLeft(tmp_path: Path, seconds: float) -> None:
    waitFor(
        lambda: (
            not processesThatMention(str(tmp_path)) and not any((tmp_path / "temporary").iterdir())
        ),
        seconds,
    )


@posixOnly
@pytest.mark.slow
def test_a_crash_of_slicer_leaves_no_process_and_no_folder_after_5_seconds(tmp_path: Path) -> None:
    parent = startParent(tmp_path, DEAF)
    assert any((tmp_path / "temporary").iterdir())
    parent.kill()
    parent.wait()
    assertNothingIsLeft(tmp_path, 5.0)


@posixOnly
def test_quitting_slicer_ends_the_run_before_the_process_ends(tmp_path: Path) -> None:
    parent = startParent(tmp_path, POLITE, then="qt.QTimer.singleShot(1500, slicer.app.quit)")
    parent.wait(15)
    # By the module: "-m" is in the names of one run folder in 37, whose watchdog outlives Slicer.
    mentioned = set(processesThatMention(str(tmp_path)))
    assert mentioned & set(processesThatMention("PETAnomalyLib.engine")) == set()
    assertNothingIsLeft(tmp_path, 5.0)


@posixOnly
@pytest.mark.usefixtures("noProcessLeft")
def test_the_real_engine_ends_within_5_seconds_of_cancel(tmp_path: Path) -> None:
    out = tmp_path / "cohort"
    run = EngineRun(findInterpreter())
    heard = Heard(run)
    run.start(["phantom", "--out", str(out), "--count", "50", "--seed", "3"])
    waitFor(lambda: any(out.rglob("*.nii.gz")) or heard.outcomes, 300.0)
    assert not heard.outcomes
    begin = time.monotonic()
    run.cancel()
    waitFor(lambda: heard.outcomes, 6.0)
    assert time.monotonic() - begin < 5.0
    assert heard.outcome.cancelled
