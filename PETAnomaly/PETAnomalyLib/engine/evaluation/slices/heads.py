"""The heads that tables 2 to 4 are made of: a cohort's, by disease, or brain phantoms by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PETAnomalyLib.engine.phantom.brain.cohort import write_brain_cohort
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.json_file import read_json
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import Cluster, for_each
from PETAnomalyLib.engine.study.brain_cohort import BrainStudy
from PETAnomalyLib.engine.training.head_cohort import find_heads

MASS, PLAQUES, STROKE, HEALTHY = "mass", "plaques", "stroke", "healthy"
HYPERINTENSITIES = "hyperintensities"
OTHER = "lesions"
IN_WORDS = {MASS: "masses", PLAQUES: "plaques", STROKE: "strokes"}
"""Others are called what they are."""

_OF_LAYOUT = {"BraTS": MASS, "MSLUB": PLAQUES, "ATLAS": STROKE, "WMH": HYPERINTENSITIES,
              "IXI": HEALTHY, "OASIS": HEALTHY}  # fmt: skip
_PHANTOMS = "brain phantoms"

# Kept out of training, of calibration and of every decision. 2 mm, as the models that come with us.
SEEDS = {
    MASS: range(1_100_001, 1_100_019),
    PLAQUES: range(1_100_101, 1_100_119),
    STROKE: range(1_100_201, 1_100_219),
    HEALTHY: range(1_100_301, 1_100_313),
    HYPERINTENSITIES: range(1_100_401, 1_100_413),
}
VOXEL_MM = 2.0
VALIDATION_SHARE = 1 / 3  # paper 3, section 4.1.1


@dataclass(frozen=True)
class TestHeads:
    """Whose lesions are known.

    Attributes:
        by_disease: disease -> studies, by name.
        healthy: studies of healthy heads.
    """

    by_disease: dict[str, list[BrainStudy]]
    healthy: list[BrainStudy]


def heads_to_judge(
    cohort: Path | None,
    healthy: Path | None,
    made: Path,
    seeds: Mapping[str, Sequence[int]],
    contrast: str,
    reporter: Reporter,
    workers: int | Cluster,
) -> TestHeads:
    """As `find_test_heads`, the phantoms made where no cohort is given.

    Args:
        cohort, healthy, made, contrast: see `find_test_heads`.
        seeds: of the phantoms, by disease.
        reporter: told of the progress.
        workers: processes, or a cluster, that make them.

    Raises:
        InputError, MissingPackageError: see `find_test_heads` and `kept_heads`.
    """
    if cohort is None:
        kept_heads(made, seeds, reporter, workers)
    return find_test_heads(cohort, healthy, made, contrast)


def find_test_heads(
    cohort: Path | None, healthy: Path | None, made: Path, contrast: str
) -> TestHeads:
    """Those of a cohort and of a folder of healthy heads, or of phantoms that have been made.

    Args:
        cohort: brain MR with lesions, in any layout; None: the phantoms.
        healthy: brain MR without; None: the cohort's own, or the phantoms.
        made: folder of the phantoms.
        contrast: that is wanted.

    Raises:
        InputError: there is no head with a disease, or none with the contrast.
    """
    by_disease: dict[str, list[BrainStudy]] = {}
    for study in find_heads(cohort or made, contrast):
        by_disease.setdefault(disease_of(study), []).append(study)
    without = by_disease.pop(HEALTHY, [])
    if healthy is not None:
        without = find_heads(healthy, contrast)
    if not by_disease:
        raise InputError(
            f"no head in {cohort or made} has a disease", "give patients with --cohort"
        )
    return TestHeads(dict(sorted(by_disease.items())), without)


def disease_of(study: BrainStudy) -> str:
    """By the collection that it is of; of a phantom, by its description."""
    if study.layout != _PHANTOMS:
        return _OF_LAYOUT.get(study.layout, OTHER)
    place = next(iter(study.images.values())).parent / "description.json"
    try:
        disease = read_json(place)["disease"]
        return str(disease["kind"]) if disease else HEALTHY
    except (OSError, ValueError, KeyError, TypeError):  # a cohort that is named as ours are
        return OTHER


def split_for_threshold(
    studies: Sequence[BrainStudy],
) -> tuple[list[BrainStudy], list[BrainStudy]]:
    """Validation and test heads: the first third of the patients, by name, and the others.

    Raises:
        InputError: there is but one patient.
    """
    patients = sorted({study.patient for study in studies})
    if len(patients) < 2:
        raise InputError(
            f"{len(patients)} patient with {disease_of(studies[0])} is too few",
            "one at least is needed to find a threshold, and another one to judge it",
        )
    held_out = set(patients[: max(1, round(VALIDATION_SHARE * len(patients)))])
    return (
        [study for study in studies if study.patient in held_out],
        [study for study in studies if study.patient not in held_out],
    )


def kept_heads(
    folder: Path, seeds: Mapping[str, Sequence[int]], reporter: Reporter, workers: int | Cluster
) -> Path:
    """The phantoms of `seeds`, disease -> seeds, those made that are missing; returns the folder.

    Raises:
        MissingPackageError: nilearn is not installed.
    """
    jobs = [
        (folder / disease, 1, seed, disease == HEALTHY, None if disease == HEALTHY else disease)
        for disease, wanted in seeds.items()
        for seed in wanted
        if not (folder / disease / f"brain-{seed}" / "0" / "description.json").exists()
    ]
    if jobs:
        reporter.stage("phantom", f"Making {len(jobs)} heads")
        for_each(_make, jobs, workers, reporter, (0.0, 0.05))
    return folder


def _make(folder: Path, count: int, seed: int, healthy: bool, disease: str | None) -> None:
    write_brain_cohort(folder, count, seed, healthy, disease, voxel_mm=VOXEL_MM)
