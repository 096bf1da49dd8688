"""`petanomaly cohort check` of pictures: what can be read, and what defects they show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from PETAnomalyLib.engine.runtime.errors import InputError, PETAnomalyError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.study.input_path import shown
from PETAnomalyLib.engine.study.picture_cohort import GOOD, Category, Picture
from PETAnomalyLib.engine.study.picture_file import mask_size, picture_size, read_defect
from PETAnomalyLib.engine.training.cohort_check import check_each


@dataclass(frozen=True)
class CheckedPicture:
    """What was found of one picture.

    Attributes:
        name, defect: as in the cohort.
        problem: why it cannot be used, None if it can.
        size: rows and columns, empty if it cannot be used.
        defect_share: of its pixels that are the defect, None where nothing is wrong with it.
    """

    name: str
    defect: str
    problem: str | None
    size: tuple[int, ...] = ()
    defect_share: float | None = None


def check_pictures(categories: Sequence[Category], reporter: Reporter) -> list[CheckedPicture]:
    """Read every picture and every mask.

    Args:
        categories: of the cohort.
        reporter: told of the progress; asked whether to stop.
    """
    pictures = [one for category in categories for one in (*category.training, *category.test)]
    return check_each(pictures, _check, reporter)


def in_words(checked: Sequence[CheckedPicture]) -> str:
    """For the person who is about to train: first what is wrong, then what there is."""
    lines = [f"unusable  {one.name}: {one.problem}" for one in checked if one.problem]
    usable = [one for one in checked if one.problem is None]
    lines.append(f"Pictures: {len(usable)} of {len(checked)} are usable.")
    for category in dict.fromkeys(one.name.split("/")[0] for one in usable):
        own = [one for one in usable if one.name.split("/")[0] == category]
        test = [one for one in own if one.name.split("/")[1] == "test"]
        defects = Counter(one.defect for one in test)
        sizes = sorted({one.size for one in own})
        ends = dict.fromkeys((sizes[0], sizes[-1]))
        extent = " to ".join(f"{rows} x {columns}" for rows, columns in ends)
        lines.append(
            f"{category}: {len(own) - len(test)} to train on, {len(test)} to judge by "
            f"({', '.join(f'{n} {name}' for name, n in sorted(defects.items())) or GOOD}), "
            f"{extent} pixels."
        )
    return "\n".join(lines)


def _check(picture: Picture) -> CheckedPicture:
    try:
        size = picture_size(picture.path)
        share = None
        if picture.mask is not None:
            if mask_size(picture.mask) != size:
                raise InputError(f"the mask {shown(picture.mask)} is not of the picture's size")
            share = float(read_defect(picture.mask, size).mean())
    except PETAnomalyError as error:
        return CheckedPicture(picture.name, picture.defect, error.message)
    return CheckedPicture(picture.name, picture.defect, None, size, share)
