"""The CT's usual windows, and the way back to one's own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
from harness.slices import sliceImage
from PETAnomalyLib.panel.scene import ct_windows
from studies import addVolume, petArray

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture
def ct() -> Any:
    """A CT with a window of somebody's own, alone in the views."""
    node = addVolume("CT", np.where(petArray() > 0, 40, -1000).astype(np.int16))
    node.GetDisplayNode().AutoWindowLevelOff()
    node.GetDisplayNode().SetWindowLevel(333.0, 22.0)
    slicer.util.setSliceViewerLayers(background=node, foreground=None, label=None, fit=True)
    return node


def window(node: Any) -> tuple[float, float]:
    return node.GetDisplayNode().GetWindow(), node.GetDisplayNode().GetLevel()


def test_a_ct_is_shown_as_an_abdomen_at_first_and_only_at_first(ct: Any) -> None:
    ct_windows.showFirstWindow(ct)
    assert ct_windows.shownWindow(ct) == "abdomen"
    ct.GetDisplayNode().SetWindowLevel(500.0, 100.0)
    ct_windows.showFirstWindow(ct)
    assert window(ct) == (500.0, 100.0)


@pytest.mark.parametrize("name", ct_windows.CT_WINDOWS)
def test_grey_runs_from_the_lower_to_the_upper_end_of_the_window(ct: Any, name: str) -> None:
    """Seen: water-like tissue of 40 HU has the grey that the window gives it."""
    ct_windows.showWindow(ct, name)
    width, level = ct_windows.CT_WINDOWS[name]
    height, columns, _colours = sliceImage("Red").shape
    grey = float(sliceImage("Red")[height // 2, columns // 2, 0])
    assert grey == pytest.approx(255 * (40 - (level - width / 2)) / width, abs=2)
    assert ct_windows.shownWindow(ct) == name


def test_ones_own_window_comes_back_from_whatever_was_looked_at_between(ct: Any) -> None:
    for name in ("lung", "bone", "brain"):
        ct_windows.showWindow(ct, name)
    ct_windows.showOwnWindow(ct)
    assert window(ct) == (333.0, 22.0)
    assert ct_windows.shownWindow(ct) == ""
    ct.GetDisplayNode().SetWindowLevel(700.0, -50.0)  # the mouse
    ct_windows.showWindow(ct, "lung")
    ct_windows.showOwnWindow(ct)
    assert window(ct) == (700.0, -50.0)


def test_a_window_that_slicer_found_by_itself_comes_back_as_that(ct: Any) -> None:
    ct.GetDisplayNode().AutoWindowLevelOn()
    before = window(ct)
    ct_windows.showFirstWindow(ct)
    ct_windows.showOwnWindow(ct)
    assert ct.GetDisplayNode().GetAutoWindowLevel()
    assert window(ct) == before
