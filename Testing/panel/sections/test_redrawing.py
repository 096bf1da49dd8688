"""What a hand did is lost only after asking."""

from __future__ import annotations

from typing import Any

import pytest
import slicer  # slicer.util looks for qt
from open_panel import settled
from PETAnomalyLib.panel.scene.result_nodes import addSegmentation
from studies import waitUntil

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture
def answers(monkeypatch: Any) -> list[bool]:
    """What is answered to the next questions, in turn; a question too many fails the test."""
    given: list[bool] = []
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_a, **_k: given.pop(0))
    return given


def test_a_run_replaces_findings_changed_by_hand_only_after_asking(
    detected: Any, answers: list[bool]
) -> None:
    detected.ui.replaceCheck.checked = True
    detected.findings.correction.delete(["Finding_2"])
    mine = detected.parameters.segmentation
    answers[:] = [False]
    detected.ui.detectButton.click()
    assert not detected.task.isRunning
    assert detected.parameters.segmentation is mine
    answers[:] = [True]
    detected.ui.detectButton.click()
    assert waitUntil(lambda: not detected.task.isRunning)
    assert mine.GetScene() is None
    assert not detected.parameters.handEdited


@pytest.mark.slow
def test_what_a_hand_changes_during_a_run_stays_in_the_scene(
    detected: Any, answers: list[bool]
) -> None:
    detected.ui.replaceCheck.checked = True
    mine = detected.parameters.segmentation
    detected.ui.detectButton.click()
    assert detected.task.isRunning
    detected.findings.correction.delete(["Finding_2"])
    assert waitUntil(lambda: not detected.task.isRunning)
    assert mine.GetScene() is slicer.mrmlScene
    assert detected.parameters.segmentation is not mine
    assert answers == []


def test_a_hand_that_is_quicker_than_a_redraw_is_asked(detected: Any, answers: list[bool]) -> None:
    answers[:] = [False]
    detected.ui.thresholdSlider.value = 2.0
    detected.update()
    assert detected.findings.redrawing.isPending
    detected.findings.correction.delete(["Finding_2"])
    assert settled(detected)
    detected.update()
    assert [row.segment for row in detected.findings.rows()] == ["Finding_1"]
    assert detected.ui.thresholdSlider.value == pytest.approx(3.0)
    assert not detected.findings.redrawing.isPending
    assert answers == []


def test_a_redraw_that_a_new_run_overtakes_does_not_touch_its_findings(detected: Any) -> None:
    detected.ui.thresholdSlider.value = 9.0
    detected.update()
    assert detected.findings.redrawing.isPending
    new = addSegmentation("of a new run", detected.parameters.pet)
    detected.parameters.segmentation = new
    detected.update()
    assert not detected.findings.redrawing.isPending
    assert settled(detected)
    assert new.GetSegmentation().GetNumberOfSegments() == 0
