"""Colour bars: those of the volumes that a view shows, in Slicer's own nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
from harness.colour_legends import shownLegends
from harness.slices import sliceImage

pytestmark = pytest.mark.usefixtures("scene")


def titles() -> list[str]:
    logic = slicer.app.layoutManager().sliceWidget("Red").sliceLogic()
    return sorted(legend.GetTitleText() for legend in shownLegends(logic))


def test_the_bar_belongs_to_the_layer_that_is_shown(detected: Any) -> None:
    assert titles() == ["KDE nats"]
    detected.ui.showPetButton.click()
    detected.update()
    assert titles() == ["SUVbw g/ml"]
    detected.ui.showCtButton.click()
    detected.update()
    assert titles() == []
    detected.ui.showMapButton.click()
    detected.parameters.scorer = "zscore"
    detected.update()
    assert titles() == ["Z-score SD"]


def test_a_switch_takes_them_away_and_brings_them_back(detected: Any) -> None:
    with_bar = sliceImage("Red")
    detected.ui.coloursCheck.checked = False
    detected.update()
    assert titles() == []
    assert not np.array_equal(sliceImage("Red"), with_bar)
    detected.ui.coloursCheck.checked = True
    detected.update()
    assert titles() == ["KDE nats"]
    assert np.array_equal(sliceImage("Red"), with_bar)


def test_without_a_ct_both_have_room(detected: Any) -> None:
    detected.parameters.ct = None
    detected.update()
    assert titles() == ["KDE nats", "SUVbw g/ml"]
    one, other = slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
    assert abs(one.GetPosition()[0] - other.GetPosition()[0]) > one.GetSize()[0]


def test_a_bar_of_the_users_own_is_left_alone(detected: Any) -> None:
    volume = detected.parameters.zscoreMap
    own = slicer.modules.colors.logic().AddDefaultColorLegendDisplayNode(volume)
    own.SetTitleText("mine")
    detected.parameters.scorer = "zscore"
    detected.update()
    detected.ui.coloursCheck.checked = False
    detected.update()
    assert titles() == ["mine"]


def test_a_saved_scene_keeps_them(detected: Any, tmp_path: Path) -> None:
    before = len(slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode"))
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    detected.update()
    assert titles() == ["KDE nats"]
    assert len(slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")) == before
    detected.ui.coloursCheck.checked = False
    detected.update()
    assert titles() == []


def test_a_slicer_without_the_module_colors_does_without(
    detected: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(slicer.modules, "colors")
    detected.parameters.scorer = "zscore"
    detected.update()
    assert titles() == []
