"""Charts, drawn by matplotlib: named curves over two axes that begin at zero.

For evaluation and training alone: this file imports matplotlib, which a detection does without.
Figures are made as objects, without pyplot, which would keep them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from matplotlib import style
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from PETAnomalyLib.engine.figures.drawing import FAINT, INK, Colour

Points = Sequence[tuple[float, float]]

WIDTH, HEIGHT = 9.0, 4.8  # inches
DOTS_PER_INCH = 120
MARKED_BELOW = 30  # points: each is marked where there are few

# Okabe and Ito's colours: told apart by colour-blind eyes.
COLOURS: tuple[Colour, ...] = (
    (0, 114, 178),
    (213, 94, 0),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (86, 180, 233),
    (120, 94, 240),
    (140, 70, 20),
)
DASHES = ("-", "--", ":", "-.")  # the colours come round again with the next of them


def name_of(colour: Colour) -> str:
    """The colour as matplotlib takes it, #rrggbb."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": name_of(FAINT),
    "axes.grid": True,
    "axes.labelcolor": name_of(INK),
    "axes.labelsize": 11,
    "axes.titlesize": 12,
    "figure.constrained_layout.h_pad": 0.08,  # inches
    "figure.constrained_layout.w_pad": 0.08,
    "font.size": 10,
    "grid.color": "#e8e8ec",
    "legend.fontsize": 10,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "text.color": name_of(INK),
    "text.parse_math": False,  # a $ in a model's name is a $
    "xtick.color": name_of(INK),
    "ytick.color": name_of(INK),
    "agg.path.chunksize": 10_000,  # Agg refuses a line of many more points than that
}


@contextmanager
def chart_page(path: Path, width: float, height: float) -> Iterator[Figure]:
    """A figure to draw on, written as a PNG at the end of the block.

    The same drawing gives the same bytes, whatever matplotlibrc the user has: matplotlib's default
    style and its own letters (DejaVu Sans), no version and no date in the file.

    Args:
        path: of the PNG.
        width, height: inches, of `DOTS_PER_INCH`.
    """
    with style.context(["default", STYLE]):
        figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure
        figure.savefig(path, format="png", metadata={"Software": "petanomaly"})


def draw_chart(
    path: Path,
    curves: Mapping[str, Points],
    axes: tuple[str, str],
    right: float,
    top: float = 1.0,
) -> None:
    """Draw named curves over one another and write them as a PNG.

    Args:
        path: of the PNG.
        curves: (x, y) points by the name that the legend gives them.
        axes: what x and y are, with their units.
        right, top: where the axes end; they begin at zero. Points beyond the right end are left
            out.
    """
    with chart_page(path, WIDTH, HEIGHT) as figure:
        plot = figure.subplots()
        plot.set(xlim=(0, right), ylim=(0, top), xlabel=axes[0], ylabel=axes[1])
        for number, (name, points) in enumerate(curves.items()):
            inside = sorted(point for point in points if point[0] <= right)
            plot.plot(
                [x for x, _ in inside],
                [y for _, y in inside],
                color=name_of(COLOURS[number % len(COLOURS)]),
                linestyle=DASHES[number // len(COLOURS) % len(DASHES)],
                marker="o" if len(inside) < MARKED_BELOW else "",
                label=name,
                clip_on=False,  # a point on the border is seen whole,
                zorder=3,  # over the frame
            )
        if curves:
            figure.legend(loc="outside right upper")
