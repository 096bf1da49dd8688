"""Surfaces made in pieces are those that Slicer makes at once; the window lives meanwhile."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import qt
import slicer  # slicer.util looks for qt
from PETAnomalyLib.engine.findings.measures import measure
from PETAnomalyLib.panel.scene import findings_segmentation as drawing
from PETAnomalyLib.panel.scene.surfaces import SURFACE, SurfaceMaker
from studies import addSegmentation, addStudy, image, petArray, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture
def node() -> Any:
    """Twenty findings, two of them at the image's border."""
    pet, _ct = addStudy()
    labels = np.zeros(petArray().shape, np.uint16)
    labels[0:3, 10:12, 10:13] = 19
    labels[20:24, 33:36, 37:40] = 20
    for number in range(1, 19):
        k, j, i = 5 + 2 * number, 4 + number, 2 * number
        labels[k : k + 3, j : j + 2, i : i + 3] = number
    findings = measure(image(labels), image(petArray()), image(petArray()))
    return addSegmentation(pet, labels, findings)


def surface(node: Any, identifier: str) -> Any:
    return node.GetSegmentation().GetSegment(identifier).GetRepresentation(SURFACE)


def test_each_has_slicers_own_surface(node: Any) -> None:
    done: list[bool] = []
    maker = SurfaceMaker()
    maker.onDone = lambda: done.append(True)
    maker.start(node)
    assert waitUntil(lambda: bool(done), 20.0)
    own = {name: surface(node, name).GetBounds() for name in drawing.segmentIds(node)}
    area = {name: surface(node, name).GetNumberOfCells() for name in own}
    node.GetSegmentation().RemoveRepresentation(SURFACE)
    node.CreateClosedSurfaceRepresentation()
    for name, bounds in own.items():
        assert bounds == pytest.approx(surface(node, name).GetBounds(), abs=1e-3)
        assert area[name] == surface(node, name).GetNumberOfCells()


def test_between_two_surfaces_the_window_lives(node: Any) -> None:
    ticks: list[int] = []
    timer = qt.QTimer()
    timer.setInterval(0)
    maker = SurfaceMaker()
    timer.timeout.connect(
        lambda: ticks.append(sum(surface(node, n) is not None for n in drawing.segmentIds(node)))
    )
    timer.start()
    maker.start(node)
    assert waitUntil(lambda: not maker.isBusy, 20.0)
    timer.stop()
    assert len(set(ticks)) > 10  # it was seen in between how many there were


def test_a_segmentation_that_goes_meanwhile_is_survived(node: Any) -> None:
    done: list[bool] = []
    maker = SurfaceMaker()
    maker.onDone = lambda: done.append(True)
    maker.start(node)
    slicer.mrmlScene.RemoveNode(node)
    assert waitUntil(lambda: not maker.isBusy, 5.0)
    assert done == []
