"""A category's test pictures at a model's size, the maps a model makes of them, and its figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.evaluation.pictures.picture_models import MapOf
from PETAnomalyLib.engine.evaluation.pictures.pixel_metrics import (
    Scores,
    Truth,
    aupro,
    auroc,
)
from PETAnomalyLib.engine.families.healer import Array
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.study.picture_cohort import Category
from PETAnomalyLib.engine.study.picture_file import read_defect, read_picture

AUROC, AUPRO = "AUROC", "AUPRO"


@dataclass(frozen=True)
class TestPictures:
    """What a model is judged by.

    Attributes:
        pictures: C x H x W each, 0 to 1.
        truths: H x W each, the pixels of the defect; none of a good picture.
    """

    __test__ = False  # no test, whatever pytest makes of its name

    pictures: list[Array]
    truths: list[Truth]


@dataclass(frozen=True)
class PictureFigures:
    """One model on one category.

    Attributes:
        whole: AUROC and AUPRO over all test pictures, the good ones too.
        of_pictures: of each picture with a defect by itself.
    """

    whole: dict[str, float]
    of_pictures: dict[str, list[float]]


def read_test_pictures(category: Category, size: tuple[int, ...]) -> TestPictures:
    """The test pictures of a category.

    Args:
        category: of the cohort.
        size: channels, rows, columns.

    Raises:
        InputError: one cannot be used, or none has a defect.
    """
    channels, rows, columns = size
    pictures, truths = [], []
    for one in category.test:
        pictures.append(read_picture(one.path, (rows, columns), channels))
        truths.append(
            np.zeros((rows, columns), bool)
            if one.mask is None
            else read_defect(one.mask, (rows, columns))
        )
    if not any(truth.any() for truth in truths):
        raise InputError(
            f"no test picture of {category.name} shows a defect",
            "give pictures in test/<defect>, and their masks in ground_truth/<defect>",
        )
    return TestPictures(pictures, truths)


def maps_of(model: MapOf, test: TestPictures, reporter: Reporter) -> list[Scores]:
    """The maps of all test pictures; the reporter is asked whether to stop."""
    maps = []
    for picture in test.pictures:
        reporter.check_cancelled()
        maps.append(model(picture))
    return maps


def figures_of(maps: Sequence[Scores], truths: Sequence[Truth]) -> PictureFigures:
    """AUROC and AUPRO of a model's maps."""
    measures = {AUROC: auroc, AUPRO: aupro}
    with_defect = [n for n, truth in enumerate(truths) if truth.any()]
    return PictureFigures(
        {name: measure(maps, truths) for name, measure in measures.items()},
        {
            name: [measure([maps[n]], [truths[n]]) for n in with_defect]
            for name, measure in measures.items()
        },
    )
