from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
from PETAnomalyLib.engine.findings.delineation import delineate
from PETAnomalyLib.engine.findings.measures import measure
from PETAnomalyLib.panel.scene.drawing import DrawSettings, FindingsDrawer
from studies import addStudy, addVolume, image, petArray, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture
def study() -> Any:
    pet, _ct = addStudy()
    return pet, addVolume("map", petArray() * 1.5 - 2.0)


@pytest.fixture
def drawn() -> Any:
    drawings: list = []
    redraw = FindingsDrawer()
    redraw.onDrawn = drawings.append
    yield redraw, drawings
    redraw.forget()


def test_the_findings_are_the_engines_own(study: Any, drawn: Any) -> None:
    redraw, drawings = drawn
    redraw.request(*study, None, DrawSettings(3.0, 0.4, 0.5))
    assert waitUntil(lambda: bool(drawings))
    pet, score = image(petArray()), image((petArray() * 1.5 - 2.0).astype(np.float32))
    expected = delineate(score, pet, 3.0, grow=0.4, min_volume_ml=0.5)
    wanted = measure(expected.labels, pet, score, expected.growth_limited)
    assert [f.mtv_ml for f in drawings[0].findings] == [f.mtv_ml for f in wanted]
    assert [f.suv_peak for f in drawings[0].findings] == pytest.approx([f.suv_peak for f in wanted])


def test_of_many_requests_the_last_is_drawn(study: Any, drawn: Any) -> None:
    redraw, drawings = drawn
    for value in np.linspace(1.0, 9.0, 30):
        redraw.request(*study, None, DrawSettings(float(value), 0.4, 0.5))
    assert waitUntil(lambda: not redraw.isPending)
    assert drawings[-1].settings.threshold == 9.0
    assert len(drawings) < 5


def test_nothing_starts_outside_the_mask(study: Any, drawn: Any) -> None:
    redraw, drawings = drawn
    mask = np.ones(petArray().shape, np.uint8)
    mask[30:] = 0
    redraw.request(*study, addVolume("mask", mask), DrawSettings(3.0, 0.4, 0.5))
    assert waitUntil(lambda: bool(drawings))
    assert [f.suv_max for f in drawings[0].findings] == [9.0]


def test_changed_voxels_are_seen_without_being_told(study: Any, drawn: Any) -> None:
    redraw, drawings = drawn
    redraw.request(*study, None, DrawSettings(3.0, 0.4, 0.5))
    assert waitUntil(lambda: len(drawings) == 1)
    voxels = slicer.util.arrayFromVolume(study[1])
    voxels[30:] = -5.0
    slicer.util.arrayFromVolumeModified(study[1])
    redraw.request(*study, None, DrawSettings(3.0, 0.4, 0.5))
    assert waitUntil(lambda: len(drawings) == 2)
    assert len(drawings[1].findings) == len(drawings[0].findings) - 1


def test_a_map_on_another_grid_fails_in_words(study: Any, drawn: Any) -> None:
    redraw, _drawings = drawn
    failures: list = []
    redraw.onFailed = failures.append
    redraw.request(study[0], addVolume("cut", petArray()[:-1]), None, DrawSettings(3.0, 0.4, 0.5))
    assert waitUntil(lambda: bool(failures))
    assert "grid" in str(failures[0])


def test_after_forgetting_nothing_is_heard(study: Any, drawn: Any) -> None:
    redraw, drawings = drawn
    redraw.request(*study, None, DrawSettings(3.0, 0.4, 0.5))
    redraw.forget()
    waitUntil(lambda: False, 0.4)
    assert drawings == []
    assert not redraw.isPending
