"""The same run gives the same bytes; whatever is another gives other UIDs."""

from __future__ import annotations

import dataclasses
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pydicom
import pytest
import SimpleITK as sitk
from dicom_studies import DETECTOR, reading_of, write_pet
from PETAnomalyLib.engine.dicom_results.identifiers import derived_uid
from PETAnomalyLib.engine.dicom_results.reading import Reading
from PETAnomalyLib.engine.dicom_results.writing import write_objects

pytest.importorskip("highdicom")


@pytest.fixture(scope="module")
def pet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pet(tmp_path_factory.mktemp("pet"))


def objects(folder: Path, reading: Reading) -> list[Any]:
    return [pydicom.dcmread(path) for path in write_objects(folder, reading)]


@pytest.fixture(scope="module")
def before(pet: Path, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """The objects of three findings."""
    return objects(tmp_path_factory.mktemp("before"), reading_of(pet, 3))


def test_the_same_run_gives_the_same_bytes_later(pet: Path, tmp_path: Path) -> None:
    before = [path.read_bytes() for path in write_objects(tmp_path, reading_of(pet, 2))]
    time.sleep(1.1)  # DICOM's times have seconds
    after = [path.read_bytes() for path in write_objects(tmp_path, reading_of(pet, 2))]
    assert before == after


def another_voxel(labels: sitk.Image) -> None:
    labels[20, 17, 8] = 1


def with_score(reading: Reading, score: float) -> Reading:
    first, *others = reading.judged
    changed = dataclasses.replace(
        first, finding=dataclasses.replace(first.finding, score_max=score)
    )
    return dataclasses.replace(reading, judged=(changed, *others))


@pytest.mark.parametrize(
    ("change", "is_the_same_finding"),
    [
        (lambda pet: reading_of(pet, 3, change=another_voxel), True),
        (lambda pet: with_score(reading_of(pet, 3), 99.0), True),
        (lambda pet: reading_of(pet, 3, verdicts={1: "lesion"}), True),
        (lambda pet: reading_of(pet, 2), True),
        (
            lambda pet: reading_of(
                pet, 3, detector=dataclasses.replace(DETECTOR, sha256="77" * 32)
            ),
            False,
        ),
        (
            lambda pet: reading_of(
                pet, 3,
                detector=dataclasses.replace(DETECTOR, settings={**DETECTOR.settings, "seed": 1}),
            ),
            False,
        ),
        (lambda pet: reading_of(pet, 3, anonymous=True), False),
    ],
    ids=["voxel", "number", "verdict", "finding less", "model", "setting", "anonymous"],
)  # fmt: skip
def test_a_change_gives_new_uids_and_a_corrected_finding_is_still_tracked(
    pet: Path, before: list[Any], tmp_path: Path, change: Callable[[Path], Reading],
    is_the_same_finding: bool,
) -> None:  # fmt: skip
    after = objects(tmp_path, change(pet))
    for one, other in zip(before, after):
        assert one.SOPInstanceUID != other.SOPInstanceUID
        assert one.SeriesInstanceUID != other.SeriesInstanceUID
    tracked = [dataset[0].SegmentSequence[0].TrackingUID for dataset in (before, after)]
    assert (tracked[0] == tracked[1]) == is_the_same_finding


def test_no_two_uids_of_a_result_are_the_same(before: list[Any]) -> None:
    segmentation, report = before
    uids = [
        *(one for dataset in (segmentation, report)
          for one in (dataset.SOPInstanceUID, dataset.SeriesInstanceUID)),
        segmentation.DimensionOrganizationSequence[0].DimensionOrganizationUID,
        *(segment.TrackingUID for segment in segmentation.SegmentSequence),
    ]  # fmt: skip
    assert len(set(uids)) == len(uids) == 8


def test_a_derived_uid_is_one_by_the_standard() -> None:
    """PS3.5, 9.1 and B.2: components without leading zeros, 64 characters at most."""
    uids = {derived_uid("a", str(number)) for number in range(1000)}
    assert len(uids) == 1000
    assert all(re.fullmatch(r"2\.25\.[1-9]\d{0,38}", uid) for uid in uids)
    assert derived_uid("ab", "c") != derived_uid("a", "bc")
