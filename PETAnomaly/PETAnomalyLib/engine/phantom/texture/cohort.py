"""Cohorts of synthetic pictures on disk, in the layout of MVTec AD."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from PETAnomalyLib.engine.phantom.cohort import check_request
from PETAnomalyLib.engine.phantom.cohort_folder import cohort_folder
from PETAnomalyLib.engine.phantom.texture.categories import TEXTURES
from PETAnomalyLib.engine.phantom.texture.picture import (
    GOOD,
    TexturePicture,
    check_category,
    generate_texture,
)


def write_texture_cohort(
    out: Path,
    count: int,
    seed: int,
    healthy: bool = False,
    categories: Sequence[str] = tuple(TEXTURES),
) -> list[dict[str, Any]]:
    """Write the pictures of seeds `seed` .. `seed` + `count` - 1 of each category.

    Healthy ones are for training: `<out>/<category>/train/good/<seed>.png`. The others are for a
    test: `<out>/<category>/test/<defect>/<seed>.png`, with their masks as
    `<out>/<category>/ground_truth/<defect>/<seed>_mask.png`; one in five has no defect and lies in
    `test/good`. A file appears in one move; one that is already there is replaced.

    Args:
        out: the cohort's folder, made if it is missing.
        count: pictures of each category, 1 or more.
        seed: the first picture's seed, 0 or more.
        healthy: without defects.
        categories: of `TEXTURES`.

    Returns:
        One JSON-able summary a picture: its `path`, `patient` (the category), `lesion_count` and
        description.

    Raises:
        InputError: a count below 1, a negative seed, an unknown category, a folder that cannot be
            written.
    """
    check_request(count, seed)
    for category in categories:
        check_category(category)
    with cohort_folder(out, megabytes=1):
        return [
            _write(Path(out), generate_texture(category, int(seed) + n, healthy), healthy)
            for n in range(int(count))
            for category in categories
        ]


def _write(out: Path, made: TexturePicture, healthy: bool) -> dict[str, Any]:
    folder = out / made.category
    name = f"{made.seed:07d}"
    path = folder / ("train" if healthy else "test") / made.defect / f"{name}.png"
    if made.defect != GOOD:  # before the picture: without its mask that would be no picture
        mask = folder / "ground_truth" / made.defect / f"{name}_mask.png"
        _save(made.mask.astype(np.uint8) * 255, mask)
    _save(made.picture, path)
    return {
        "path": str(path),
        "patient": made.category,
        "lesion_count": int(made.defect != GOOD),
        "description": {
            "category": made.category,
            "seed": made.seed,
            "defect": made.defect,
            "defect_share": float(made.mask.mean()),
        },
    }


def _save(pixels: Any, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        Image.fromarray(pixels).save(partial, format="PNG")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
