"""The panel's tests run in the bench of Testing/harness, without a window."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

pytest.importorskip("PySide6")
pytest.importorskip("slicer")

import harness  # after the path is set

harness.start()


@pytest.fixture
def scene() -> Iterator[Any]:
    """slicer.mrmlScene, empty before and after the test."""
    import slicer

    slicer.mrmlScene.Clear(0)
    yield slicer.mrmlScene
    slicer.mrmlScene.Clear(0)


@pytest.fixture
def detected(scene: Any, tmp_path: Path) -> Iterator[Any]:
    """A panel with a study and the results of a run of the stub engine."""
    from open_panel import openPanel, settled
    from studies import addStudy, waitUntil

    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0
    with openPanel(tmp_path) as panel:
        panel.parameters.pet, panel.parameters.ct = addStudy()
        panel.update()
        panel.ui.detectButton.click()
        assert waitUntil(lambda: panel.parameters.table is not None)
        settled(panel)
        panel.update()
        yield panel


@pytest.fixture(scope="session")
def tinyModels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models with one in it: the engine's tests' own, small, with random weights."""
    pytest.importorskip("torch")
    from tiny_bundle import write_tiny_bundle

    folder = tmp_path_factory.mktemp("models")
    write_tiny_bundle(folder / "tiny-petct")
    return folder
