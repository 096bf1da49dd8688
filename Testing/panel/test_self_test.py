"""The module's own self-test, as `python -m harness test` runs it; a real Slicer runs the same."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest
from pathlib import Path

import pytest
import slicer  # slicer.util looks for qt
from nilearn_template import needs_nilearn
from open_panel import loadModule
from repository import MODULE, TESTING


@pytest.mark.slow
def test_the_self_test_passes_with_a_model_that_is_shipped() -> None:
    """The quickest of them: a minute."""
    paths = [str(TESTING), str(TESTING / "support"), str(MODULE)]
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "PETANOMALY_TEST_MODEL": "ae-dense-phantom",
    }
    done = subprocess.run(
        [sys.executable, "-m", "harness", "test"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "PETAnomalyTest passed." in done.stdout


@pytest.mark.slow
@needs_nilearn
@pytest.mark.usefixtures("scene")
def test_the_way_of_a_head_passes_with_a_tiny_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sample, real engine, reading, saved scene; its findings are where the head is brightest."""
    pytest.importorskip("torch")
    from tiny_brain_bundle import write_tiny_brain_bundle

    write_tiny_brain_bundle(tmp_path / "tiny-flair")
    monkeypatch.setenv("PETANOMALY_MODELS", str(tmp_path))
    loadModule()
    import PETAnomaly

    monkeypatch.setattr(PETAnomaly.PETAnomalyTest, "MODEL", "tiny-flair")
    panel = slicer.util.getModuleWidget("PETAnomaly").panel
    panel.model.reload()
    result = unittest.TestResult()
    PETAnomaly.PETAnomalyTest("test_AHeadIsDetectedReadSavedAndLoaded").run(result)
    monkeypatch.undo()
    panel.model.reload()
    said = [trace for _test, trace in [*result.errors, *result.failures, *result.skipped]]
    assert said == []
