"""Pictures that are no brains, and what a model makes of them (paper 3, section 5.4).

Paper 3 shows a picture of a cucumber, unlike a brain in shape and texture, as it is. Ours are drawn
by formula: a bright striped gherkin, a checkerboard, noise. A model that has learned brains makes
something else of them; one that copies makes the same.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from PETAnomalyLib.engine.evaluation.slices.head import Array, HealedHead
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy

PICTURES = ("gherkin", "checkerboard", "noise")
SQUARE = 8  # pixels


def no_brains(shape: tuple[int, int, int], axis: int) -> AlignedStudy:
    """A volume of a model's frame, a third of its slices each of `PICTURES`; all counts as brain.

    Args:
        shape: D, H, W.
        axis: that slices lie along.
    """
    rows, columns = (n for place, n in enumerate(shape) if place != axis)
    y, x = np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns), indexing="ij")
    bent = x + 0.3 * y**2 - 0.1
    body = (bent / 0.28) ** 2 + (y / 0.85) ** 4 < 1
    stripes = 0.6 + 0.25 * np.cos(14 * bent) + 0.1 * np.sin(23 * y)
    j, i = np.indices((rows, columns)) // SQUARE
    drawn = {
        "gherkin": np.where(body, stripes, 0.0),
        "checkerboard": ((i + j) % 2).astype(float),
        "noise": np.random.default_rng(0).random((rows, columns)),
    }
    slices = [drawn[PICTURES[place]] for place in _picture_of_slice(shape[axis])]
    image = np.ascontiguousarray(np.moveaxis(np.stack(slices), 0, axis), np.float16)
    return AlignedStudy("no-brains", image, None, None, np.ones(shape, np.uint8))


def of_one_picture(head: HealedHead, picture: str) -> HealedHead:
    """The slice in the middle of a picture's own, by itself."""
    mine = np.flatnonzero(_picture_of_slice(head.image.shape[head.axis]) == PICTURES.index(picture))
    middle = int(mine[len(mine) // 2])

    def cut(volume: Array) -> Array:
        return np.ascontiguousarray(volume.take([middle], head.axis))

    return replace(
        head,
        image=cut(head.image),
        residual=cut(head.residual),
        brain=head.brain.take([middle], head.axis),
        lesions=head.lesions.take([middle], head.axis),
    )


def _picture_of_slice(count: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Number of the picture in each slice."""
    return np.arange(count) * len(PICTURES) // count
