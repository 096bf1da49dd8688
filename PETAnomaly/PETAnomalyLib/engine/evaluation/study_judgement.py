"""One study of a cohort, judged: what each rule makes of it, against its true lesions."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.evaluation.froc import count_at_each
from PETAnomalyLib.engine.evaluation.lesion_table import Lesion, lesions_of, mark_hits
from PETAnomalyLib.engine.evaluation.metrics import (
    FindingCounts,
    Labels,
    Scores,
    VoxelCounts,
    count_findings,
    count_voxels,
)
from PETAnomalyLib.engine.evaluation.volume_errors import StudyVolumes, study_volumes
from PETAnomalyLib.engine.findings.delineation import Delineator
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy
from PETAnomalyLib.engine.study.image_file import read_image_file
from PETAnomalyLib.engine.study.lesion_mask import known_lesions
from PETAnomalyLib.engine.study.study import read_pet

PLAIN = "SUV"


class Anatomy(Protocol):
    """What is known of one study beyond its lesion mask; of a phantom, its painter knows it."""

    def sites(self, centres_lps_mm: Sequence[tuple[float, float, float]]) -> list[str]:
        """The kind of place of each lesion, given the lesions' centres."""

    def organs(self, voxels: Sequence[int]) -> tuple[str, ...] | None:
        """The organ at voxels of the PET (flat indices of D x H x W); None where nobody knows."""


FindAnatomy = Callable[[Path, sitk.Image], "Anatomy | None"]
"""From a PET's file and the PET to its anatomy; None where nothing is known of it."""


def no_anatomy(path: Path, pet: sitk.Image) -> None:
    """Nothing is known of any study."""


@dataclass(frozen=True)
class Rule:
    """From a map to findings.

    Attributes:
        model, scorer: what made the map; `PLAIN`: the PET itself.
        threshold: of the map, in its unit.
        grow: fraction of a finding's own SUVmax that it grows to, 0 for none.
        min_volume_ml: smaller findings are left out.
    """

    model: str
    scorer: str
    threshold: float
    grow: float
    min_volume_ml: float

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.model} {self.scorer}"


@dataclass(frozen=True)
class Trials:
    """The thresholds that a rule's map is judged at.

    Attributes:
        voxels: falling, for the precision-recall curve.
        findings: rising, at which findings are drawn.
    """

    voxels: Scores
    findings: list[float]


@dataclass(frozen=True)
class Judged:
    """What one rule makes of one study.

    Attributes:
        voxels: of the map, at the trial thresholds.
        at_each: its findings at the trial thresholds.
        drawn: its findings at the rule's own.
        volumes: of those.
        organs: where the false positives of those lie; None where nobody knows the organs.
    """

    voxels: VoxelCounts
    at_each: list[FindingCounts]
    drawn: FindingCounts
    volumes: StudyVolumes
    organs: tuple[str, ...] | None


@dataclass(frozen=True)
class Detections:
    """Where the detections of a cohort lie.

    Attributes:
        folder: holds `<model>/<study>/`.
        mask_of_plain: the model whose field of view the plain rules are held to.
    """

    folder: Path
    mask_of_plain: str

    def maps(
        self, study: CohortStudy, rules: Sequence[Rule], pet: sitk.Image
    ) -> Iterator[tuple[sitk.Image, sitk.Image]]:
        """For each rule its map of a study, and the mask of what the model could see of it."""
        masks: dict[str, sitk.Image] = {}
        for rule in rules:
            plain = rule.scorer == PLAIN
            model = self.mask_of_plain if plain else rule.model
            result = self.folder / model / study.name
            if model not in masks:
                masks[model] = _map_on(pet, result / "scored_mask.nii.gz")
            score = pet if plain else _map_on(pet, result / f"{rule.scorer}.nii.gz")
            yield score, masks[model]


def _map_on(pet: sitk.Image, path: Path) -> sitk.Image:
    """A map of a detection, which lies on the grid of the PET that was detected in."""
    image = read_image_file(path)[0]
    if image.GetSize() != pet.GetSize():
        raise InputError(
            f"{path} has {image.GetSize()} voxels, the study's PET {pet.GetSize()}",
            "the study is not the one of that detection: remove the detection and evaluate again",
        )
    return image


def scores_in_lesions(
    study: CohortStudy, rules: Sequence[Rule], detections: Detections
) -> list[Scores]:
    """For each rule the scores of the lesions' voxels that its model could see."""
    pet = read_pet(study.pet)[0]
    inside = known_lesions(study, pet) > 0
    return [
        sitk.GetArrayViewFromImage(score)[inside & (sitk.GetArrayViewFromImage(mask) > 0)]
        for score, mask in detections.maps(study, rules, pet)
    ]


def judge(
    study: CohortStudy,
    rules: Sequence[Rule],
    trials: Sequence[Trials],
    detections: Detections,
    find_anatomy: FindAnatomy,
) -> tuple[list[Lesion], list[Judged]]:
    """One study's lesions, with the rules that hit them, and what each rule makes of it."""
    pet = read_pet(study.pet)[0]
    truth = known_lesions(study, pet)
    lesions = lesions_of(study.name, pet, truth)
    anatomy = find_anatomy(study.pet, pet)
    if anatomy is not None:
        places = anatomy.sites([lesion.centre_lps_mm for lesion in lesions])
        for lesion, site in zip(lesions, places):
            lesion.site = site
    suv = sitk.GetArrayViewFromImage(pet)
    voxel_ml = math.prod(pet.GetSpacing()) / 1000.0
    judged = []
    for rule, trial, (score, mask) in zip(rules, trials, detections.maps(study, rules, pet)):
        delineator = Delineator(score, pet, mask)
        drawn = delineator.at(rule.threshold, rule.grow, rule.min_volume_ml).labels
        labels = sitk.GetArrayViewFromImage(drawn)
        counts = count_findings(labels, truth)
        mark_hits(lesions, rule.name, counts)
        scored = sitk.GetArrayViewFromImage(mask) > 0
        judged.append(
            Judged(
                voxels=count_voxels(
                    sitk.GetArrayViewFromImage(score)[scored], truth[scored] > 0, trial.voxels
                ),
                at_each=count_at_each(
                    delineator, truth, trial.findings, rule.grow, rule.min_volume_ml
                ),
                drawn=counts,
                volumes=study_volumes(suv, voxel_ml, labels, truth, counts),
                organs=None
                if anatomy is None
                else anatomy.organs(_hottest_voxels(counts.false_positives, labels, suv)),
            )
        )
    return lesions, judged


def _hottest_voxels(findings: Sequence[int], labels: Labels, suv: Scores) -> list[int]:
    """Where each finding takes up most, which it was drawn for: flat indices."""
    found = []
    voxels = np.flatnonzero(labels)
    number, uptake = labels.reshape(-1)[voxels], suv.reshape(-1)[voxels]
    for finding in findings:
        own = number == finding
        found.append(int(voxels[own][uptake[own].argmax()]))
    return found
