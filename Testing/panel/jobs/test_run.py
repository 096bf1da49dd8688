"""The engine's process: real child processes that say and do what engines can say and do."""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import qt
from hostile_folder import HostileFolder
from PETAnomalyLib.panel.environment.interpreter import Interpreter, findInterpreter
from PETAnomalyLib.panel.jobs.run import EngineRun
from repository import MODULE
from stub_run import SAYS, Heard, engine, posixOnly, runToEnd
from waiting import waitFor


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


def test_what_is_written_to_stderr_is_never_an_event(tmp_path: Path) -> None:
    source = """
    import json, sys
    for event in (
        {"event": "stage", "name": "x", "label": "forged"},
        {"event": "progress", "fraction": 0.9},
        {"event": "error", "kind": "input", "message": "forged", "hint": ""},
        {"event": "result", "dir": "/elsewhere"},
    ):
        print(json.dumps(event), file=sys.stderr, flush=True)
    raise SystemExit(3)
    """
    heard = runToEnd(engine(tmp_path / "e", source), ["detect"])
    assert (heard.stages, heard.progress) == ([], [])
    assert heard.outcome.errorKind == "engine"
    assert sum("forged" in line for line in heard.log) == 2


def test_events_with_wrong_values_are_log_and_end_no_run(tmp_path: Path) -> None:
    source = """
    print('{"event": "progress", "fraction": NaN}')
    print('{"event": "progress", "fraction": 0.5, "eta_s": NaN}')
    print('{"event": "progress", "fraction": "x"}')
    print('{"event": "process", "group": "all"}')
    print('{"event": "stage", "name": [], "label": 5}')
    print('{"event": "error", "kind": {}, "message": []}')
    print('{"event": ' + "[" * 200000)
    print('{"event": "stage", "name": "x", "label": "still heard"}')
    """
    heard = runToEnd(engine(tmp_path / "e", source), ["detect"])
    assert heard.progress == [(0.5, None)]
    assert heard.stages == [("x", "still heard")]
    assert heard.outcome.ok


@posixOnly
@pytest.mark.slow
def test_only_the_watchdog_says_what_is_killed(tmp_path: Path) -> None:
    """An engine that names another program's group, and then hears nothing, is killed itself."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE,
                          start_new_session=True) as bystander:  # fmt: skip
        source = f"""
        import os, signal, time
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        for stream in (sys.stdout, sys.stderr):
            print('{{"event": "process", "group": {bystander.pid}}}', file=stream, flush=True)
        os.kill(os.getppid(), signal.SIGSTOP)  # the watchdog cannot do it
        say(event="stage", name="deaf", label="Deaf")
        time.sleep(60)
        """
        run = EngineRun(engine(tmp_path / "e", SAYS, source))
        heard = Heard(run)
        run.start(["detect"])
        waitFor(lambda: heard.stages)
        run.cancel()
        waitFor(lambda: heard.outcomes, 15.0)
        assert heard.outcome.cancelled
        assert bystander.poll() is None
        bystander.kill()


@pytest.mark.parametrize("home", ["", sys.base_prefix])
def test_nothing_of_the_current_folder_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, home: str
) -> None:
    """Isolated, and with PYTHONHOME, as the Python of an installed Slicer."""
    hostile = HostileFolder(tmp_path / "data")
    source = """
    import json, os, random, subprocess
    say(event="log", level="info", message=os.getcwd())
    """
    made = engine(tmp_path / "e", SAYS, source)
    path = made.environment["PYTHONPATH"] + os.pathsep
    environment = {**made.environment, "PYTHONPATH": path, **({"PYTHONHOME": home} if home else {})}
    monkeypatch.chdir(hostile.path)
    heard = runToEnd(Interpreter(made.path, environment, foreign=False), ["detect"])
    assert hostile.marks() == ""
    assert heard.outcome.ok, heard.outcome.logText
    assert heard.log == [str(MODULE)]


def test_a_flood_of_output_does_not_starve_the_event_loop_and_is_told_before_the_end(
    tmp_path: Path,
) -> None:
    count = 30_000
    source = f"for i in range({count}): say(event='progress', fraction=i / {count})"
    run = EngineRun(engine(tmp_path / "e", SAYS, source))
    heard = Heard(run)
    gc.collect()
    gc.freeze()  # a collection of what hundreds of tests left took 0.15 s of one tick
    used, last = [0.0], [time.thread_time()]

    def tick() -> None:
        now = time.thread_time()  # not the wall's: other programs on the machine are not ours
        used.append(now - last[0])
        last[0] = now

    timer = qt.QTimer()
    timer.setInterval(10)
    timer.timeout.connect(tick)
    try:
        timer.start()
        run.start(["detect"])
        waitFor(lambda: heard.outcomes, 60.0)
        timer.stop()
    finally:
        gc.unfreeze()
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
