"""The module's own self-test, as `python -m harness test` runs it; a real Slicer runs the same."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
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
