"""Pictures of one category at a model's size, to train on and to be judged by in training."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from PETAnomalyLib.engine.runtime.errors import InputError, PETAnomalyError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.study.picture_cohort import Category, Picture
from PETAnomalyLib.engine.study.picture_file import read_picture
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy

HELD_OUT_SHARE = 0.08
SPLIT_SEED = 0


def training_pictures(
    category: Category, size: tuple[int, ...], reporter: Reporter
) -> list[list[AlignedStudy]]:
    """Those to train on, and those held out; of `train/good` alone.

    A picture that cannot be used is named in a warning and left out.

    Args:
        category: of the cohort.
        size: channels, rows, columns.
        reporter: told of the progress.

    Raises:
        InputError: fewer than two pictures are usable.
    """
    reporter.stage("pictures", f"Reading {len(category.training)} pictures of {category.name}")
    pictures = _readable(category.training, size, reporter)
    if len(pictures) < 2:
        raise InputError(
            f"{len(pictures)} of the pictures of {category.name} in train/good are usable",
            "give two at least, so that one can be held out",
        )
    order = np.random.default_rng(SPLIT_SEED).permutation(len(pictures))
    held_out = set(order[: max(1, round(HELD_OUT_SHARE * len(pictures)))].tolist())
    return [
        [one for n, one in enumerate(pictures) if n not in held_out],
        [pictures[n] for n in sorted(held_out)],
    ]


def _readable(
    pictures: Sequence[Picture], size: tuple[int, ...], reporter: Reporter
) -> list[AlignedStudy]:
    channels, rows, columns = size
    found = []
    for number, picture in enumerate(pictures):
        reporter.check_cancelled()
        try:
            image = read_picture(picture.path, (rows, columns), channels)
        except PETAnomalyError as error:
            reporter.log("warning", f"{picture.name} left out: {error.message}")
            continue
        name = f"{picture.name.replace('/', '__')}"
        found.append(AlignedStudy(name, image.astype(np.float16), None, None))
        reporter.progress(0.05 * (number + 1) / len(pictures))
    return found
