"""The engine as a real process, for tests of what is seen from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from repository import MODULE


def environment() -> dict[str, str]:
    """The environment of an engine process: this checkout's engine, one thread, UTF-8."""
    return {
        **os.environ,
        "PYTHONPATH": str(MODULE),
        "PYTHONUTF8": "1",
        "OMP_NUM_THREADS": "1",
    }


def petanomaly_command(*arguments: object) -> list[str]:
    """What follows `python` to run `petanomaly` with these arguments."""
    return ["-m", "PETAnomalyLib.engine", *(str(argument) for argument in arguments)]


def run_petanomaly(*arguments: object, seconds: float = 120) -> subprocess.CompletedProcess[str]:
    """Run `petanomaly` to its end, stdin at /dev/null."""
    return subprocess.run(
        [sys.executable, *petanomaly_command(*arguments)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment(),
        timeout=seconds,
        check=False,
    )


def start_python(arguments: Sequence[str], stdin: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start a Python that can import the engine, with pipes on stdout, stderr and (unless given
    otherwise) stdin."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=environment(),
        # Started from a single thread: between fork and exec nothing else runs.
        preexec_fn=None if os.name == "nt" else _hear_interrupts,  # noqa: PLW1509
    )


def _hear_interrupts() -> None:
    """A test run that was itself started in the background passes on that Ctrl-C is ignored."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


# What this takes to import, it takes once; each run is then a process of its own with it.
_RUNS_ON_REQUEST = """
import importlib, json, os, sys
for module in sys.argv[1:]:
    importlib.import_module(module)
from PETAnomalyLib.engine.cli import main
print("ready", flush=True)
for request in sys.stdin:
    words, log = json.loads(request)
    child = os.fork()
    if child == 0:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        os._exit(main(words))
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Runs:
    """Runs of `petanomaly`, one after the other, each a process and a session of its own.

    They start without the seconds of importing torch and MONAI, so that moments fall into the work.
    For POSIX. `close` ends it.
    """

    def __init__(self, *modules: str) -> None:
        """Import these modules, for all runs."""
        self._process = start_python(["-c", _RUNS_ON_REQUEST, *modules])
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def start(self, words: Sequence[str], log: Path) -> int:
        """Start one, stdout and stderr at the end of `log`; returns its process number."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([list(words), str(log)]) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def is_running(self, run: int) -> bool:
        """Whether the run of this number has not ended."""
        try:
            os.kill(run, 0)
        except ProcessLookupError:
            return False
        return True

    def status(self) -> int:
        """Wait for its end; returns what waitpid says."""
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())

    def close(self) -> None:
        """No more runs."""
        self._process.kill()
        self._process.communicate()
