"""What is done to a chosen volume is noticed, whoever does it."""

from __future__ import annotations

from typing import Any

import pytest
import slicer  # slicer.util looks for qt
from open_panel import openPanel
from PETAnomalyLib.panel.scene.volume_watch import VolumeWatch
from studies import addStudy, addVolume, petArray, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


def transform() -> Any:
    return slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")


def setUnits(node: Any, code: str) -> None:
    units = slicer.vtkCodedEntry()
    units.SetValueSchemeMeaning(code, "UCUM", code)
    node.SetVoxelValueUnits(units)


def test_the_panel_says_what_becomes_of_a_chosen_pet(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        pet, panel.parameters.ct = addStudy()
        panel.parameters.pet = pet

        def says(text: str) -> bool:
            return waitUntil(lambda: text in panel.ui.petState.text, 5.0)

        assert says("SUVbw, 40")
        pet.SetAndObserveTransformNodeID(transform().GetID())
        assert says("under a transform")
        assert waitUntil(lambda: not panel.ui.detectButton.enabled, 5.0)
        pet.SetAndObserveTransformNodeID(None)
        assert says("SUVbw, 40")
        setUnits(pet, "Bq/ml")
        assert says("not SUV")
        setUnits(pet, "{SUVbw}g/ml")
        slicer.util.updateVolumeFromArray(pet, petArray()[:30])
        assert says("SUVbw, 40 x 36 x 30")
        pet.SetSpacing(4.0, 4.0, 6.0)
        assert says("4.00 x 4.00 x 6.00 mm")
        slicer.mrmlScene.RemoveNode(pet.GetDisplayNode())
        assert waitUntil(lambda: pet.GetDisplayNode() is not None, 5.0)
        slicer.mrmlScene.RemoveNode(pet)
        assert waitUntil(lambda: panel.parameters.pet is None or not panel.study.pet.usable, 5.0)


def test_only_the_present_choice_is_watched() -> None:
    first, second = addVolume("first", petArray()), addVolume("second", petArray())
    heard: list[bool] = []
    watch = VolumeWatch()
    watch.onChanged = lambda: heard.append(True)
    watch.watch((first, None))
    watch.watch((second, second))
    first.SetAndObserveTransformNodeID(transform().GetID())
    assert heard == []
    second.GetDisplayNode().SetWindow(3.0)
    assert heard
    heard.clear()
    watch.watch(())
    second.SetSpacing(2.0, 2.0, 2.0)
    assert heard == []
