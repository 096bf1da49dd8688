"""The voxels of a scanner: they hold the patient, and labels lie where their organ is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.patient.patient import draw_patient
from PETAnomalyLib.engine.phantom.scanner.image_grid import MOST_VOXELS, ImageGrid, image_grid
from PETAnomalyLib.engine.phantom.scanner.scanners import MODELS, Model, draw_scanner

SEED = 12


def grid_of(model: Model) -> tuple[Canvas, ImageGrid]:
    patient = draw_patient(SEED)
    canvas = Canvas(patient.pose, (240.0, 150.0), SEED)
    return canvas, image_grid(canvas, patient, replace(draw_scanner(patient), model=model))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
def test_every_scanner_holds_the_whole_patient(model: Model) -> None:
    canvas, grid = grid_of(model)
    assert grid.spacing_mm == model.spacing_mm
    assert all(1.6 <= mm <= 5.5 for mm in grid.spacing_mm)
    for axis in range(3):
        positions = grid.axis(axis)
        beyond = 0 if axis == 0 else 1
        assert positions[0] <= canvas.axes[axis][0] + 4 - 4 * beyond
        assert positions[-1] >= canvas.axes[axis][-1] - 4 + 4 * beyond - grid.spacing_mm[2 - axis]
    full = (grid.size[0], grid.size[1]) == (model.matrix, model.matrix)
    assert full or np.prod(grid.size) < model.matrix**2 * grid.size[2]
    assert full == (model.matrix**2 * grid.size[2] <= MOST_VOXELS)


def test_labels_lie_where_their_voxels_are() -> None:
    for model in MODELS[::4]:
        canvas, grid = grid_of(model)
        labels = np.zeros(canvas.shape, np.uint8)
        labels[100:120, 20:30, 80:95] = 7
        found = np.argwhere(grid.nearest(labels) == 7)
        spacing = np.array(grid.spacing_mm[::-1])
        assert len(found) * spacing.prod() == pytest.approx(20 * 10 * 15 * 64, rel=0.12)
        middle = found.mean(0) * spacing + np.array(grid.first_mm[::-1])
        wanted = [canvas.axes[0][100:120], canvas.axes[1][20:30], canvas.axes[2][80:95]]
        assert middle == pytest.approx([axis.mean() for axis in wanted], abs=1.5)


def test_an_image_lies_where_the_grid_says() -> None:
    _, grid = grid_of(MODELS[0])
    image = grid.image(np.zeros(grid.shape, np.float32))
    assert image.GetSize() == grid.size
    assert image.GetSpacing() == grid.spacing_mm
    assert image.GetOrigin() == grid.origin_lps_mm
    assert image.GetDirection() == (1, 0, 0, 0, 1, 0, 0, 0, 1)


def test_what_is_outside_of_the_box_is_filled() -> None:
    _, grid = grid_of(MODELS[0])
    part = np.ones([extent.stop - extent.start for extent in grid.box], np.float32)
    whole = grid.whole(part, -5)
    assert whole.shape == grid.shape
    assert (whole == 1).sum() == part.size
    assert set(np.unique(whole)) == {-5, 1}


def test_many_kinds_of_scanners_are_drawn() -> None:
    drawn = [draw_scanner(draw_patient(seed)) for seed in range(60)]
    names = {scanner.model.name for scanner in drawn}
    assert len(names) >= 9
    assert all(4 <= scanner.fwhm_mm <= 8 for scanner in drawn)
    recovered = [scanner.overshoot > 0 for scanner in drawn]
    assert 0.2 < np.mean(recovered) < 0.9
    fine = [np.prod(scanner.model.spacing_mm) < 10 for scanner in drawn]
    assert np.mean(fine) < 0.2  # their phantoms take longer
