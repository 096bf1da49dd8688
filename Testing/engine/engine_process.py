"""The engine as a real process, for tests of what is seen from outside."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]


def environment() -> dict[str, str]:
    """The environment of an engine process: this checkout's engine, one thread, UTF-8."""
    return {
        **os.environ,
        "PYTHONPATH": str(REPOSITORY / "PETAnomaly"),
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
