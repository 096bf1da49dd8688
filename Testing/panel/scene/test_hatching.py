"""Where a study is unlike what the model knows, it is hatched, and seen through the hatching."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
from harness.slices import sliceImage
from open_panel import openPanel, settled
from PETAnomalyLib.panel.parameters import foreignRegions
from PETAnomalyLib.panel.scene.hatching import hatched
from scipy import ndimage
from studies import addStudy, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture
def foreign(scene: Any, tmp_path: Path) -> Iterator[Any]:
    """A panel after a run that found the lowest third of the body foreign, the views there."""
    assert scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    with openPanel(tmp_path, "foreign") as panel:
        panel.parameters.pet, panel.parameters.ct = addStudy()
        panel.update()
        panel.ui.detectButton.click()
        assert waitUntil(lambda: panel.parameters.table is not None)
        settled(panel)
        panel.update()
        goThere()
        yield panel


def goThere() -> None:
    """All views into the lowest third."""
    slicer.vtkMRMLSliceNode.JumpAllSlices(
        slicer.mrmlScene, 0, 0, -850, slicer.vtkMRMLSliceNode.CenteredJumpSlice
    )


def voxels(panel: Any, segment: str) -> np.ndarray:
    parameters = panel.parameters
    return slicer.util.arrayFromSegmentBinaryLabelmap(parameters.foreign, segment, parameters.pet)


@pytest.mark.parametrize("spacing", [(4.0, 4.0, 3.0), (2.0, 2.0, 5.0), (1.0, 1.0, 1.0)])
def test_every_plane_through_a_region_has_stripes_and_gaps(spacing: tuple) -> None:
    mask = np.ones((40, 40, 40), np.uint8)
    mask[5:35, 6:34, 4:36] = 2
    made = hatched(mask, spacing)
    assert made is not None
    assert made.region.start == made.stripes.start == (5, 6, 4)
    assert made.region.voxels.shape == (30, 28, 32)
    assert made.region.voxels.all()
    for axis in range(3):
        for plane in np.moveaxis(made.stripes.voxels, axis, 0):
            assert 0.1 < plane.mean() < 0.4
            _numbered, pieces = ndimage.label(plane, np.ones((3, 3)))
            assert pieces < 20  # lines, not dots


def test_nothing_is_hatched_where_nothing_is_foreign() -> None:
    assert hatched(np.ones((3, 3, 3), np.uint8), (1.0, 1.0, 1.0)) is None


def test_what_the_mask_says_is_hatched_and_outlined(foreign: Any) -> None:
    mask = slicer.util.arrayFromVolume(foreign.parameters.scoredMask)
    region, stripes = voxels(foreign, "Region"), voxels(foreign, "Stripes")
    assert np.array_equal(region > 0, mask == 2)
    assert not stripes[mask != 2].any()
    assert 0.1 < stripes[mask == 2].mean() < 0.4


def test_it_is_seen_in_every_view_and_most_of_what_lies_beneath_too(foreign: Any) -> None:
    ui = foreign.ui
    for name in ("Red", "Green", "Yellow"):
        hatchedView = sliceImage(name).astype(int)
        ui.hatchingCheck.checked = False
        foreign.update()
        plain = sliceImage(name).astype(int)
        changed = np.abs(hatchedView - plain).max(axis=2) > 10
        body = plain.max(axis=2) > 20
        assert changed.any()
        assert changed[body].mean() < 0.4
        ui.hatchingCheck.checked = True
        foreign.update()
        assert np.array_equal(sliceImage(name), hatchedView)


def test_the_warning_stands_above_the_findings(foreign: Any) -> None:
    foreign.widget.show()
    label, table = foreign.ui.warningState, foreign.ui.findingsTable
    waitUntil(lambda: False, 0.05)
    assert label.visible
    assert "A third is foreign." in label.text
    assert label.y < table.y
    foreign.widget.hide()


def test_a_saved_scene_brings_it_back_with_its_switch(foreign: Any, tmp_path: Path) -> None:
    before = voxels(foreign, "Stripes")
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    foreign.update()
    assert np.array_equal(voxels(foreign, "Stripes"), before)
    goThere()
    seen = sliceImage("Red")
    foreign.ui.hatchingCheck.checked = False
    foreign.update()
    assert not np.array_equal(sliceImage("Red"), seen)


def test_another_pet_is_not_hatched_and_a_run_takes_the_last_ones_away(foreign: Any) -> None:
    parameters, first = foreign.parameters, foreign.parameters.foreign
    pet = parameters.pet
    other = slicer.modules.volumes.logic().CloneVolume(slicer.mrmlScene, pet, "other")
    parameters.pet = other
    foreign.update()
    assert foreignRegions(parameters) is None
    assert not first.GetDisplayNode().GetVisibility2D()
    assert not foreign.ui.hatchingCheck.enabled
    parameters.pet = pet
    foreign.update()
    assert first.GetDisplayNode().GetVisibility2D()
    parameters.replaceResults = True
    foreign.ui.detectButton.click()
    assert waitUntil(lambda: parameters.foreign is not None and parameters.foreign is not first)
    settled(foreign)
    assert first.GetScene() is None


def test_a_study_that_the_model_knows_has_none(detected: Any) -> None:
    assert detected.parameters.foreign is None
    assert not detected.ui.hatchingCheck.enabled
