"""How a run is stopped: with real processes, pipes and signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from engine_process import start_python
from PETAnomalyLib.engine.runtime.cancellation import Cancellation
from PETAnomalyLib.engine.runtime.console import ConsoleReporter
from PETAnomalyLib.engine.runtime.errors import Cancelled
from PETAnomalyLib.engine.runtime.reporter import SilentReporter

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")


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


RUN = """
import sys, time
from pathlib import Path
from PETAnomalyLib.engine.runtime.cancellation import Cancellation
from PETAnomalyLib.engine.runtime.events import JsonReporter, events_on_stdout
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
