"""Lymph nodes: where their stations lie, and which of them a cancer has reached."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.frame.envelope import spine_y

CLUSTERED = 0.8  # how far nodes lie about, in the spread of their station
SAME_SIDE = 0.75  # share of the stations that a cancer reaches on its own side


@dataclass(frozen=True)
class Station:
    """A station of nodes: body coordinates of its left side and their spread, mm."""

    name: str
    region: str
    middle: tuple[float, float, float]
    spread: tuple[float, float, float]


STATIONS = (
    Station("neck", "neck", (42, 2, 622), (8, 8, 16)),
    Station("lower neck", "neck", (44, 0, 585), (8, 8, 10)),
    Station("supraclavicular", "neck", (50, -8, 560), (10, 8, 6)),
    Station("axilla", "axilla", (126, 2, 490), (8, 12, 18)),
    Station("upper mediastinum", "chest", (14, -18, 508), (10, 12, 10)),
    Station("lower mediastinum", "chest", (12, 14, 462), (12, 8, 16)),
    Station("hilum", "chest", (38, 14, 455), (6, 8, 10)),
    Station("internal mammary", "axilla", (22, -76, 450), (4, 4, 25)),
    Station("liver hilum", "belly", (-18, -26, 282), (10, 8, 10)),
    Station("stomach", "belly", (40, -16, 300), (14, 10, 16)),
    Station("retroperitoneum", "belly", (24, 0, 215), (8, 8, 40)),
    Station("mesentery", "belly", (22, -40, 180), (25, 14, 35)),
    Station("common iliac", "pelvis", (40, 14, 110), (6, 6, 14)),
    Station("external iliac", "pelvis", (68, -24, 55), (6, 8, 14)),
    Station("internal iliac", "pelvis", (52, 22, 55), (5, 10, 14)),
    Station("inguinal", "pelvis", (74, -72, 4), (8, 6, 16)),
)
ONE_SIDED = ("liver hilum", "stomach")


@dataclass(frozen=True)
class Reached:
    """A station of one side, +1 the patient's left, -1 the right."""

    station: Station
    side: int

    def place(self, rng: Generator) -> Vector:
        """Body coordinates of a node of it."""
        place = np.array(self.station.middle, float)
        place += rng.normal(0, CLUSTERED, 3) * self.station.spread
        if self.station.name not in ONE_SIDED:
            place[0] *= self.side
        if self.station.name == "retroperitoneum":
            place[1] = spine_y(place[2]) - 30 + rng.normal(0, 6)
        return place


def any_station(rng: Generator) -> Reached:
    """A station of either side."""
    return Reached(STATIONS[int(rng.integers(len(STATIONS)))], int(rng.choice([-1, 1])))


def reached_stations(rng: Generator, regions: tuple[str, ...]) -> tuple[Reached, ...]:
    """The stations that a cancer has reached: some, and mostly those of its side.

    Args:
        rng: decides.
        regions: where it spreads to, one as often as it is named; none: to all, and both sides.
    """
    side = int(rng.choice([-1, 1]))
    same, count = (SAME_SIDE, 1 + rng.poisson(1.5)) if regions else (0.5, 2 + rng.poisson(2.5))
    weights = np.array([regions.count(one.region) if regions else 1 for one in STATIONS], float)
    count = min(int(count), int((weights > 0).sum()))
    drawn = rng.choice(len(STATIONS), count, replace=False, p=weights / weights.sum())
    return tuple(
        Reached(STATIONS[int(number)], side if rng.random() < same else -side) for number in drawn
    )
