"""Named curves over two axes that begin at zero, as a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from PETAnomalyLib.engine.figures.drawing import FAINT, INK, PAPER, Colour, font, plain, ticks

Points = Sequence[tuple[float, float]]

FINER = 3  # drawn larger and shrunk: smooth lines
WIDTH, HEIGHT = 620, 480  # of the axes
LEFT, ABOVE, BELOW, LEGEND = 56, 40, 56, 330
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
        axes: what x and y are.
        right, top: where the axes end; they begin at zero.
    """
    size = (LEFT + WIDTH + LEGEND, ABOVE + HEIGHT + BELOW)
    page = Image.new("RGB", (size[0] * FINER, size[1] * FINER), PAPER)
    draw = ImageDraw.Draw(page)

    def at(x: float, y: float) -> tuple[float, float]:
        return FINER * (LEFT + WIDTH * x / right), FINER * (ABOVE + HEIGHT * (1 - y / top))

    def write(x: float, y: float, text: str, colour: Colour, anchor: str) -> None:
        draw.text((x, y), plain(text), colour, font(15 * FINER), anchor)

    for value in ticks(0.0, right):
        x, y = at(value, 0.0)
        draw.line((x, y, *at(value, top)), (232, 232, 236), FINER)
        write(x, y + 6 * FINER, f"{value:g}", INK, "ma")
    for value in ticks(0.0, top):
        x, y = at(0.0, value)
        draw.line((x, y, *at(right, value)), (232, 232, 236), FINER)
        write(x - 8 * FINER, y, f"{value:g}", INK, "rm")
    draw.rectangle((*at(0.0, top), *at(right, 0.0)), outline=FAINT, width=FINER)
    write(*at(right / 2, -0.06 * top), axes[0], INK, "ma")
    write(FINER * 8, FINER * (ABOVE - 12), axes[1], INK, "ls")
    for number, (name, points) in enumerate(curves.items()):
        colour = COLOURS[number % len(COLOURS)] if number < len(COLOURS) else FAINT
        inside = sorted(point for point in points if point[0] <= right)
        places = [at(*point) for point in inside]
        if len(places) > 1:
            draw.line(places, colour, 2 * FINER, joint="curve")
        if len(places) < MARKED_BELOW:
            for x, y in places:
                draw.ellipse((x - 9, y - 9, x + 9, y + 9), colour)
        x, y = FINER * (LEFT + WIDTH + 20), FINER * (ABOVE + 12 + 26 * number)
        draw.line((x, y, x + 26 * FINER, y), colour, 3 * FINER)
        write(x + 34 * FINER, y, name, INK, "lm")
    page.resize(size, Image.Resampling.LANCZOS).save(path, format="PNG")
