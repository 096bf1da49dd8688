"""What every picture of a study is drawn with: colours, letters, the numbers of a scale.

Pillow draws, as `overview.py` says; charts are matplotlib's, see `chart.py`.
"""

from __future__ import annotations

import math

import numpy as np
from PIL import Image, ImageFont

Colour = tuple[int, int, int]

PAPER: Colour = (255, 255, 255)
INK: Colour = (25, 25, 30)
FAINT: Colour = (110, 110, 120)

# Dark to bright in even steps of lightness, for the map (control points, 0..255).
HEAT = np.array(
    [
        (0, 0, 8),
        (40, 11, 84),
        (101, 21, 110),
        (159, 42, 99),
        (212, 72, 66),
        (245, 125, 21),
        (250, 193, 39),
        (252, 255, 164),
    ],
    float,
)


def heat(grey: Image.Image) -> Image.Image:
    """A grey picture in the colours of heat."""
    steps = np.linspace(0, len(HEAT) - 1, 256)
    table = np.stack(
        [np.interp(steps, np.arange(len(HEAT)), HEAT[:, channel]) for channel in range(3)], axis=1
    )
    return Image.fromarray(np.round(table).astype(np.uint8)[np.asarray(grey)])


def ticks(low: float, high: float) -> list[float]:
    """Round numbers between two values, four to nine of them."""
    power = 10.0 ** math.floor(math.log10((high - low) / 4))
    step = next(power * factor for factor in (5, 2, 1) if (high - low) / (power * factor) >= 4)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 10) + 0.0 for n in range(first, math.floor(high / step + 1e-9) + 1)]


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font: there on every machine. Before Pillow 10.1 it has one size only."""
    try:
        return ImageFont.load_default(size)
    except TypeError:
        return ImageFont.load_default()


def plain(text: str) -> str:
    """Letters that Pillow's own font has; the others become question marks."""
    return text.encode("latin-1", "replace").decode("latin-1")
