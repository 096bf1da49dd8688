"""The template is checked by its content: a bad one is the bundle's fault, not the study's."""

from __future__ import annotations

import gzip
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.bundles.template import check_template
from PETAnomalyLib.engine.runtime.errors import BundleError
from tiny_models import SIZE, write_template

NAME = "models/template.nii.gz"
FRAME = {"orientation": "LPS", "spacing_mm": [6.0, 6.0, 6.0], "size_voxels": SIZE}
ROWS = [-6.0, 0, 0, 90.0, 0, -6.0, 0, 40.0, 0, 0, 6.0, -70.0]


def body() -> np.ndarray:
    """Voxels along slices, rows, columns: SUV 2 in air."""
    suv = np.zeros(SIZE[::-1], np.float32)
    suv[2:-2, 2:-2, 2:-2] = 2.0
    return suv


def written_by_itk(
    path: Path, voxels: np.ndarray, direction: Any = (1, 0, 0, 0, 1, 0, 0, 0, 1)
) -> Path:
    image = sitk.GetImageFromArray(voxels)
    image.SetSpacing(FRAME["spacing_mm"])
    image.SetDirection([float(x) for x in direction])
    image.SetOrigin([1.5, -30.0, 200.0])
    sitk.WriteImage(image, str(path))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(BundleError, match=NAME) as error:
        check_template(path, NAME, FRAME)
    assert error.value.hint
    return error.value.message


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_itk_writes_along_lps_is_good(tmp_path: Path, dtype: Any) -> None:
    check_template(written_by_itk(tmp_path / "t.nii.gz", body().astype(dtype)), NAME, FRAME)


@pytest.mark.parametrize("codes", [(0, 0), (0, 1), (1, 0), (2, 2)])
def test_a_header_along_lps_is_good_wherever_it_says_so(
    tmp_path: Path, codes: tuple[int, int]
) -> None:
    write_template(tmp_path / "t.nii.gz", SIZE, codes=codes)
    check_template(tmp_path / "t.nii.gz", NAME, FRAME)
    # As ITK understands the same bytes:
    identity = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    assert sitk.ReadImage(str(tmp_path / "t.nii.gz")).GetDirection() == identity


def one_voxel(value: float) -> np.ndarray:
    suv = body()
    suv[5, 4, 3] = value
    return suv


@pytest.mark.parametrize(
    "voxels",
    [
        np.zeros(SIZE[::-1], np.float32),
        np.full(SIZE[::-1], 2.0, np.float32),
        one_voxel(np.nan),
        one_voxel(np.inf),
        one_voxel(-np.inf),
        one_voxel(-1.0),
        body() * 10_000,  # Bq/ml
        body() * 1e-3,
    ],
)
def test_values_that_are_no_mean_pet_in_suv_are_refused(tmp_path: Path, voxels: Any) -> None:
    refusal(written_by_itk(tmp_path / "t.nii.gz", voxels))


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.complex64])
def test_values_that_are_no_floats_are_refused(tmp_path: Path, dtype: Any) -> None:
    message = refusal(written_by_itk(tmp_path / "t.nii.gz", body().astype(dtype)))
    assert "float" in message


@pytest.mark.parametrize(
    "direction",
    [
        (-1, 0, 0, 0, 1, 0, 0, 0, 1),  # mirrored
        (1, 0, 0, 0, 1, 0, 0, 0, -1),  # upside down
        (-1, 0, 0, 0, -1, 0, 0, 0, 1),  # RAS
        (0, 1, 0, 1, 0, 0, 0, 0, 1),
        (0.8, -0.6, 0, 0.6, 0.8, 0, 0, 0, 1),
    ],
)
def test_a_mirrored_or_turned_template_is_refused(tmp_path: Path, direction: Any) -> None:
    message = refusal(written_by_itk(tmp_path / "t.nii.gz", body(), direction))
    assert "petanomaly.frame.orientation" in message


MIRRORED = [6.0, *ROWS[1:]]


@pytest.mark.parametrize(
    "changes",
    [
        {"rows": MIRRORED},
        {"rows": MIRRORED, "codes": (0, 1)},
        {"handedness": -1.0},
        {"handedness": -1.0, "codes": (1, 0)},
        {"quaternion": (0.0, 0.0, 0.0)},
        {"quaternion": (float("nan"), 0.0, 1.0)},
        {"rows": [*ROWS[:3], float("nan"), *ROWS[4:]]},
        {"rows": [*ROWS[:3], 150.0, *ROWS[4:]]},  # 60 mm from where the qform has it
        {"units": 1},  # metres
        {"scaling": (2.0, 0.0)},
        {"scaling": (1.0, 5.0)},
        {"datatype": 64},  # of voxels that are 32 bits wide
        {"datatype": 16, "bits": 64},
    ],
)
def test_a_header_that_lies_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    write_template(tmp_path / "t.nii.gz", SIZE, **changes)
    refusal(tmp_path / "t.nii.gz")


def test_a_template_is_whole_to_the_byte(tmp_path: Path) -> None:
    path = tmp_path / "t.nii.gz"
    write_template(path, SIZE)
    whole = path.read_bytes()
    content = gzip.decompress(whole)
    for damaged in (
        whole[:-4],
        whole[: len(whole) // 2],
        whole + b"trailing",
        gzip.compress(content[:-4]),
        gzip.compress(content + b"\0"),
        whole[:-8] + struct.pack("<I", 1) + whole[-4:],  # the checksum
        whole + gzip.compress(b"") * 10_000,  # unpacks to nothing, for as long as one likes
    ):
        path.write_bytes(damaged)
        assert "damaged" in refusal(path)


@settings(max_examples=150, deadline=None)
@given(position=st.integers(0, 351), value=st.integers(0, 255))
def test_any_byte_of_the_header_is_read_as_it_was_or_refused(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    path = tmp_path_factory.mktemp("header") / "t.nii.gz"
    write_template(path, SIZE)
    before = sitk.ReadImage(str(path))
    content = bytearray(gzip.decompress(path.read_bytes()))
    content[position] = value
    path.write_bytes(gzip.compress(bytes(content)))
    try:
        check_template(path, NAME, FRAME)
    except BundleError:
        return
    after = sitk.ReadImage(str(path))
    assert after.GetPixelID() == before.GetPixelID()
    assert after.GetSize() == before.GetSize()
    assert after.GetSpacing() == pytest.approx(before.GetSpacing(), abs=1e-3)
    assert after.GetDirection() == pytest.approx(before.GetDirection(), abs=2e-3)
    assert np.array_equal(sitk.GetArrayFromImage(after), sitk.GetArrayFromImage(before))
