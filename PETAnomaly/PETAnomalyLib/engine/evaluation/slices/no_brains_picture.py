"""Pictures that are no brains beside what each model makes of them: paper 3's Figure 5.3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from PETAnomalyLib.engine.evaluation.slices.head import Array, HealedHead

MARGIN, CAPTION = 6, 14  # pixels
SHORTEST_EDGE = 128


def draw_no_brains(file: Path, made: Mapping[str, Sequence[HealedHead]]) -> None:
    """A column for the original and one a model, a row a picture.

    Args:
        file: PNG.
        made: row of the table -> the picture's slices, in the same order for all.
    """
    first = next(iter(made.values()))
    columns = {"original": [_plane(one, one.image) for one in first]}
    for name, heads in made.items():
        columns[name] = [_plane(one, one.reconstruction) for one in heads]
    tiles = {name: [_picture(plane) for plane in planes] for name, planes in columns.items()}
    width = max(tile.width for some in tiles.values() for tile in some) + MARGIN
    height = max(tile.height for some in tiles.values() for tile in some) + MARGIN
    whole = Image.new("L", (width * len(tiles) + MARGIN, height * len(first) + MARGIN + CAPTION))
    draw = ImageDraw.Draw(whole)
    for column, (name, some) in enumerate(tiles.items()):
        left = MARGIN + column * width
        draw.text((left, 1), name[: width // 6], fill=255)
        for row, tile in enumerate(some):
            whole.paste(tile, (left, CAPTION + MARGIN + row * height))
    whole.save(file)


def _plane(head: HealedHead, volume: Array) -> Array:
    return np.asarray(head.slices(volume)[0], np.float32)


def _picture(plane: Array) -> Image.Image:
    shown = Image.fromarray((np.clip(plane, 0, 1) * 255).astype(np.uint8))
    times = max(1, -(-SHORTEST_EDGE // min(plane.shape)))
    size = (shown.width * times, shown.height * times)
    return shown.resize(size, Image.Resampling.NEAREST)
