"""One synthetic picture a category and seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from PETAnomalyLib.engine.phantom.texture.categories import TEXTURES
from PETAnomalyLib.engine.runtime.errors import InputError

GOOD = "good"
GOOD_SHARE = 0.2
"""Of the pictures that may have a defect, those that have none: a test needs both."""


@dataclass(frozen=True)
class TexturePicture:
    """A picture and what is wrong with it.

    Attributes:
        category: of `TEXTURES`.
        seed: of it.
        defect: its name, `good` where there is none.
        picture: H x W x 3 uint8.
        mask: H x W, the defect's pixels.
    """

    category: str
    seed: int
    defect: str
    picture: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]


def generate_texture(category: str, seed: int, healthy: bool = False) -> TexturePicture:
    """The picture of a seed; healthy, it is the same surface without the defect.

    Args:
        category: of `TEXTURES`.
        seed: 0 or more.
        healthy: without a defect.

    Raises:
        InputError: there is no such category.
    """
    check_category(category)
    texture, number = TEXTURES[category], list(TEXTURES).index(category)
    surface, chosen, drawn = (np.random.default_rng([number, seed, n]) for n in (1, 2, 3))
    flaw = ""
    if not healthy and chosen.random() >= GOOD_SHARE:
        flaw = texture.flaws[chosen.integers(len(texture.flaws))]
    painted = texture.paint(surface, drawn, flaw if flaw in texture.own else "")
    image, mask = painted.image, painted.flaw
    if flaw in texture.laid_on:
        image, mask = texture.laid_on[flaw](drawn, image, painted.where)
    # A camera's noise, and no two pictures in the same light.
    light = surface.uniform(0.95, 1.05)
    image = image * light + surface.normal(0.0, 0.01, image.shape)
    return TexturePicture(
        category,
        seed,
        flaw or GOOD,
        np.round(image.clip(0, 1) * 255).astype(np.uint8),
        np.zeros(image.shape[:2], bool) if mask is None else mask,
    )


def check_category(category: str) -> None:
    """Raises:
    InputError: there is no such category.
    """
    if category not in TEXTURES:
        raise InputError(
            f"There is no category '{category}' of textures.", f"There are {', '.join(TEXTURES)}."
        )
