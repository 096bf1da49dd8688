"""Three forms of the same organs are the same organs, on any grid; what is none is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.findings.measures import measure
from PETAnomalyLib.engine.findings.organs import Organs
from PETAnomalyLib.engine.findings.segmentation import write_segmentation
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.organs import read_organs

NAMES = {1: "liver", 2: "spleen", 5: "urinary_bladder"}


def grid(size: tuple[int, int, int], spacing: float, pixel: int = sitk.sitkUInt8) -> sitk.Image:
    image = sitk.Image(*size, pixel)
    image.SetSpacing([spacing] * 3)
    image.SetOrigin((-30.0, 10.0, 200.0))
    return image


@pytest.fixture
def pet() -> sitk.Image:
    return grid((12, 10, 8), 4.0, sitk.sitkFloat32)


@pytest.fixture
def fine() -> sitk.Image:
    """Three organs on voxels of 2 mm, beside the PET's."""
    image = grid((24, 20, 16), 2.0)
    image[2:8, 2:8, 2:8] = 1
    image[10:16, 4:12, 4:10] = 2
    image[18:22, 12:18, 8:14] = 5
    return image


def named(organs: Organs) -> np.ndarray:
    """The name at each voxel of the PET."""
    return np.array(["", *organs.names])[organs.labels]


def expected(pet: sitk.Image, fine: sitk.Image) -> np.ndarray:
    """The name at each voxel's centre, looked up point by point."""
    names = np.full(pet.GetSize()[::-1], "", dtype="U20")
    for k, j, i in np.ndindex(names.shape):
        index = fine.TransformPhysicalPointToIndex(pet.TransformIndexToPhysicalPoint((i, j, k)))
        if all(0 <= n < size for n, size in zip(index, fine.GetSize())):
            names[k, j, i] = NAMES.get(fine[index], "")
    return names


def as_labels(folder: Path, image: sitk.Image, names: object) -> Path:
    path = folder / "organs.nii.gz"
    sitk.WriteImage(image, str(path))
    (folder / "organs.json").write_text(json.dumps(names), encoding="utf-8")
    return path


def as_folder(folder: Path, image: sitk.Image) -> Path:
    masks = folder / "masks"
    masks.mkdir()
    for number, name in NAMES.items():
        sitk.WriteImage(image == number, str(masks / f"{name}.nii.gz"))
    (masks / "statistics.json").write_text("{}", encoding="utf-8")
    (masks / "._liver.nii.gz").write_bytes(b"Mac OS X")
    return masks


@pytest.mark.parametrize(
    "names",
    [
        {"1": "liver", "2": "spleen", "5": "urinary_bladder"},
        {"liver": 1, "spleen": 2, "urinary_bladder": 5, "background": 0},
        {"labels": {"background": 0, "liver": 1, "spleen": 2, "urinary_bladder": 5}},
    ],
)
def test_a_label_image_with_its_names(
    tmp_path: Path, pet: sitk.Image, fine: sitk.Image, names: object
) -> None:
    organs, description, _ = read_organs(as_labels(tmp_path, fine, names), pet)
    assert (named(organs) == expected(pet, fine)).all()
    assert description["names"] == list(NAMES.values())


def test_a_folder_of_masks(tmp_path: Path, pet: sitk.Image, fine: sitk.Image) -> None:
    organs, description, _ = read_organs(as_folder(tmp_path, fine), pet)
    assert (named(organs) == expected(pet, fine)).all()
    assert description["form"] == "folder of masks"


def test_a_slicer_segmentation(tmp_path: Path, pet: sitk.Image, fine: sitk.Image) -> None:
    blank = sitk.Cast(fine, sitk.sitkFloat32)
    path = tmp_path / "organs.seg.nrrd"
    write_segmentation(path, fine, measure(fine, blank, blank))
    organs, _, _ = read_organs(path, pet)
    said = {f"Finding {n} (SUVmax {n}.0)": name for n, name in NAMES.items()}
    shown = np.vectorize(lambda name: said.get(name, ""))(named(organs))
    assert (shown == expected(pet, fine)).all()


def test_masks_may_lie_on_grids_of_their_own(tmp_path: Path, pet: sitk.Image) -> None:
    turned = sitk.Flip(grid((24, 20, 16), 2.0) + 1, [True, False, True])
    masks = tmp_path / "masks"
    masks.mkdir()
    sitk.WriteImage(turned, str(masks / "liver.nii.gz"))
    organs, _, _ = read_organs(masks, pet)
    assert (named(organs) == "liver").all()  # it covers the PET, whatever its axes


def test_what_cannot_be_used_is_refused_in_words(
    tmp_path: Path, pet: sitk.Image, fine: sitk.Image
) -> None:
    def refused(path: Path, words: str) -> None:
        with pytest.raises(InputError, match=words):
            read_organs(path, pet)

    labels = as_labels(tmp_path, fine, {"1": "liver", "2": "spleen"})
    refused(labels, "has the label 5, which")
    beside = tmp_path / "organs.json"
    for text, words in (
        ("{", "cannot be read"), ("[]", "holds no names"), ('{"Units": "SUV"}', "holds no names"),
        ('{"liver": 1, "spleen": 1}', "holds no names"),
    ):  # fmt: skip
        beside.write_text(text, encoding="utf-8")
        refused(labels, words)
    beside.unlink()
    refused(labels, "has no file of names")
    halves = as_labels(tmp_path, sitk.Cast(fine, sitk.sitkFloat32) / 2, {"1": "liver"})
    refused(halves, "no label image")
    far = fine + 0
    far.SetOrigin((5000.0, 0.0, 0.0))
    refused(as_labels(tmp_path, far, {str(n): name for n, name in NAMES.items()}), "lie nowhere")
    empty = tmp_path / "empty"
    empty.mkdir()
    refused(empty, "holds no masks")
    refused(tmp_path / "not-there", "does not exist")
