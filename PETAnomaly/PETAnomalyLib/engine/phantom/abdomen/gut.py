"""A stretch of gut along a line: wall, contents, gas over fluid, restless uptake, hot segments."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas, Mask
from PETAnomalyLib.engine.phantom.canvas.lines import Vector
from PETAnomalyLib.engine.phantom.canvas.shapes import Shape, paint
from PETAnomalyLib.engine.phantom.mean_uptake import steady_mean
from PETAnomalyLib.engine.phantom.organs import OPEN_BELLY

LUMEN_UPTAKE = 0.6  # of the wall's; FDG is secreted into the lumen and held by its mucus
GAS_UPTAKE = 0.15  # of the wall's
LEAST_REST = 0.75  # of a gut's mean uptake that is left beside hot segments
GAS_HU = -900.0
NO_GAS, ALL_GAS = -9.0, 9.0


@dataclass
class Contents:
    """What a gut holds, by segments of its line.

    Attributes:
        hu: of fluid or stool.
        gas: gas lies where a voxel is more than -`gas` radii in front of the line: 9 everywhere,
            -9 nowhere, 0 in the front half.
    """

    hu: Vector
    gas: Vector


def draw_contents(
    rng: Generator, count: int, gas: float, low_hu: float, high_hu: float, oral: bool
) -> Contents:
    """Stretches of gas (a share `gas` of them), fluid or stool, and oral contrast medium."""
    hu, level = np.empty(count), np.full(count, NO_GAS)
    at = 0
    while at < count:
        end = at + int(rng.integers(3, 12))
        hu[at:end] = rng.uniform(low_hu, high_hu)
        if oral and rng.random() < 0.5:
            hu[at:end] = rng.uniform(110, 350)
        if rng.random() < gas:
            level[at:end] = ALL_GAS if rng.random() < 0.4 else rng.uniform(-0.4, 0.5)
        at = end
    return Contents(hu, level)


def restless(rng: Generator, count: int, spread: float = 0.22) -> Vector:
    """Relative uptake along a gut, about 1."""
    noise = np.convolve(rng.normal(0, 1, count + 9), np.ones(9) / 3, "same")[:count]
    return np.clip(1 + spread * noise, 0.5, 1.8)


def hot_segments(rng: Generator, count: int, number: int, low: float, high: float) -> Vector:
    """SUV (g/ml) of `number` hot segments along a gut, log-uniform; 0 elsewhere."""
    along = np.zeros(count)
    for _ in range(number):
        at, length = int(rng.integers(0, count)), int(rng.integers(2, 12))
        hot = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        part = along[at : at + length]
        rise = 0.55 + 0.45 * np.sin(np.pi * (np.arange(len(part)) + 0.5) / length)
        along[at : at + length] = np.maximum(part, hot * rise * rng.uniform(0.8, 1.2, len(part)))
    return along


def paint_gut(
    canvas: Canvas,
    line: Vector,
    tube: Shape,
    organ: int,
    suv: float,
    wall_hu: float,
    contents: Contents,
    along: Vector,
    hot: Vector,
    volume_ml: float | None,
    wall_mm: float = 4.0,
    only: Mask | None = None,
) -> Mask:
    """Paint a gut of mean uptake `suv` with wall and lumen.

    Args:
        canvas: painted on.
        line: knots of the tube (n x 4: x, y, z, radius; reference mm).
        tube: of `line`.
        organ: its code.
        suv: mean of wall, contents and gas, g/ml.
        wall_hu: of the wall.
        contents, along, hot: by segments: lumen, relative uptake, SUV of hot segments.
        volume_ml: wall, contents and gas together.
        wall_mm: thickness.
        only: voxels of the box that it keeps to.

    Returns:
        Which voxels of the box were painted.
    """
    inside = paint(canvas, tube, organ, None, wall_hu, OPEN_BELLY, volume_ml, only)
    if not inside.any() or tube.segment is None:
        return inside
    number = tube.segment[inside]
    level = tube.level[inside]
    radius = (0.5 * (line[:-1, 3] + line[1:, 3]))[number]
    middle = (0.5 * (line[:-1, 1] + line[1:, 1]))[number]
    lumen = level < level.max() - wall_mm / radius
    gas = lumen & (canvas.y[tube.box][inside] - middle < contents.gas[number] * radius)
    relative = np.where(gas, GAS_UPTAKE, np.where(lumen, LUMEN_UPTAKE, 1.0))
    warm = hot[number] * relative
    relative *= along[number] * (1 + 0.1 * canvas.rough[2][tube.box][inside])
    relative *= suv / steady_mean(relative)
    # What hot segments add, the rest of the gut lacks, as far as it can.
    excess = steady_mean(np.maximum(relative, warm)) / suv - 1
    relative *= max(LEAST_REST, 1 - excess)
    canvas.suv[tube.box][inside] = np.maximum(relative, warm)
    hu = np.where(gas, GAS_HU, np.where(lumen, contents.hu[number], wall_hu))
    canvas.hu[tube.box][inside] = hu
    return inside
