"""What the pages of all overview pictures have in common: scale, legend, rows, footer."""

from __future__ import annotations

from collections.abc import Sequence

from PIL import ImageDraw

from PETAnomalyLib.engine.figures.drawing import FAINT, INK, Colour, font, ticks
from PETAnomalyLib.engine.figures.projection import FINDING, TRUTH

MAP_NAMES = {"kde": "KDE map (nats)", "zscore": "z-score map", "residual": "residual map"}
"""By scorer."""

SCALE_WIDTH = 16  # pixels of the ramp itself
_ROW = 24  # pixels


def draw_scale_marks(
    draw: ImageDraw.ImageDraw,
    x: int,
    top: int,
    tall: int,
    low: float,
    high: float,
    threshold: float | None,
) -> None:
    """Numbers beside a vertical ramp of `SCALE_WIDTH` pixels, and the threshold across it.

    Args:
        draw: the page.
        x, top, tall: of the ramp, pixels.
        low, high: its values at the bottom and the top.
        threshold: marked where the ramp has it; or None.
    """

    def height_of(value: float) -> float:
        return top + tall * (1 - (value - low) / (high - low))

    for value in ticks(low, high):
        y = height_of(value)
        draw.line((x + SCALE_WIDTH, y, x + 21, y), FAINT)
        draw.text((x + 25, y), f"{value:g}", INK, font(15), anchor="lm")
    if threshold is not None and low <= threshold <= high:
        y = height_of(threshold)
        draw.line((x - 7, y, x + 22, y), FINDING, 3)


def draw_rows(
    draw: ImageDraw.ImageDraw,
    x: int,
    y: int,
    columns: Sequence[tuple[str, int]],
    rows: Sequence[Sequence[str]],
    more: int,
) -> int:
    """Right-aligned rows under a header, as in a report, and a line below them.

    Args:
        draw: the page.
        x, y: of the upper left corner, pixels.
        columns: name and right edge of each.
        rows: cells.
        more: rows that are not shown.

    Returns:
        Where the line below them is, less 2 pixels.
    """
    for name, right in columns:
        draw.text((x + right, y), name, FAINT, font(15), anchor="ra")
    draw.line((x, y + 22, x + columns[-1][1] + 6, y + 22), FAINT)
    y = first_row(y)
    for cells in rows:
        for cell, (_, right) in zip(cells, columns):
            draw.text((x + right, y), cell, INK, font(16), anchor="ra")
        y += _ROW
    if more > 0:
        draw.text((x, y), f"and {more} more", FAINT, font(15))
        y += _ROW
    draw.line((x, y + 2, x + columns[-1][1] + 6, y + 2), FAINT)
    return y


def first_row(y: int, number: int = 0) -> int:
    """Where row `number`, from 0, of `draw_rows` at `y` stands."""
    return y + 28 + _ROW * number


def draw_legend(draw: ImageDraw.ImageDraw, x: float, y: int, with_truth: bool) -> float:
    """What the outlines mean; returns where more may follow, pixels."""
    entries: list[tuple[Colour, str]] = [(FINDING, "finding")]
    if with_truth:
        entries.append((TRUTH, "true lesion"))
    for colour, words in entries:
        draw.line((x, y + 9, x + 26, y + 9), colour, 4)
        draw.text((x + 34, y), words, INK, font(16))
        x += 34 + draw.textlength(words, font=font(16)) + 26
    return x


def draw_footer(draw: ImageDraw.ImageDraw, x: int, y: int) -> None:
    """What every page says of itself."""
    draw.text(
        (x, y),
        "Research use only. Not a medical device. Numbers as in findings.csv.",
        FAINT,
        font(15),
    )
