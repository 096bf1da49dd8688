"""Metal in the CT: it blinds whole rows of rays, which come out as streaks and dark bands."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from PETAnomalyLib.engine.phantom.canvas.canvas import STEP_MM, Canvas
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.organs import Organ

REACH_MM = 110.0
STREAK_HU, BAND_HU = 170.0, 220.0
LEAST_VOXELS = 3  # of metal: a wire makes no streaks that PET voxels would show


def add_metal_streaks(hu: Array, canvas: Canvas, rng: np.random.Generator) -> None:
    """Add streaks round every piece of metal to `hu` (k, j, i) in place."""
    metal = canvas.organ == Organ.METAL
    slices = np.flatnonzero(metal.any((1, 2)))
    if not len(slices):
        return
    phase = rng.uniform(0, 2 * np.pi, 4)
    for k in slices:
        pieces, count = ndimage.label(metal[k], np.ones((3, 3)))
        for piece in range(1, count + 1):
            _streak(hu[k], pieces == piece, phase + 0.4 * rng.normal(size=4))


def _streak(hu: Array, piece: np.ndarray, phase: np.ndarray) -> None:
    """Rays round one piece in one slice, (j, i): darkest along its longer axis."""
    rows, columns = np.nonzero(piece)
    if len(rows) < LEAST_VOXELS:
        return
    reach = int(REACH_MM / STEP_MM)
    middle = (round(rows.mean()), round(columns.mean()))
    box = tuple(
        slice(max(0, at - reach), min(n, at + reach + 1)) for at, n in zip(middle, piece.shape)
    )
    v = (np.arange(box[0].start, box[0].stop) - middle[0])[:, None] * STEP_MM
    u = (np.arange(box[1].start, box[1].stop) - middle[1])[None, :] * STEP_MM
    distance, angle = np.hypot(u, v), np.arctan2(v, u)
    fading = np.exp(-distance / 45) * np.clip(len(rows) / 25, 0.3, 1.2)
    rays = sum(np.cos(n * angle + p) for n, p in zip((4, 6, 10, 14), phase)) / 2
    spread = np.array([rows.std(), columns.std()])
    along = np.abs(np.sin(angle)) if spread[0] > spread[1] else np.abs(np.cos(angle))
    streak = fading * (STREAK_HU * rays - BAND_HU * along**6)
    part = hu[box]
    part += (streak * ((part > 300) & ~piece[box])).astype(np.float32)
