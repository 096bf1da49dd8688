"""The engine's process: real child processes that say and do what engines can say and do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import qt
from PETAnomalyLib.panel.environment.interpreter import Interpreter, findInterpreter
from PETAnomalyLib.panel.jobs.process import EngineRun, LineSplitter, RunOutcome, parseEvent
from repository import TESTING
from waiting import processesThatMention, waitFor

posixOnly = pytest.mark.skipif(os.name != "posix", reason="looks into /proc")


class Heard:
    """What a run told, in its order."""

    def __init__(self, run: EngineRun) -> None:
        self.stages: list[tuple[str, str]] = []
        self.progress: list[tuple[float, float | None]] = []
        self.log: list[str] = []
        self.outcomes: list[RunOutcome] = []
        run.onStage = lambda name, label: self.stages.append((name, label))
        run.onProgress = lambda fraction, rest: self.progress.append((fraction, rest))
        run.onLog = lambda _level, message: self.log.append(message)
        run.onFinished = self.outcomes.append

    @property
    def outcome(self) -> RunOutcome:
        assert len(self.outcomes) == 1
        return self.outcomes[0]


def engine(folder: Path, *sources: str) -> Interpreter:
    """An interpreter for which `-m PETAnomalyLib.engine` is these sources, one after the other."""
    package = folder / "PETAnomalyLib" / "engine"
    package.mkdir(parents=True)
    (folder / "PETAnomalyLib" / "__init__.py").write_text("")
    (package / "__init__.py").write_text("")
    text = "\n".join(textwrap.dedent(source) for source in sources)
    (package / "__main__.py").write_text(text, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONUTF8": "1"}
    return Interpreter(sys.executable, environment, foreign=False)


def runToEnd(interpreter: Interpreter, arguments: list[str]) -> Heard:
    run = EngineRun(interpreter)
    heard = Heard(run)
    run.start(arguments)
    assert run.isRunning
    waitFor(lambda: heard.outcomes)
    assert not run.isRunning
    return heard


@pytest.fixture
def noProcessLeft(tmp_path: Path) -> Iterator[None]:
    """Runs get the test's own folder as an argument, so that their processes can be told from
    others.
    """
    yield
    waitFor(lambda: not processesThatMention(str(tmp_path)), 6.0)


SAYS = """
    import json, sys
    from pathlib import Path
    def say(**event): print(json.dumps(event), flush=True)
"""


def test_events_arrive_in_order_and_the_result_folder_makes_the_run_ok(tmp_path: Path) -> None:
    source = """
    say(event="stage", name="read", label="Reading the study")
    say(event="progress", fraction=0.25, eta_s=None)
    say(event="stage", name="heal", label="Healing")
    say(event="progress", fraction=0.5, eta_s=12.5)
    say(event="log", level="warning", message="The study is coarse.")
    out = Path(sys.argv[sys.argv.index("--out") + 1]); out.mkdir()
    say(event="result", dir=str(out))
    """
    out = tmp_path / "result"
    arguments = ["detect", "--out", str(out), "--events"]
    heard = runToEnd(engine(tmp_path / "e", SAYS, source), arguments)
    assert heard.stages == [("read", "Reading the study"), ("heal", "Healing")]
    assert heard.progress == [(0.25, None), (0.5, 12.5)]
    assert heard.log == ["The study is coarse."]
    assert heard.outcome.ok
    assert heard.outcome.resultDirectory == out
    assert heard.outcome.exitCode == 0
    assert "The study is coarse." in heard.outcome.logText


def test_exit_code_0_without_the_result_folder_is_a_failure_that_names_it(tmp_path: Path) -> None:
    out = tmp_path / "nowhere"
    heard = runToEnd(engine(tmp_path / "e", "pass"), ["detect", "--out", str(out)])
    assert not heard.outcome.ok
    assert str(out) in heard.outcome.errorMessage


def test_a_result_folder_does_not_make_a_failing_run_ok(tmp_path: Path) -> None:
    heard = runToEnd(
        engine(tmp_path / "e", "raise SystemExit(3)"), ["detect", "--out", str(tmp_path)]
    )
    assert not heard.outcome.ok
    assert heard.outcome.exitCode == 3


def test_an_error_event_is_the_reason_given(tmp_path: Path) -> None:
    source = """
    say(event="error", kind="input", message="The PET is empty.", hint="Load another one.")
    raise SystemExit(2)
    """
    outcome = runToEnd(engine(tmp_path / "e", SAYS, source), ["detect"]).outcome
    assert (outcome.errorKind, outcome.errorMessage) == ("input", "The PET is empty.")
    assert outcome.errorHint == "Load another one."
    assert not outcome.ok
    assert not outcome.cancelled


def test_arguments_with_spaces_quotes_and_other_alphabets_arrive_unchanged(tmp_path: Path) -> None:
    source = "say(event='log', level='info', message=json.dumps(sys.argv[1:]))"
    words = ["a b", 'say "ä"', "Größe/患者 1", "", "--x=-2.5", "back\\slash"]
    folder = tmp_path / "Ordner mit Leerzeichen 患者"
    heard = runToEnd(engine(folder, SAYS, source), words)
    assert json.loads(heard.log[0]) == words


def test_everything_that_is_no_event_is_log(tmp_path: Path) -> None:
    source = r"""
    import sys
    out = sys.stdout.buffer
    out.write(b"10 %\r50 %\r100 %\r\n")          # a progress bar of some library
    out.write(b"\xff\xfe not UTF-8 \x00\n")
    out.write(b'{"event": "unknown"}\n{"event": "progress", "fraction": "x"}\n[1, 2]\n{"half": \n')
    out.write(b'{"event": 7}\n"text"\n')
    out.flush()
    sys.stderr.write("a warning\n")
    sys.stdout.write("no newline at the end")
    """
    heard = runToEnd(engine(tmp_path / "e", source), ["detect"])
    assert heard.log[:3] == ["10 %", "50 %", "100 %"]
    assert any("�" in line and "not UTF-8" in line for line in heard.log)
    assert '{"event": "unknown"}' in heard.log
    assert '{"half": ' in heard.log
    assert "a warning" in heard.log
    assert "no newline at the end" in heard.log
    assert heard.progress == []
    assert heard.outcome.ok


def test_a_flood_of_output_does_not_starve_the_event_loop_and_is_told_before_the_end(
    tmp_path: Path,
) -> None:
    count = 30_000
    source = f"for i in range({count}): say(event='progress', fraction=i / {count})"
    run = EngineRun(engine(tmp_path / "e", SAYS, source))
    heard = Heard(run)
    used, last = [0.0], [time.thread_time()]

    def tick() -> None:
        now = time.thread_time()  # not the wall's: other programs on the machine are not ours
        used.append(now - last[0])
        last[0] = now

    timer = qt.QTimer()
    timer.setInterval(10)
    timer.timeout.connect(tick)
    timer.start()
    run.start(["detect"])
    waitFor(lambda: heard.outcomes, 60.0)
    timer.stop()
    assert len(heard.progress) == count
    assert max(used) < 0.1


def test_a_missing_interpreter_is_an_outcome_that_names_it(tmp_path: Path) -> None:
    missing = str(tmp_path / "no" / "python")
    outcome = runToEnd(Interpreter(missing, dict(os.environ), foreign=True), ["detect"]).outcome
    assert not outcome.ok
    assert outcome.errorKind == "environment"
    assert missing in outcome.errorMessage


@posixOnly
def test_an_interpreter_that_is_no_python_is_an_outcome() -> None:
    interpreter = Interpreter("/bin/false", dict(os.environ), foreign=True)
    outcome = runToEnd(interpreter, ["detect"]).outcome
    assert not outcome.ok
    assert "exit code 1" in outcome.errorMessage


def test_a_missing_package_is_named(tmp_path: Path) -> None:
    source = "import a_package_that_is_not_there"
    outcome = runToEnd(engine(tmp_path / "e", source), ["detect"]).outcome
    assert outcome.errorKind == "environment"
    assert "a_package_that_is_not_there" in outcome.errorMessage


@posixOnly
def test_an_engine_killed_by_the_system_is_said_to_be(tmp_path: Path) -> None:
    source = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    outcome = runToEnd(engine(tmp_path / "e", source), ["detect"]).outcome
    assert not outcome.ok
    assert not outcome.cancelled
    assert outcome.exitCode == 128 + signal.SIGKILL


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
from PETAnomalyLib.panel.jobs.process import EngineRun
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


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_are_the_same_wherever_the_pipe_cuts_them(size: int) -> None:
    text = 'eins\r\n{"event": "log"}\rdrei ä患\n\n\nvier'
    data = text.encode()
    splitter = LineSplitter()
    lines = [
        line for at in range(0, len(data), size) for line in splitter.feed(data[at : at + size])
    ]
    assert lines + splitter.finish() == ["eins", '{"event": "log"}', "drei ä患", "vier"]


def test_an_event_without_its_keys_is_no_event() -> None:
    assert parseEvent('{"event": "stage", "name": "x"}') is None
    assert parseEvent('{"event": "progress", "fraction": null}') is None
    assert parseEvent('{"event": ["list"]}') is None
    assert parseEvent('{"event": "stage", "name": "x", "label": "y"}') is not None


def test_the_real_engine_refuses_a_missing_pet_in_its_own_words(tmp_path: Path) -> None:
    pet = str(tmp_path / "no such PET ä.nii.gz")
    arguments = ["detect", "--pet", pet, "--out", str(tmp_path / "out"), "--events"]
    run = EngineRun(findInterpreter())
    heard = Heard(run)
    run.start(arguments)
    waitFor(lambda: heard.outcomes, 120.0)
    assert heard.outcome.exitCode == 2
    assert heard.outcome.errorMessage
    assert not heard.outcome.ok


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
