"""A run's curves as a picture: a panel for each figure of `log.jsonl`, training and validation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter
from numpy.typing import NDArray

from PETAnomalyLib.engine.figures.chart import chart_page, name_of
from PETAnomalyLib.engine.figures.drawing import INK
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.json_file import parse_json

Points = NDArray[np.float64]  # n x 2, (step, value)

TRAINING, EACH_STEP, VALIDATION = name_of(INK), "#c4c4cc", "#0082ff"
WIDTH, HEIGHT, LEGEND = 5.2, 2.7, 0.3  # of a panel, and of the line below all, inches
COLUMNS = 2
WIDE_RANGE = 20.0  # largest over smallest value: beyond it, the axis is logarithmic
FEW_DECADES = 300.0  # up to this ratio, such an axis has 2 and 5 beside the powers of ten
SMOOTHED = 50  # pieces of the run, each drawn as its mean
START_ANEW = "remove it: the run goes on without the earlier part of its curves"


@dataclass
class Curve:
    """One figure: (step, value) of the training steps and of the validations."""

    training: list[tuple[int, float]] = field(default_factory=list)
    validation: list[tuple[int, float]] = field(default_factory=list)


def entries(log: Path) -> list[tuple[str, dict[str, float]]]:
    """Each line of a `log.jsonl` with what it holds; without the last, where a kill has torn it.

    Raises:
        InputError: a line is none that a run of ours writes.
    """
    try:
        lines = log.read_text(encoding="utf-8").splitlines(keepends=True)
    except UnicodeDecodeError as error:
        raise InputError(f"{log} is damaged: {error}", START_ANEW) from error
    found = []
    for number, line in enumerate(lines, start=1):
        if not line.endswith("\n"):
            continue
        try:
            entry = parse_json(line)
            well = {"step", "seconds"} <= entry.keys()
            well = well and all(isinstance(value, (int, float)) for value in entry.values())
        except (ValueError, AttributeError):
            well = False
        if not well:
            raise InputError(f"{log} is damaged in line {number}", START_ANEW)
        found.append((line, entry))
    return found


def read_curves(log: Path) -> dict[str, Curve]:
    """The curves of a `log.jsonl` by name; `x` and `validation_x` are the two sides of one."""
    curves: dict[str, Curve] = {}
    for _, entry in entries(log):
        step = int(entry.pop("step"))
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
    with chart_page(picture, COLUMNS * WIDTH, rows * HEIGHT + LEGEND) as figure:
        panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
        for panel, (name, curve) in zip(panels, curves.items()):
            _draw_curve(panel, name, curve)
        for panel in panels[len(curves) :]:
            panel.remove()
        lines = [
            Line2D([], [], color=colour, label=words)
            for colour, words in (
                (EACH_STEP, "training, each step"),
                (TRAINING, "training, mean"),
                (VALIDATION, "validation"),
            )
        ]
        figure.legend(handles=lines, loc="outside lower left", ncols=len(lines))


def _draw_curve(panel: Axes, name: str, curve: Curve) -> None:
    training = _finite(curve.training)
    validation = _finite(curve.validation)
    means = _smoothed(training)
    panel.set(title=name.replace("_", " "), xlabel="step")
    panel.plot(training[:, 0], training[:, 1], color=EACH_STEP, linewidth=0.8)
    panel.plot(means[:, 0], means[:, 1], color=TRAINING)
    panel.plot(validation[:, 0], validation[:, 1], color=VALIDATION, marker="o", markersize=3)
    points = np.concatenate([training, validation])
    if not points.size:
        return
    last, (low, high) = points[:, 0].max(), (points[:, 1].min(), points[:, 1].max())
    panel.set_xlim(0, last)
    panel.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    if 0 < WIDE_RANGE * low < high:
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(
            LogLocator(subs=(1, 2, 5) if high < FEW_DECADES * low else (1,))
        )
        panel.yaxis.set_minor_locator(NullLocator())
    panel.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def _finite(points: Sequence[tuple[int, float]]) -> Points:
    array = np.array(points, np.float64).reshape(-1, 2)
    return array[np.isfinite(array[:, 1])]


def _smoothed(points: Points) -> Points:
    pieces = np.array_split(points, min(SMOOTHED, max(1, len(points))))
    return np.array([piece.mean(axis=0) for piece in pieces if len(piece)]).reshape(-1, 2)
