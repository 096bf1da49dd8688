"""Where in MNI space what lies: lobes, vascular territories, cerebellum and brainstem.

Coordinates are mm of MNI space on the right side; the left mirrors it. Borders are those of the
nearest of a few centres each, good to a centimetre or so: no atlas comes with nilearn.
"""

from __future__ import annotations

import numpy as np

from PETAnomalyLib.engine.phantom.brain.grid import Array, Point

LOBES: dict[str, tuple[Point, ...]] = {
    "frontal": ((20, 50, 5), (12, 40, 35), (40, 30, 15), (30, 10, 50), (12, -5, 60), (25, 30, -12)),
    "parietal": ((35, -35, 50), (20, -60, 50), (48, -40, 35), (12, -45, 60), (10, -55, 38)),
    "temporal": ((50, -5, -25), (55, -30, -8), (38, 5, -32), (30, -20, -22), (50, -50, -5)),
    "occipital": ((15, -88, 5), (30, -82, 10), (12, -75, -5), (22, -88, -8)),
    "deep": ((14, 5, 8), (26, 2, 2), (12, -18, 8), (36, 2, 4)),
}
"""Centres of lobes; "deep" is basal ganglia, thalamus and insula."""

TERRITORIES: dict[str, tuple[Point, ...]] = {
    "anterior cerebral artery": (
        (6, 52, 2), (7, 40, 25), (7, 20, 45), (8, -5, 62), (8, -30, 62), (6, 25, 22),
    ),
    "middle cerebral artery": (
        (42, 35, 8), (45, 18, 28), (48, -5, 35), (50, -28, 40), (46, -52, 35), (52, -40, 8),
        (55, -15, -5), (42, 8, -22), (40, 5, 0), (30, 25, 30), (38, -15, 55), (30, -30, 28),
    ),
    "posterior cerebral artery": (
        (10, -85, 5), (14, -70, 0), (25, -80, -5), (28, -50, -14), (26, -22, -22), (10, -65, 20),
    ),
    "lenticulostriate arteries": ((24, 4, 6), (17, 10, 12), (26, -10, 6)),
    "thalamic perforators": ((11, -18, 8),),
    "superior cerebellar artery": ((14, -55, -18), (32, -58, -28)),
    "inferior cerebellar arteries": ((20, -65, -48), (38, -60, -42)),
    "pontine perforators": ((4, -26, -34),),
}  # fmt: skip
"""Centres of vascular territories, after the territories as they are usually drawn (Tatu et al.
1998, Neurology 50:1699)."""


def nearest(places: dict[str, tuple[Point, ...]], point: Point) -> str:
    """The name of the place one of whose centres is nearest."""
    x, y, z = abs(point[0]), point[1], point[2]
    return min(
        places, key=lambda name: min((x - a) ** 2 + (y - b) ** 2 + (z - c) ** 2
                                     for a, b, c in places[name])
    )  # fmt: skip


def territory_margin(name: str, side: int, z: Array, y: Array, x: Array) -> Array:
    """Half of how much nearer a territory's centres are than those of all others, mm.

    Args:
        name: of `TERRITORIES`.
        side: 1 right, -1 left.
        z, y, x: MNI coordinates that broadcast.
    """

    def distance(names: list[str]) -> Array:
        centres = [centre for other in names for centre in TERRITORIES[other]]
        away = [(x - side * a) ** 2 + (y - b) ** 2 + (z - c) ** 2 for a, b, c in centres]
        nearest_one: Array = np.sqrt(np.minimum.reduce(away)).astype(np.float32)
        return nearest_one

    others = [other for other in TERRITORIES if other != name]
    return (distance(others) - distance([name])) / np.float32(2)


def infratentorial(z: Array, y: Array, x: Array) -> Array:
    """Above 0 in cerebellum and brainstem: about the distance to the tentorium, mm."""
    tent = -5 - 0.42 * np.abs(x) - 0.7 * np.maximum(-66 - y, 0)
    cerebellum = np.minimum(tent - z, -34 - y)
    brainstem = np.minimum(np.minimum(-9 - z, 20 - np.abs(x)), -8 - y)
    return np.maximum(cerebellum, brainstem)


def place_name(point: Point) -> str:
    """A place in words: "left frontal lobe", "right cerebellum", "brainstem"."""
    x, y, z = point
    side = "right" if x >= 0 else "left"
    if infratentorial(*(np.array([value], np.float32) for value in (z, y, x)))[0] > 0:
        return "brainstem" if abs(x) < 16 and y > -42 else f"{side} cerebellum"
    lobe = nearest(LOBES, point)
    return f"{side} deep grey and insula" if lobe == "deep" else f"{side} {lobe} lobe"
