"""Threshold and growing: what the controls show, and the way back."""

from __future__ import annotations

from typing import Any

import ctk
import numpy as np
import pytest
import slicer  # slicer.util looks for qt
from open_panel import settled
from studies import petArray, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


def test_the_models_defaults_come_back_by_one_click(detected: Any) -> None:
    parameters = detected.parameters
    parameters.growth = 0.5
    parameters.minimumVolume = 5.0
    detected.ui.thresholdSlider.value = 5.0
    detected.update()
    assert waitUntil(lambda: len(detected.findings.rows()) == 1)
    detected.ui.resetButton.click()
    assert waitUntil(lambda: len(detected.findings.rows()) == 2)
    assert parameters.growth == 0.4
    assert parameters.minimumVolume == 0.5
    detected.update()
    assert detected.ui.thresholdSlider.value == pytest.approx(3.0)


def test_the_threshold_slider_takes_the_step_of_a_map_with_a_far_wider_range(
    detected: Any, caplog: Any
) -> None:
    slider = detected.ui.thresholdSlider
    slider.blockSignals(True)
    slider.decimals = 6
    slider.minimum, slider.maximum, slider.singleStep = 0.0, 1e-3, 1e-6
    slider.blockSignals(False)
    detected.findings.delineation._range = ()
    detected.update()
    assert slider.singleStep == pytest.approx(detected.findings.delineation._range[1].step)
    assert "outside of valid bounds" not in caplog.text


def test_the_threshold_sliders_decimals_are_its_own(detected: Any) -> None:
    smoothing = ctk.ctkSliderWidget(detected.ui.editorFrame)  # as in the editor's Smoothing effect
    smoothing.decimals = 2
    detected.ui.thresholdSlider.decimals = 0
    assert smoothing.decimals == 2


def test_at_its_lowest_without_growing_the_body_is_drawn_and_no_air(detected: Any) -> None:
    parameters, slider = detected.parameters, detected.ui.thresholdSlider
    parameters.growth = 0.0
    detected.update()
    slider.value = slider.minimum
    detected.update()
    settled(detected)
    rows = detected.findings.rows()
    body = (petArray() > 0).sum() * np.prod(parameters.pet.GetSpacing()) / 1000
    assert rows
    assert sum(row.finding.mtv_ml for row in rows) <= 1.001 * body
    mask = slicer.util.arrayFromVolume(parameters.scoredMask)
    mask[mask.shape[0] // 2 :] = 0  # the model saw the lower half only
    slicer.util.arrayFromVolumeModified(parameters.scoredMask)
    slider.value = slider.minimum + slider.singleStep
    detected.update()
    settled(detected)
    for row in detected.findings.rows():
        inside = slicer.util.arrayFromSegmentBinaryLabelmap(
            parameters.segmentation, row.segment, parameters.pet
        )
        assert not inside[mask == 0].any()
