"""What `suv` and `detect` refuse of a DICOM series as they would of an image file."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.suv_file import write_suv
from PETAnomalyLib.engine.study.study import read_pet
from pydicom.dataset import Dataset, FileDataset
from pydicom.sequence import Sequence
from synthetic_dicom import DOSE_BQ, a_body, pet_header, plain_factor, write_series


def refused_twice(folder: Path) -> str:
    """By `suv`, which leaves no file, and by `detect`, in the same words."""
    messages = []
    for read in (
        lambda: write_suv(folder, folder / "out" / "suv.nii.gz"),
        lambda: read_pet(folder),
    ):
        with pytest.raises(InputError) as raised:
            read()
        assert raised.value.hint
        messages.append(raised.value.message)
    assert not (folder / "out").exists()
    assert messages[0] == messages[1]
    return messages[0]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"RadionuclideTotalDose": str(DOSE_BQ / 1000)}, "RadionuclideTotalDose (0018,1074)"),
        (
            {"RadiopharmaceuticalStartDateTime": "20241231230000",
             "RadiopharmaceuticalStartTime": ""},
            "RadiopharmaceuticalStartDateTime (0018,1078)",
        ),
        ({"Units": "GML"}, "Units (0054,1001)"),
    ],
)  # fmt: skip
def test_an_impossible_suv_is_refused_by_what_it_was_computed_from(
    tmp_path: Path, changes: dict[str, Any], named: str
) -> None:
    write_series(tmp_path, pet_header(**changes), a_body())
    message = refused_twice(tmp_path)
    assert "impossible SUV" in message
    assert named in message


def test_a_large_body_in_kilobecquerel_is_refused(tmp_path: Path) -> None:
    """20 l with a mean of 3.5: a dose that is a third of what it was."""
    header = pet_header(RadionuclideTotalDose=str(DOSE_BQ / 3))
    write_series(tmp_path, header, a_body(), spacing=(18.0, 18.0), gap=19.0)
    assert "RadionuclideTotalDose (0018,1074)" in refused_twice(tmp_path)


def test_a_zeroed_date_time_beside_a_good_time_gives_the_right_suv(tmp_path: Path) -> None:
    """It was 44 times what it is."""
    write_series(tmp_path, pet_header(RadiopharmaceuticalStartDateTime="20250101000000"), a_body())
    image, _, _ = read_pet(tmp_path)
    assert np.allclose(sitk.GetArrayFromImage(image), a_body() * plain_factor(), rtol=1e-6)


@pytest.mark.parametrize("spacing", [(1e308, 1e308), (1e-30, 1e-30), (0, 0), (-5.0, 5.0), (5, 40)])
def test_an_implausible_pixel_spacing_is_refused_by_name(
    tmp_path: Path, spacing: tuple[float, float]
) -> None:
    def wrong(dataset: FileDataset, _k: int) -> None:
        dataset.PixelSpacing = [str(value) for value in spacing]

    write_series(tmp_path, pet_header(), a_body(), change=wrong)
    assert "PixelSpacing (0028,0030)" in refused_twice(tmp_path)


def test_other_grids_that_an_image_file_may_not_have_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path / "gap", pet_header(), a_body(), gap=60.0)
    assert "implausible voxel spacing" in refused_twice(tmp_path / "gap")
    write_series(tmp_path / "one", pet_header(), a_body()[:1])
    assert "one slice" in refused_twice(tmp_path / "one")
    write_series(tmp_path / "constant", pet_header(), np.full((6, 12, 12), 100))
    assert "constant" in refused_twice(tmp_path / "constant")
    write_series(
        tmp_path / "far", pet_header(), a_body(), positions=[(0, 0, 1e300 * k) for k in range(12)]
    )
    assert "ImagePositionPatient (0020,0032)" in refused_twice(tmp_path / "far")


def test_values_that_become_infinite_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path, pet_header(), a_body(), slopes=[1e300] * 12)
    assert "infinite" in refused_twice(tmp_path)


@pytest.mark.parametrize("intercept", [-10.0, 0.5])
def test_a_pet_has_no_rescale_intercept(tmp_path: Path, intercept: float) -> None:
    write_series(tmp_path, pet_header(), a_body(), intercept=intercept)
    assert "RescaleIntercept (0028,1052)" in refused_twice(tmp_path)


def _nested(depth: int) -> Dataset:
    inner = Dataset()
    for _ in range(depth):
        outer = Dataset()
        outer.ContentSequence = Sequence([inner])
        inner = outer
    return inner


@pytest.mark.parametrize(
    "change",
    [
        lambda d, _: setattr(d, "ContentSequence", Sequence([_nested(60)])),
        lambda d, _: d.add_new(0x00540016, "LO", "no sequence"),
        lambda d, _: d.add_new(0x00540016, "SQ", Sequence()),
        lambda d, _: d.add_new(0x00540016, "OB", b"\1\2"),
        lambda d, _: d.add_new(0x00181242, "OB", b"\1\2"),
        lambda d, _: d.add_new(0x00541300, "LO", "soon"),
        lambda d, _: d.add_new(0x00541321, "LO", "nan"),
        lambda d, _: d.add_new(0x00280008, "LO", "x"),
        lambda d, _: d.add_new(0x00080060, "OB", b"PT\0\0"),
        lambda d, _: setattr(d, "RescaleIntercept", ["0", "0"]),
    ],
)
def test_odd_headers_are_read_or_refused_in_words(tmp_path: Path, change: Any) -> None:
    write_series(tmp_path, pet_header(SeriesTime="153000"), a_body((6, 12, 12)), change=change)
    with contextlib.suppress(InputError):  # any other error is a traceback
        image, _, _ = read_pet(tmp_path)
        assert np.allclose(
            sitk.GetArrayFromImage(image), a_body((6, 12, 12)) * plain_factor(), rtol=1e-6
        )
