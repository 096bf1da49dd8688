"""SUVbw of calibrated counts per second, which are the activity of a whole voxel."""

from __future__ import annotations

from typing import Any

import pytest
from suv_factor import factor, refusal
from synthetic_dicom import pet_header, plain_factor


def counts(**changes: Any) -> Any:
    return pet_header(
        **{
            "Units": "CPS",
            "CorrectedImage": ["DECY", "ATTN", "DCAL"],
            "PixelSpacing": [4.0, 5.0],
            "SliceThickness": "3.0",
            **changes,
        }
    )


def test_calibrated_counts_are_divided_by_the_volume_of_a_voxel() -> None:
    assert factor(counts()) == pytest.approx(plain_factor() / (4.0 * 5.0 * 3.0 / 1000))
    slices = [counts(ImagePositionPatient=[0, 0, 3.0 * k]) for k in (2, 0, 1)]
    assert factor(*slices) == pytest.approx(plain_factor() / 0.06)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"CorrectedImage": ["DECY", "ATTN"]}, "DCAL"),
        ({"SliceThickness": "0"}, "SliceThickness (0018,0050)"),
        ({"PixelSpacing": [0, 5.0]}, "PixelSpacing (0028,0030)"),
    ],
)
def test_counts_without_calibration_or_volume_are_refused(
    changes: dict[str, Any], named: str
) -> None:
    assert named in refusal(counts(**changes))


def test_slices_that_are_thicker_than_their_distance_have_no_certain_volume() -> None:
    slices = [counts(ImagePositionPatient=[0, 0, 2.0 * k]) for k in range(3)]
    assert "SliceThickness (0018,0050)" in refusal(*slices)
