"""What a run tells, and how it is stopped: with real processes, pipes and signals."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engine_process import start_python
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.runtime.errors import Cancelled, InputError
from PETAnomalyLib.engine.runtime.events import (
    Cancellation,
    ConsoleReporter,
    JsonReporter,
    ProgressHistory,
    SilentReporter,
)

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


class Clock:
    """Time that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def events(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_event_is_one_line_with_exactly_the_fields_of_the_contract() -> None:
    stream = io.StringIO()
    reporter = JsonReporter(stream)
    reporter.stage("heal", "Healing\nstep")
    reporter.progress(0.25)
    reporter.log("warning", "CT: 3 Schichten fehlen – “ä”")
    reporter.result(Path("/tmp/Größe 患者"))
    reporter.error(InputError("wrong", "do this"))
    told = events(stream)
    assert [set(event) for event in told] == [
        {"event", "name", "label"},
        {"event", "fraction", "eta_s"},
        {"event", "level", "message"},
        {"event", "dir"},
        {"event", "kind", "message", "hint"},
    ]
    assert "Größe 患者" in stream.getvalue()
    assert told[-1] == {"event": "error", "kind": "input", "message": "wrong", "hint": "do this"}


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True)))
def test_told_fractions_rise_strictly_within_0_and_1_whatever_the_run_says(
    fractions: list[float],
) -> None:
    stream = io.StringIO()
    reporter = JsonReporter(stream)
    for fraction in fractions:
        reporter.progress(fraction)
    told = [float(str(event["fraction"])) for event in events(stream)]
    assert all(0 < fraction <= 1 for fraction in told)
    assert told == sorted(set(told))


def test_the_last_fraction_is_told_even_right_after_another() -> None:
    stream = io.StringIO()
    reporter = JsonReporter(stream)
    for step in range(1000):
        reporter.progress((step + 1) / 1000)
    told = events(stream)
    assert told[-1]["fraction"] == 1
    assert told[-1]["eta_s"] == 0
    assert len(told) < 100, "a fast loop must not flood the pipe"


@given(seconds=st.floats(0.01, 1000), steps=st.integers(4, 200), done=st.integers(1, 3))
def test_at_constant_speed_the_remaining_time_is_exact(
    seconds: float, steps: int, done: int
) -> None:
    clock = Clock()
    history = ProgressHistory(clock)
    for step in range(done):
        clock.now += seconds
        history.advance((step + 1) / steps)
    assert history.remaining_seconds == pytest.approx((steps - done) * seconds, rel=1e-6)


def test_a_change_of_speed_counts_more_than_the_start() -> None:
    clock = Clock()
    history = ProgressHistory(clock)
    for _ in range(5):  # 10 s for the first 10 %
        clock.now += 2
        history.advance(history.fraction + 0.02)
    for _ in range(40):  # then 1 % a second
        clock.now += 1
        history.advance(history.fraction + 0.01)
    assert history.remaining_seconds == pytest.approx(50, rel=0.1)


def test_the_remaining_time_falls_while_nothing_is_told_and_is_never_negative() -> None:
    clock = Clock()
    history = ProgressHistory(clock)
    clock.now += 10
    history.advance(0.5)
    assert history.remaining_seconds == pytest.approx(10)
    clock.now += 4
    assert history.remaining_seconds == pytest.approx(6)
    clock.now += 400
    assert history.remaining_seconds == 0


def test_before_any_progress_there_is_no_remaining_time() -> None:
    assert ProgressHistory().remaining_seconds is None


@pytest.mark.parametrize("make", [SilentReporter, ConsoleReporter])
def test_every_reporter_passes_the_cancellation_on(make: type) -> None:
    cancellation = Cancellation()
    reporter = make(cancellation)
    reporter.check_cancelled()
    cancellation.request()
    with pytest.raises(Cancelled):
        reporter.check_cancelled()


def test_the_first_reason_for_stopping_is_the_one_that_is_told() -> None:
    cancellation = Cancellation()
    cancellation.request("because of rain")
    cancellation.request("because of snow")
    with pytest.raises(Cancelled, match="rain"):
        cancellation.check()


def test_a_log_file_gets_plain_lines_and_no_carriage_returns() -> None:
    stream = io.StringIO()
    reporter = ConsoleReporter(stream=stream)
    reporter.stage("read", "Reading the study")
    for step in range(500):
        reporter.progress((step + 1) / 500)
    reporter.log("warning", "CT looks odd")
    text = stream.getvalue()
    assert "\r" not in text
    assert "Reading the study" in text
    assert "Warning: CT looks odd" in text
    assert re.search(r"100 %, 0:00 elapsed", text)
    assert len(text.splitlines()) < 20


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_a_terminal_gets_one_redrawn_line_within_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    reporter = ConsoleReporter(stream=stream)
    reporter.stage("heal", "Healing what the model finds unlikely")
    reporter.progress(1.0)
    drawn = stream.getvalue()
    assert "\n" not in drawn
    assert "100 %" in drawn
    assert all(len(line) <= 59 for line in drawn.split("\r"))


RUN = """
import sys, time
from pathlib import Path
from PETAnomalyLib.engine.runtime.events import Cancellation, JsonReporter, events_on_stdout
from PETAnomalyLib.engine.runtime.errors import Cancelled

def end(): Path(sys.argv[1], "abandoned").write_text("")

cancellation = Cancellation(end)
with events_on_stdout() as stream:
    reporter = JsonReporter(stream, cancellation)
    with cancellation.on_signals(), cancellation.on_closed_stdin(grace_seconds=0.5):
        reporter.stage("work", "Working")
        try:
            for step in range(10**9):
                {work}
        except Cancelled as error:
            reporter.error(error)
            sys.exit(error.exit_code)
"""
POLITE = RUN.format(work="reporter.check_cancelled(); time.sleep(0.01)")
DEAF = RUN.format(work="time.sleep(0.01)")
# One call of a C library takes minutes, as a convolution may: no signal handler runs meanwhile.
IN_ONE_CALL = RUN.format(work="import hashlib; hashlib.pbkdf2_hmac('sha256', b'', b'', 10**9)")


def started(script: str, folder: Path, stdin: int = subprocess.PIPE) -> subprocess.Popen[str]:
    process = start_python(["-c", script, str(folder)], stdin=stdin)
    assert process.stdout is not None
    assert json.loads(process.stdout.readline())["event"] == "stage"
    return process


@posix_only
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_run_at_its_next_check_with_an_event(
    tmp_path: Path, number: signal.Signals
) -> None:
    process = started(POLITE, tmp_path)
    process.send_signal(number)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 4
    assert json.loads(out)["kind"] == "cancelled"
    assert err == ""
    assert not (tmp_path / "abandoned").exists()


@posix_only
@pytest.mark.parametrize("script", [DEAF, IN_ONE_CALL])
def test_a_second_signal_ends_a_run_that_does_not_listen_and_removes_its_output(
    tmp_path: Path, script: str
) -> None:
    process = started(script, tmp_path)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 4
    assert (tmp_path / "abandoned").exists()


def test_closing_stdin_ends_a_run_politely(tmp_path: Path) -> None:
    process = started(POLITE, tmp_path)
    out, _ = process.communicate(timeout=20)  # closes stdin
    assert process.returncode == 4
    assert json.loads(out)["kind"] == "cancelled"
    assert not (tmp_path / "abandoned").exists()


@pytest.mark.parametrize("script", [DEAF, IN_ONE_CALL])
def test_closing_stdin_ends_a_run_that_does_not_listen_after_the_grace(
    tmp_path: Path, script: str
) -> None:
    process = started(script, tmp_path)
    process.communicate(timeout=20)
    assert process.returncode == 4
    assert (tmp_path / "abandoned").exists()


def test_the_death_of_the_starter_ends_the_run(tmp_path: Path) -> None:
    starter = start_python(
        [
            "-c",
            "import subprocess, sys, time\n"
            "child = subprocess.Popen([sys.executable, '-c', *sys.argv[1:]],\n"
            "    stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
            "child.stdout.readline(); print(child.pid, flush=True); time.sleep(1000)\n",
            POLITE,
            str(tmp_path),
        ]
    )
    assert starter.stdout is not None
    child = int(starter.stdout.readline())
    starter.kill()
    starter.communicate(timeout=20)
    for _ in range(200):
        if not is_alive(child):
            return
        time.sleep(0.05)
    pytest.fail("the run outlived the program that started it by 10 s")


def is_alive(process: int) -> bool:
    try:
        stat = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"


def test_what_is_written_into_the_leash_is_dropped(tmp_path: Path) -> None:
    process = started(POLITE, tmp_path)
    assert process.stdin is not None
    process.stdin.write("hello\n" * 100)
    process.stdin.flush()
    time.sleep(0.3)
    assert process.poll() is None
    process.communicate(timeout=20)
    assert process.returncode == 4


@posix_only
@pytest.mark.parametrize("kind", ["/dev/null", "a file", "a pipe at its end", "a terminal"])
def test_a_stdin_that_is_no_open_pipe_is_no_leash(tmp_path: Path, kind: str) -> None:
    stdin = no_leash(kind, tmp_path)
    process = started(POLITE, tmp_path, stdin)
    os.close(stdin)
    time.sleep(0.7)
    assert process.poll() is None, "it must not take this stdin for a leash that was cut"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert process.returncode == 4


def no_leash(kind: str, folder: Path) -> int:
    if kind == "/dev/null":
        return os.open(os.devnull, os.O_RDONLY)
    if kind == "a file":
        file = folder / "empty"
        file.write_text("")
        return os.open(file, os.O_RDONLY)
    if kind == "a terminal":
        return os.openpty()[1]
    reader, writer = os.pipe()
    os.close(writer)
    return reader


@posix_only
def test_a_socket_is_a_leash_as_a_pipe_is(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair()
    process = started(POLITE, tmp_path, theirs.fileno())
    theirs.close()
    time.sleep(0.3)
    assert process.poll() is None
    ours.close()
    process.communicate(timeout=20)
    assert process.returncode == 4


def test_what_libraries_print_never_mixes_with_the_events() -> None:
    script = """
import ctypes, os, sys
from PETAnomalyLib.engine.runtime.events import JsonReporter, events_on_stdout
with events_on_stdout() as stream:
    reporter = JsonReporter(stream)
    print("a Python library")
    os.write(1, b"a C library\\n")
    os.system("echo a program")
    reporter.log("info", "an event")
    print("the end", end="")
print("after")
"""
    out, err = start_python(["-c", script]).communicate(timeout=20)
    first, rest = out.split("\n", 1)
    assert json.loads(first)["message"] == "an event"
    assert rest == "after\n"
    assert {"a Python library", "a C library", "a program", "the end"} <= set(err.split("\n"))


def test_a_file_name_that_is_no_utf8_survives_the_event() -> None:
    script = """
from pathlib import Path
import os
from PETAnomalyLib.engine.runtime.events import JsonReporter, events_on_stdout
with events_on_stdout() as stream:
    JsonReporter(stream).result(Path(os.fsdecode(b"caf\\xe9")))
"""
    out, _ = start_python(["-c", script]).communicate(timeout=20)
    assert os.fsencode(json.loads(out)["dir"]) == b"caf\xe9"


def test_a_reader_that_went_away_cancels_the_run() -> None:
    script = """
import sys, time
from PETAnomalyLib.engine.runtime.events import Cancellation, JsonReporter, events_on_stdout
from PETAnomalyLib.engine.runtime.errors import Cancelled
with events_on_stdout() as stream:
    reporter = JsonReporter(stream, Cancellation())
    try:
        for step in range(2000):
            reporter.log("info", "x" * 100)
            reporter.check_cancelled()
            time.sleep(0.005)
    except Cancelled:
        sys.exit(4)
"""
    process = start_python(["-c", script])
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 4
    assert process.stderr is not None
    assert process.stderr.read() == ""
