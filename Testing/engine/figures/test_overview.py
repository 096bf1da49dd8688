"""The overview picture: what is drawn where, on whichever grid the study comes."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.figures import drawing
from PETAnomalyLib.engine.figures import overview as figures
from PETAnomalyLib.engine.figures.overview import FINDING, TRUTH, overview
from PETAnomalyLib.engine.findings.measures import measure
from PIL import Image

SPACING = (4.0, 4.0, 3.0)
SHAPE = (120, 60, 90)  # (k, j, i)


def study(lesions: int = 1) -> tuple[sitk.Image, sitk.Image, sitk.Image]:
    """PET, map and labels of an elliptic body; finding 1 high in the patient's left side."""
    k, j, i = np.indices(SHAPE)
    body = ((j - 30) / 25) ** 2 + ((i - 45) / 40) ** 2 < 1
    pet = np.where(body, 1.0, 0.0).astype(np.float32)
    labels = np.zeros(SHAPE, np.uint16)
    for number in range(1, lesions + 1):
        away = (k - 100 + 8 * (number - 1)) ** 2 + (j - 20) ** 2 + (i - 65) ** 2
        labels[away < 9] = number
    pet[labels > 0] = 6.0
    result = []
    for array in (pet, (pet - 1.0).astype(np.float32), labels):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(SPACING)
        result.append(image)
    return result[0], result[1], result[2]


def drawn(
    tmp_path: Path, images: tuple[sitk.Image, sitk.Image, sitk.Image], **options: object
) -> np.ndarray:
    pet, score, labels = images
    path = tmp_path / "overview.png"
    overview(path, pet, score, "kde", labels, measure(labels, pet, score), **options)  # type: ignore[arg-type]  # options by name
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def places(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return np.argwhere((picture == colour).all(axis=2))


def panels(tmp_path: Path) -> list[tuple[int, int, int]]:
    """Left, right and height of each projection: the frames in their own grey."""
    picture = drawn(tmp_path, study(0))
    top = picture[figures.ABOVE - 1]
    frame = np.flatnonzero((top == (200, 200, 205)).all(axis=1))
    borders = np.split(frame, np.flatnonzero(np.diff(frame) != 1) + 1)
    column = picture[figures.ABOVE :, borders[0][0]]
    height = int((column == (200, 200, 205)).all(axis=1).sum())
    return [(int(b[0]), int(b[-1]), height) for b in borders]


def test_there_are_four_projections_in_true_proportion(tmp_path: Path) -> None:
    found = panels(tmp_path)
    assert len(found) == 4
    for left, right, height in found[::2]:  # coronal: the body's 80 voxels and 10 mm of air a side
        assert (right - left) / height == pytest.approx((79 * 4 + 24) / 360, rel=0.03)
    for left, right, height in found[1::2]:  # sagittal: 50 voxels and the air
        assert (right - left) / height == pytest.approx((49 * 4 + 24) / 360, rel=0.03)


def test_a_finding_high_in_the_left_side_is_drawn_up_and_on_the_right_of_the_picture(
    tmp_path: Path,
) -> None:
    coronal, sagittal, *_ = panels(tmp_path)
    points = places(drawn(tmp_path, study()), FINDING)
    for (left, right, height), is_right in ((coronal, True), (sagittal, False)):
        inside = points[(points[:, 1] > left) & (points[:, 1] < right)]
        inside = inside[inside[:, 0] < figures.ABOVE + height]
        assert inside.size
        assert inside[:, 0].mean() < figures.ABOVE + height / 2
        assert (np.median(inside[:, 1]) > (left + right) / 2) == is_right  # it lies anteriorly


def test_the_outline_surrounds_the_finding_at_its_place(tmp_path: Path) -> None:
    (left, _, height), *_ = panels(tmp_path)
    points = places(drawn(tmp_path, study()), FINDING)
    scale = height / 360.0
    first_voxel = 45 - 39 - 3  # body from 6, less 10 mm of air
    x = left + (65 + 0.5 - first_voxel) * 4 * scale
    y = figures.ABOVE + (120 - 100.5) * 3 * scale
    near = points[np.abs(points - (y, x)).max(axis=1) < 14 * scale]
    assert near.mean(axis=0) == pytest.approx((y, x), abs=2.5)
    assert not (np.abs(points - (y, x)).max(axis=1) < 5 * scale).any()  # the inside stays visible


@pytest.mark.parametrize("orientation", ["RAS", "LPI", "PIR", "SAL"])
def test_the_picture_does_not_depend_on_how_the_grid_is_stored(
    tmp_path: Path, orientation: str
) -> None:
    images = study(3)
    turned = tuple(sitk.DICOMOrient(image, orientation) for image in images)
    assert np.array_equal(
        drawn(tmp_path, images, truth=images[2]),
        drawn(tmp_path, turned, truth=turned[2]),  # type: ignore[arg-type]  # three of three
    )


def test_truth_is_drawn_only_where_it_is_known(tmp_path: Path) -> None:
    images = study()
    assert not places(drawn(tmp_path, images), TRUTH).size
    empty = places(drawn(tmp_path, images, truth=images[2] * 0), TRUTH)
    known = places(drawn(tmp_path, images, truth=images[2]), TRUTH)
    assert len(empty) > 0  # the legend
    assert len(known) > len(empty)  # seen also where the finding's line lies on it


def test_the_threshold_marks_the_scale_of_the_map(tmp_path: Path) -> None:
    images = study(0)
    assert len(places(drawn(tmp_path, images, threshold=2.0), FINDING)) > len(
        places(drawn(tmp_path, images), FINDING)
    )


@pytest.mark.parametrize("lesions", [0, 1, 14])
def test_any_number_of_findings_gives_a_picture(tmp_path: Path, lesions: int) -> None:
    assert drawn(tmp_path, study(lesions), title="Müller – №1").shape[2] == 3


def test_a_constant_map_and_a_tiny_grid_give_a_picture(tmp_path: Path) -> None:
    pet = sitk.GetImageFromArray(np.zeros((3, 4, 5), np.float32))
    labels = sitk.Cast(pet, sitk.sitkUInt16)
    assert drawn(tmp_path, (pet, pet, labels)).any()


def test_the_same_study_gives_the_same_bytes(tmp_path: Path) -> None:
    images = study(2)
    drawn(tmp_path, images)
    first = (tmp_path / "overview.png").read_bytes()
    drawn(tmp_path, images)
    assert (tmp_path / "overview.png").read_bytes() == first


def test_the_colour_scale_has_between_four_and_ten_round_ticks() -> None:
    for low, high in ((0.0, 7.0), (-1.2, 6.6), (0.0, 0.013), (-3.0, 250.0), (0.0, 1.0)):
        ticks = drawing.ticks(low, high)
        assert 4 <= len(ticks) <= 10
        assert low - 1e-9 <= ticks[0]
        assert ticks[-1] <= high + 1e-9


def test_a_large_study_is_drawn_in_seconds_also_on_a_busy_machine(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    small = rng.random((60, 80, 80)).astype(np.float32)
    pet = sitk.GetImageFromArray(np.kron(small, np.ones((5, 5, 5), np.float32)))
    pet.SetSpacing((2.04, 2.04, 3.0))
    boxes = np.zeros((300, 400, 400), np.uint16)
    for number in range(1, 41):
        k, j, i = (int(rng.integers(0, size - 40)) for size in boxes.shape)
        boxes[k : k + 15, j : j + 20, i : i + 20] = number
    labels = sitk.GetImageFromArray(boxes)
    labels.CopyInformation(pet)
    begin = time.process_time()
    overview(tmp_path / "overview.png", pet, pet, "kde", labels, measure(labels, pet, pet))
    assert time.process_time() - begin < 6.0  # about 1 s on an idle core
