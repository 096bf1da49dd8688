"""The script for a graphics card still runs: small, on the CPU, where hardly anything is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from repository import TESTING

# What the bare machine has not; and what it has not either, so that nothing of it creeps in.
ABSENT = ("SimpleITK", "nibabel", "pydicom", "monai", "highdicom", "skimage", "sklearn", "PIL")

# Some libraries look whether others are there: those get no error, but nothing found.
_WITHOUT = f"""
import runpy, sys

class Found:
    def __init__(self, finder):
        self._finder = finder

    def __getattr__(self, name):
        return getattr(self._finder, name)

    def find_spec(self, name, *rest):
        absent = name.partition(".")[0] in {ABSENT!r}
        return None if absent else self._finder.find_spec(name, *rest)

sys.meta_path[:] = [Found(finder) for finder in sys.meta_path]
script, *sys.argv[1:] = sys.argv[1:]
runpy.run_path(script, run_name="__main__")
"""


@pytest.mark.slow
def test_it_runs_small_on_a_cpu_without_the_readers_of_images(tmp_path: Path) -> None:
    out = tmp_path / "check.json"
    words = [str(TESTING / "gpu" / "check.py"), "--small", "--device", "cpu", "--out", str(out)]
    run = subprocess.run(
        [sys.executable, "-I", "-c", _WITHOUT, *words],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    found = json.loads(out.read_text())
    assert found["passed"]
    assert set(found["models"]) == {"paper", "petct-phantom"}
    for model in found["models"].values():
        stages = model["stages"]
        assert {"encode", "likelihood", "resample", "decode", "score"} < set(stages)
        assert all(stages[name]["seconds"] > 0 for name in ("encode", "likelihood", "resample"))
        assert model["against_cpu"]["samples_differ"] == 0
        assert model["step"]["windows"]
        assert model["healer"]["seconds"] > 0
