"""What a run said of itself stays with its findings, and its warnings stand above them."""

from __future__ import annotations

from typing import Any

import pytest
import slicer  # slicer.util looks for qt
from PETAnomalyLib.panel.scene.run_record import RUN_ATTRIBUTE, runOf, warningsOf

pytestmark = pytest.mark.usefixtures("scene")


def test_the_warnings_stand_above_the_findings_also_in_a_scene_that_was_opened(
    detected: Any, tmp_path: Any
) -> None:
    label = detected.ui.warningState
    assert "A stub wrote this." in label.text
    assert label.isVisibleTo(detected.ui.findingsSection)
    assert slicer.util.saveScene(str(tmp_path / "run.mrb"))
    slicer.mrmlScene.Clear(0)
    detected.update()
    assert not label.isVisibleTo(detected.ui.findingsSection)
    slicer.util.loadScene(str(tmp_path / "run.mrb"))
    detected.update()
    assert "A stub wrote this." in label.text
    run = runOf(detected.parameters.segmentation)
    assert run["model"] == "Model petct-phantom"
    assert run["settings"]["scorer"] == "kde"


@pytest.mark.parametrize("text", [None, "", "no JSON", "[1]", '{"warnings": 3}'])
def test_of_anything_else_there_is_no_run(text: Any) -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    if text is not None:
        node.SetAttribute(RUN_ATTRIBUTE, text)
    assert warningsOf(node) == []
    assert warningsOf(None) == []
