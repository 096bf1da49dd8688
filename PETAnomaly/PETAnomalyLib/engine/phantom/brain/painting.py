"""From what a head is made of to the signal of each contrast."""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.brain import tissue
from PETAnomalyLib.engine.phantom.brain.anatomy import Anatomy
from PETAnomalyLib.engine.phantom.brain.grid import Array, Box
from PETAnomalyLib.engine.phantom.brain.sequences import Protocol
from PETAnomalyLib.engine.phantom.brain.subject import Subject
from PETAnomalyLib.engine.phantom.brain.tissue import Tissue


class Picture:
    """The signal of several contrasts on one grid (k x j x i), painted tissue over tissue."""

    def __init__(self, shape: tuple[int, ...], protocol: Protocol, contrasts: list[str]) -> None:
        self.protocol = protocol
        self.signals = {name: np.zeros(shape, np.float32) for name in contrasts}

    def paint(self, box: Box, part: Array, of: Tissue | None) -> None:
        """Put a tissue (None: air) over a part of each voxel of a box, 0..1."""
        for name, signal in self.signals.items():
            value = self.protocol.signal(name, of) if of is not None else 0.0
            signal[box] += part * (np.float32(value) - signal[box])

    def mix(self, box: Box, parts: list[tuple[Array, Tissue]]) -> None:
        """Put several tissues over their parts of each voxel; what is left stays."""
        rest = 1 - sum(part for part, _ in parts)
        for name, signal in self.signals.items():
            signal[box] *= rest
            for part, of in parts:
                signal[box] += part * np.float32(self.protocol.signal(name, of))


def paint_head(picture: Picture, subject: Subject, anatomy: Anatomy) -> None:
    """Scalp, skull, face and brain, without disease."""
    voxel = np.float32(anatomy.grid.step_mm)
    everywhere = (slice(None),) * 3
    around = anatomy.around
    cranium = around["cranium"]
    skull = subject.skull_mm
    surface = np.minimum(cranium - np.float32(skull + subject.scalp_mm), around["face"])

    def inside(level: Array, edge: float = 0.0) -> Array:
        """Which part of a voxel lies inside a signed distance, about."""
        return np.clip(0.5 - (level - np.float32(edge)) / voxel, 0, 1)

    def paint(part: Array, of: Tissue | None) -> None:
        picture.paint(everywhere, part, of)

    paint(inside(surface), tissue.FAT)
    paint(inside(surface) * (1 - inside(surface, -1.5)) * np.float32(0.6), tissue.MUSCLE)
    # Muscle below the fat of face and neck, with planes of fat through it.
    planes = np.sin(cranium * np.float32(0.4) + 3 * np.sin(surface * np.float32(0.11)))
    flesh = inside(surface, -6) * np.clip(1.1 + np.float32(0.45) * planes, 0, 1)
    paint(flesh * (cranium > skull + 2), tissue.MUSCLE)
    paint(inside(around["orbits"]), tissue.FAT)
    paint(inside(around["air"], 3.0) * inside(surface, -4), tissue.MUCOSA)
    paint(inside(around["air"]), None)
    paint(inside(around["eyes"], 1.2), tissue.MUSCLE)
    paint(inside(around["eyes"]), tissue.VITREOUS)
    paint(inside(cranium, skull), tissue.BONE)
    diploe = inside(cranium, 0.72 * skull) * (1 - inside(cranium, 0.3 * skull))
    paint(np.float32(0.85) * diploe * (around["face"] > 0), tissue.MARROW)
    paint(inside(around["cord"], 4.0), tissue.BONE)
    paint(inside(around["cord"]), tissue.CSF)
    paint(inside(around["cord"], -4.0), tissue.WHITE)
    paint(inside(cranium), tissue.CSF)
    csf, grey, white = anatomy.csf, anatomy.grey, anatomy.white
    picture.mix(anatomy.box, [(csf, tissue.CSF), (grey, tissue.GREY), (white, tissue.WHITE)])
    picture.paint(anatomy.box, np.float32(0.8) * anatomy.iron, tissue.IRON)
    veins = inside(around["sinus"])
    veins[anatomy.box] *= 1 - np.clip(1.5 * (grey + white), 0, 1)
    paint(veins, tissue.FLOW)
