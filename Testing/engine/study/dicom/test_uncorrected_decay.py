"""Series that nothing was done about decay in: every slice is corrected by itself.

The expected SUV is that of the IBSI manual's formula, written down here a second time.
"""

from __future__ import annotations

from math import exp, log
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.study.dicom.suv import read_suv
from PETAnomalyLib.engine.study.dicom.units import suvbw_conversion
from pydicom.dataset import FileDataset
from suv_factor import refusal, with_private
from synthetic_dicom import DOSE_BQ, DROP, HALF_LIFE_S, WEIGHT_KG, a_body, pet_header, write_series

DECAY = log(2) / HALF_LIFE_S


def expected(after_injection_s: float, duration_s: float) -> float:
    """SUV of 1 Bq/ml as the mean over a frame."""
    x = DECAY * duration_s
    return WEIGHT_KG * 1000 / DOSE_BQ * x / (1 - exp(-x)) * exp(DECAY * after_injection_s)


def uncorrected(**changes: Any) -> Any:
    return pet_header(
        **{
            "DecayCorrection": "NONE",
            "CorrectedImage": ["NORM", "ATTN", "SCAT"],
            "ActualFrameDuration": "180000",
            **changes,
        }
    )


def factors(*headers: Any) -> list[float]:
    conversion = suvbw_conversion(headers)
    return [conversion.factor * undone for undone in conversion.decay]


def test_each_slice_is_corrected_from_its_own_acquisition_and_duration() -> None:
    headers = [
        uncorrected(AcquisitionTime="110000"),
        uncorrected(AcquisitionTime="110310"),
        uncorrected(AcquisitionTime="110620", ActualFrameDuration="360000"),
    ]
    assert factors(*headers) == pytest.approx(
        [expected(3600, 180), expected(3790, 180), expected(3980, 360)]
    )
    description = suvbw_conversion(headers).description
    assert description["factor_of_slices"] == pytest.approx(
        [expected(3600, 180), expected(3980, 360)]
    )


def test_the_volume_is_corrected_slice_by_slice_in_the_order_of_its_positions(
    tmp_path: Path,
) -> None:
    """The first slices were acquired last, and the files are in no order."""

    def when(dataset: FileDataset, k: int) -> None:
        dataset.AcquisitionTime = f"11{20 - 5 * (k // 2):02d}00"

    write_series(
        tmp_path, uncorrected(), a_body((8, 12, 12)), slopes=[1 + k / 8 for k in range(8)],
        change=when,
    )  # fmt: skip
    image, description, _ = read_suv(tmp_path)
    by_slice = np.array(
        [(1 + k / 8) * expected(3600 + 60 * (20 - 5 * (k // 2)), 180) for k in range(8)]
    )
    assert sitk.GetArrayFromImage(image) == pytest.approx(
        a_body((8, 12, 12)) * by_slice[:, None, None], rel=1e-6
    )
    assert image.GetSpacing() == pytest.approx((5.0, 6.0, 4.0))
    assert description["suv"]["decay_correction"] == "NONE"


def test_the_counts_of_philips_are_corrected_by_the_activity_factor() -> None:
    def counts(**elements: str) -> Any:
        header = uncorrected(Units="CNTS", Manufacturer="Philips Medical Systems")
        names = {"suv": 0x00, "activity": 0x09}
        values = {names[name]: value for name, value in elements.items()}
        return with_private(header, 0x7053, "Philips PET Private Group", values)

    assert factors(counts(activity="1.6")) == pytest.approx([1.6 * expected(3600, 180)])
    assert factors(counts(activity="1.6", suv="0.0005")) == pytest.approx(
        [1.6 * expected(3600, 180)]
    )
    assert "(7053,1009)" in refusal(counts(suv="0.0005"))


def test_times_without_dates_go_on_after_midnight() -> None:
    undated = {
        "SeriesDate": DROP, "AcquisitionDate": "", "RadiopharmaceuticalStartDateTime": DROP,
        "RadiopharmaceuticalStartTime": "230000",
    }  # fmt: skip
    headers = [uncorrected(AcquisitionTime=time, **undated) for time in ("000500", "235500")]
    assert factors(*headers) == pytest.approx([expected(3900, 180), expected(3300, 180)])


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"ActualFrameDuration": DROP}, "ActualFrameDuration (0018,1242)"),
        ({"ActualFrameDuration": "0"}, "ActualFrameDuration (0018,1242)"),
        ({"AcquisitionTime": DROP}, "AcquisitionTime (0008,0032)"),
        ({"AcquisitionTime": "093000"}, "after the start of the scan"),
        ({"CorrectedImage": ["DECY"]}, "CorrectedImage (0028,0051)"),
    ],
)
def test_what_cannot_be_corrected_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    if changes.get("ActualFrameDuration") is DROP:
        header = uncorrected()
        del header.ActualFrameDuration
    else:
        header = uncorrected(**changes)
    assert named in refusal(header)


def test_signs_that_the_values_were_corrected_are_told() -> None:
    for changes in ({"CorrectedImage": ["ATTN", "DECY"]}, {"DecayFactor": "1.05"}):
        conversion = suvbw_conversion([uncorrected(**changes)])
        assert conversion.factor * conversion.decay[0] == pytest.approx(expected(3600, 180))
        assert "check" in conversion.warnings[0] or "believed" in conversion.warnings[0]
