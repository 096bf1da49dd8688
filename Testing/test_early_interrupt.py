"""Ctrl-C in the first tenths of a second, before the command line listens, is no traceback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from engine_process import environment, petanomaly_command

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

# Run by Python's own start; from then on, the signal comes with the first import of a module.
INTERRUPTS = """
import os, sys
word, number = os.environ["INTERRUPT_AT"].split()
def interrupt(event, arguments):
    if event == "import" and arguments[0] == word and sys.modules.get("PETAnomalyLib.engine"):
        os.kill(os.getpid(), int(number))
sys.addaudithook(interrupt)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    "module",
    [
        "PETAnomalyLib.engine.cli",
        "argparse",
        "PETAnomalyLib.engine.runtime.events",
        "PETAnomalyLib.engine.families",
        pytest.param("numpy", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("events", [[], ["--events"]])
def test_a_signal_during_the_first_imports_is_a_cancellation(
    tmp_path: Path, module: str, number: signal.Signals, events: list[str]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(INTERRUPTS)
    mine = environment()
    words = ["detect", "--pet", "p", "--model", "pet-phantom", "--out", "r", *events]
    done = subprocess.run(
        [sys.executable, *petanomaly_command(*words)],
        env={
            **mine,
            "PYTHONPATH": f"{tmp_path}{os.pathsep}{mine['PYTHONPATH']}",
            "INTERRUPT_AT": f"{module} {int(number)}",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert done.returncode == 4, done.stderr
    assert "Traceback" not in done.stderr
    if events:
        assert json.loads(done.stdout.splitlines()[-1])["kind"] == "cancelled"
    assert not (tmp_path / "r").exists()
