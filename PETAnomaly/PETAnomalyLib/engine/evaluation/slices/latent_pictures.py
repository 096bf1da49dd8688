"""The latent space in the plane, and each layer of an encoder: paper 4's Figures 3, 5 and 6."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.patches import Ellipse as DrawnEllipse

from PETAnomalyLib.engine.evaluation.slices.latent_space import Ellipse, Labels, Points
from PETAnomalyLib.engine.figures.chart import COLOURS, chart_page, name_of
from PETAnomalyLib.engine.figures.drawing import FAINT

GROUPS = ("without a lesion", "with a lesion")
MARKERS = ("o", "^")


@dataclass(frozen=True)
class Panel:
    """Slices in the plane.

    Attributes:
        title: what was masked.
        points: n x 2.
        groups: n, 1 with a lesion.
        ellipses: of the clusters.
        told_apart: see `latent_space.told_apart`.
    """

    title: str
    points: Points
    groups: Labels
    ellipses: Sequence[Ellipse]
    told_apart: float


@dataclass(frozen=True)
class LayersRow:
    """A slice on its way through the encoder.

    Attributes:
        title: whether it was masked.
        images: h x w each: as the network sees it, predicted, and the absolute difference.
        layers: of each layer its output's mean over channels, finest first.
    """

    title: str
    images: Sequence[npt.NDArray[np.float32]]
    layers: Sequence[npt.NDArray[np.float32]]


def draw_latent(path: Path, panels: Sequence[Panel], title: str) -> None:
    """Points of both groups and an ellipse a cluster, a panel beside the other; written as PNG."""
    with chart_page(path, 5.5 * len(panels), 5.2) as figure:
        figure.suptitle(title)
        for plot, panel in zip(np.atleast_1d(figure.subplots(1, len(panels))), panels):
            for group, (name, marker) in enumerate(zip(GROUPS, MARKERS)):
                some = panel.points[panel.groups == group]
                colour = name_of(COLOURS[group])
                plot.scatter(*some.T, s=26, c=colour, marker=marker, label=name)
            for ellipse in panel.ellipses:
                longer, shorter = (2 * axis for axis in ellipse.semi_axes)
                drawn = DrawnEllipse(ellipse.centre, longer, shorter, angle=ellipse.degrees)
                drawn.set(facecolor="none", edgecolor=name_of(FAINT), linewidth=1.5)
                plot.add_patch(drawn)
            plot.set(title=panel.title, xticks=[], yticks=[], xlabel="UMAP 1", ylabel="UMAP 2")
            plot.legend(loc="best")


def draw_layers(path: Path, rows: Sequence[LayersRow], title: str) -> None:
    """A row a slice: what was seen, predicted, left, and each layer; written as PNG."""
    names = ["seen", "predicted", "difference"]
    names += [f"layer {n + 1}" for n in range(len(rows[0].layers))]
    with chart_page(path, 1.9 * len(names), 2.4 * len(rows) + 0.4) as figure:
        figure.suptitle(title)
        plots = figure.subplots(len(rows), len(names), squeeze=False)
        for line, row in zip(plots, rows):
            for plot, name, picture in zip(line, names, [*row.images, *row.layers]):
                grey = name in ("seen", "predicted")
                scale = {"cmap": "gray", "vmin": 0.0, "vmax": 1.0} if grey else {"cmap": "viridis"}
                plot.imshow(picture, interpolation="nearest", **scale)
                plot.set(xticks=[], yticks=[], title=name)
            line[0].set_ylabel(row.title)
