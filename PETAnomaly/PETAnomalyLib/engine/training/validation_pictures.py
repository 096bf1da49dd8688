"""What a network makes of held-out studies, as a picture: reconstructions and likelihoods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from PETAnomalyLib.engine.figures.drawing import FAINT, INK, PAPER, font, heat, plain

SIZE = 300  # pixels of a picture's longer edge
GAP = 8
ABOVE = 44
DIFFERENCE = 0.2  # of the model's intensity unit: shown brightest


def draw_reconstructions(
    path: Path, originals: np.ndarray, reconstructions: np.ndarray, title: str
) -> None:
    """Originals, reconstructions and their difference, in three rows; written as PNG.

    Args:
        path: the PNG file.
        originals, reconstructions: n x rows x columns, 0 to 1, feet first.
        title: written above.
    """
    difference = np.abs(originals - reconstructions) / DIFFERENCE
    rows = {
        "original": [_grey(picture) for picture in originals],
        "reconstruction": [_grey(picture) for picture in reconstructions],
        f"difference, 0 to {DIFFERENCE:g}": [heat(_enlarged(picture)) for picture in difference],
    }
    _page(rows, title).save(path, format="PNG")


def draw_likelihoods(path: Path, pet: np.ndarray, surprise: np.ndarray, title: str) -> None:
    """A study's PET beside what the transformer finds unlikely in it; written as PNG.

    Args:
        path: the PNG file.
        pet: MIP, rows x columns, 0 to 1, feet first.
        surprise: -log p of the tokens in nats, the largest along the same direction.
        title: written above.
    """
    top = max(float(surprise.max()), 1e-6)
    pictures = [_grey(pet), heat(_enlarged(surprise / top))]
    words = f"PET, and -log p of its tokens, 0 to {top:.1f} nats"
    _page({words: pictures}, title).save(path, format="PNG")


def _grey(picture: np.ndarray) -> Image.Image:
    return _enlarged(1.0 - picture).convert("RGB")  # uptake dark, as readers of PET are used to


def _enlarged(picture: np.ndarray) -> Image.Image:
    """0 to 1 as grey, head up, a voxel as a square."""
    grey = Image.fromarray(np.round(picture[::-1].clip(0, 1) * 255).astype(np.uint8))
    scale = SIZE / max(grey.size)
    size = (max(1, round(grey.width * scale)), max(1, round(grey.height * scale)))
    return grey.resize(size, Image.Resampling.NEAREST)


def _page(rows: Mapping[str, Sequence[Image.Image]], title: str) -> Image.Image:
    first = next(iter(rows.values()))
    width = sum(picture.width + GAP for picture in first) + GAP
    height = max(picture.height for picture in first) + 26
    page = Image.new("RGB", (max(width, 420), ABOVE + len(rows) * height + GAP), PAPER)
    draw = ImageDraw.Draw(page)
    draw.text((GAP, 10), plain(title), INK, font(18))
    y = ABOVE
    for words, pictures in rows.items():
        draw.text((GAP, y), plain(words), FAINT, font(14))
        x = GAP
        for picture in pictures:
            page.paste(picture, (x, y + 20))
            x += picture.width + GAP
        y += height
    return page
