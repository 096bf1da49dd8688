"""`petanomaly cohort check`: what of a cohort can be trained on, before hours are spent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy
from PETAnomalyLib.engine.study.lesion_mask import number_lesions, read_lesions
from PETAnomalyLib.engine.study.study import read_study

Study = TypeVar("Study")
Checked = TypeVar("Checked")


@dataclass(frozen=True)
class CheckedStudy:
    """What was found of one study.

    Attributes:
        name, patient: as in the cohort.
        problem: why it cannot be used, None if it can.
        warnings: what is suspicious but usable.
        size: voxels of the PET along x, y, z; empty if it cannot be used, as all below.
        spacing_mm: of the PET along x, y, z.
        has_ct: whether there is a usable CT.
        lesions: number of true lesions, None where they are not known.
        lesion_volume_ml: of all of them together, None likewise.
    """

    name: str
    patient: str
    problem: str | None
    warnings: tuple[str, ...] = ()
    size: tuple[int, ...] = ()
    spacing_mm: tuple[float, ...] = ()
    has_ct: bool = False
    lesions: int | None = None
    lesion_volume_ml: float | None = None


def check_cohort(studies: Sequence[CohortStudy], reporter: Reporter) -> list[CheckedStudy]:
    """Read every study as training would.

    Args:
        studies: the cohort.
        reporter: told of the progress; asked whether to stop.
    """
    return check_each(studies, _check, reporter)


def check_each(
    studies: Sequence[Study], check: Callable[[Study], Checked], reporter: Reporter
) -> list[Checked]:
    """One study after the other, told as a stage of its own."""
    reporter.stage("check", f"Checking {len(studies)} studies")
    checked = []
    for number, study in enumerate(studies):
        checked.append(check(study))
        reporter.progress((number + 1) / len(studies))
        reporter.check_cancelled()
    return checked


def in_words(checked: Sequence[CheckedStudy]) -> str:
    """For the person who is about to train: first what is wrong, then what there is."""
    lines = [f"unusable  {one.name}: {one.problem}" for one in checked if one.problem]
    lines += [f"warning   {one.name}: {text}" for one in checked for text in one.warnings]
    usable = [one for one in checked if one.problem is None]
    patients = len({one.patient for one in usable})
    lines.append(f"{len(usable)} of {len(checked)} studies are usable, of {patients} patients.")
    if usable:
        spacing = np.array([one.spacing_mm for one in usable])
        low, high = spacing.min(axis=0), spacing.max(axis=0)
        lines.append(
            "PET voxels: " + " x ".join(f"{a:.2f}-{b:.2f}" for a, b in zip(low, high)) + " mm."
        )
        known = [one.lesions for one in usable if one.lesions is not None]
        lines.append(
            f"With CT: {sum(one.has_ct for one in usable)}. With known lesions: {len(known)} "
            f"({sum(count > 0 for count in known)} have any, {sum(known)} lesions in all)."
        )
    return "\n".join(lines)


def _check(study: CohortStudy) -> CheckedStudy:
    try:
        read = read_study(study.pet, study.ct)
        lesions = volume = None
        warnings = read.warnings
        if study.lesions is not None:
            truth, of_mask = read_lesions(study.lesions, read.pet)
            warnings += of_mask
            lesions = int(number_lesions(truth).max(initial=0))
            volume = float(truth.sum() * np.prod(read.pet.GetSpacing()) / 1000.0)
    except PETAnomalyError as error:
        return CheckedStudy(study.name, study.patient, error.message)
    return CheckedStudy(
        name=study.name,
        patient=study.patient,
        problem=None,
        warnings=warnings,
        size=read.pet.GetSize(),
        spacing_mm=read.pet.GetSpacing(),
        has_ct=read.ct is not None,
        lesions=lesions,
        lesion_volume_ml=volume,
    )
