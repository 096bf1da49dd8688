"""A run's curves as a picture: a panel for each figure of `log.jsonl`, training and validation."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from PETAnomalyLib.engine.figures.drawing import FAINT, INK, PAPER, Colour, font, plain, ticks

VALIDATION: Colour = (0, 130, 255)
EACH_STEP: Colour = (205, 205, 212)
WIDTH, HEIGHT = 620, 300  # of a panel, pixels
LEFT, RIGHT, ABOVE, BELOW = 82, 22, 44, 50  # of the axes in it
COLUMNS = 2
WIDE_RANGE = 20.0  # largest over smallest value: beyond it, the axis is logarithmic
SMOOTHED = 50  # pieces of the run, each drawn as its mean


@dataclass
class Curve:
    """One figure: (step, value) of the training steps and of the validations."""

    training: list[tuple[int, float]] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)


def read_curves(log: Path) -> dict[str, Curve]:
    """The curves of a `log.jsonl` by name; `x` and `validation_x` are the two sides of one."""
    curves: dict[str, Curve] = {}
    for line in log.read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        step = entry.pop("step")
        del entry["seconds"]
        is_validation = any(name.startswith("validation_") for name in entry)
        for name, value in entry.items():
            curve = curves.setdefault(name.removeprefix("validation_"), Curve())
            (curve.validation if is_validation else curve.training).append((step, value))
    return curves


def draw_curves(log: Path, picture: Path) -> None:
    """Draw every curve of `log` and write them as one PNG."""
    curves = read_curves(log)
    rows = math.ceil(len(curves) / COLUMNS)
    page = Image.new("RGB", (COLUMNS * WIDTH, rows * HEIGHT + 34), PAPER)
    for number, (name, curve) in enumerate(curves.items()):
        row, column = divmod(number, COLUMNS)
        page.paste(_panel(name, curve), (column * WIDTH, row * HEIGHT))
    draw = ImageDraw.Draw(page)
    x = float(LEFT)
    for colour, words in ((INK, "training"), (VALIDATION, "validation")):
        draw.line((x, page.height - 18, x + 26, page.height - 18), colour, 3)
        draw.text((x + 34, page.height - 18), words, INK, font(16), "lm")
        x += 160
    page.save(picture, format="PNG")


def _panel(name: str, curve: Curve) -> Image.Image:
    panel = Image.new("RGB", (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(panel)
    draw.text((LEFT, 12), plain(name.replace("_", " ")), INK, font(18))
    points = [p for p in (*curve.training, *curve.validation) if math.isfinite(p[1])]
    if not points:
        return panel
    values = [value for _, value in points]
    logarithmic = min(values) > 0 and max(values) > WIDE_RANGE * min(values)
    scaled = [math.log10(value) if logarithmic else value for value in values]
    low, high = min(scaled), max(scaled)
    margin = 0.05 * (high - low) or max(abs(high), 1.0) * 0.1
    low, high = low - margin, high + margin
    last = max(step for step, _ in points)

    def place(point: tuple[float, float]) -> tuple[float, float]:
        value = math.log10(point[1]) if logarithmic else point[1]
        return (
            LEFT + (WIDTH - LEFT - RIGHT) * point[0] / last,
            ABOVE + (HEIGHT - ABOVE - BELOW) * (high - value) / (high - low),
        )

    for value in _powers(low, high) if logarithmic else ticks(low, high):
        y = place((0, value))[1]
        draw.line((LEFT, y, WIDTH - RIGHT, y), (235, 235, 240))
        draw.text((LEFT - 8, y), f"{value:.3g}", FAINT, font(14), "rm")
    for tick in ticks(0.0, float(last)):
        x = place((tick, points[0][1]))[0]
        draw.text((x, HEIGHT - BELOW + 8), f"{tick:g}", FAINT, font(14), "ma")
    draw.text((WIDTH - RIGHT, HEIGHT - 6), "step", FAINT, font(14), "rd")

    training = [p for p in curve.training if math.isfinite(p[1])]
    draw.line([place(p) for p in training], EACH_STEP)
    draw.line([place(p) for p in _smoothed(training)], INK, 2)
    validation = [place(p) for p in curve.validation if math.isfinite(p[1])]
    draw.line(validation, VALIDATION, 2)
    for x, y in validation:
        draw.ellipse((x - 3, y - 3, x + 3, y + 3), VALIDATION)
    return panel


def _powers(low: float, high: float) -> list[float]:
    """1, 2 and 5 times the powers of ten between 10^low and 10^high."""
    steps = (1, 2, 5) if high - low < 2.5 else (1,)
    values = [m * 10.0**e for e in range(math.floor(low), math.ceil(high) + 1) for m in steps]
    return [value for value in values if low <= math.log10(value) <= high]


def _smoothed(points: Sequence[tuple[int, float]]) -> list[tuple[float, float]]:
    if not points:
        return []
    pieces = np.array_split(np.array(points, float), min(SMOOTHED, len(points)))
    return [(float(step), float(value)) for step, value in (piece.mean(0) for piece in pieces)]
