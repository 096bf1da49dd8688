"""Breathing: PET averages over minutes of it, CT shows a moment, perhaps with the breath held."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.canvas import STEP_MM, Canvas
from PETAnomalyLib.engine.phantom.canvas.waves import Array
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.scanner.sampling import WEIGHT_STEPS, Matrix, mixed_slices

# Body z, and how far organs there move with the domes of the diaphragm, relative to these.
MOVEMENT = np.array([(110, 0), (200, 0.4), (330, 0.95), (400, 1), (450, 0.6), (545, 0)])
STANDING = (Organ.CORTEX, Organ.MARROW, Organ.DISC, Organ.SPINAL_CORD)
PHASES = 16


class Breathing:
    """Which slices move, which of their voxels do, and how.

    Attributes:
        slab: slices of the canvas.
        weight: of the slab's voxels, 1 where they move with the organs.
    """

    def __init__(self, canvas: Canvas, envelope: Envelope) -> None:
        z = canvas.z[:, canvas.shape[1] // 2, canvas.shape[2] // 2]
        movement = np.interp(z, MOVEMENT[:, 0], MOVEMENT[:, 1])
        moving = np.flatnonzero(movement > 0.02)
        self.slab = slice(int(moving[0]), int(moving[-1]) + 1) if len(moving) > 3 else slice(0, 0)
        self._movement = movement[self.slab]
        self.weight = np.clip((1.08 - envelope.cavity[self.slab]) * 10, 0, 1)
        self.weight *= ~canvas.where((self.slab, slice(None), slice(None)), STANDING)

    def averaged(self, values: Array, breath_mm: float, steps: float) -> Array:
        """The slab of `values` (k, j, i), averaged over breaths `breath_mm` deep.

        The chest rests at end-expiration for most of a breath (Lujan et al. 1999).
        """
        phases = np.cos(np.pi * (np.arange(PHASES) + 0.5) / PHASES) ** 6
        weights = np.mean([self._weights(breath_mm * float(phase)) for phase in phases], axis=0)
        return self._moved(values, weights, steps)

    def at(self, values: Array, breath_mm: float, steps: float) -> Array:
        """The slab of `values` (k, j, i) when the domes stand `breath_mm` below expiration."""
        return self._moved(values, self._weights(breath_mm), steps)

    def _weights(self, breath_mm: float) -> Matrix:
        count = len(self._movement)
        from_where = np.arange(count) + breath_mm / STEP_MM * self._movement
        apart = np.clip(from_where, 0, count - 1)[:, None] - np.arange(count)
        weights: Matrix = np.maximum(0, 1 - np.abs(apart))
        return weights

    def _moved(self, values: Array, weights: Matrix, steps: float) -> Array:
        part = values[self.slab]
        if not len(part):
            return part
        moved = mixed_slices(part, np.rint(weights * WEIGHT_STEPS), steps)
        moved -= part
        moved *= self.weight
        moved += part
        return moved
