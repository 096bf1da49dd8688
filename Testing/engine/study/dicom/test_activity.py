"""SUVbw of values in Bq/ml, against the definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.study.dicom.units import suvbw_conversion
from pydicom.dataset import Dataset
from suv_factor import factor
from synthetic_dicom import DOSE_BQ, DROP, UPTAKE_S, WEIGHT_KG, pet_header, plain_factor


@given(
    weight=st.floats(3, 300),
    dose=st.floats(2e7, 1e9),
    minutes=st.integers(0, 5 * 60),
)
def test_bqml_start_is_weight_over_the_decayed_dose(
    weight: float, dose: float, minutes: int
) -> None:
    injected = 9 * 60
    scan = injected + minutes
    header = pet_header(
        PatientWeight=f"{weight:.6f}",
        RadionuclideTotalDose=f"{dose:.3f}",
        RadiopharmaceuticalStartDateTime="20250101090000",
        RadiopharmaceuticalStartTime="090000",
        SeriesTime=f"{scan // 60:02d}{scan % 60:02d}00",
        AcquisitionTime=f"{scan // 60:02d}{scan % 60:02d}00",
    )
    assert factor(header) == pytest.approx(plain_factor(minutes * 60, dose, weight), rel=1e-6)


def test_values_corrected_to_the_injection_are_not_corrected_again() -> None:
    header = pet_header(DecayCorrection="ADMIN", RadiopharmaceuticalStartDateTime=DROP,
                        RadiopharmaceuticalStartTime=DROP, SeriesTime=DROP)  # fmt: skip
    assert factor(header) == pytest.approx(WEIGHT_KG * 1000 / DOSE_BQ)


def test_the_half_life_of_the_tag_is_used_for_another_nuclide() -> None:
    header = pet_header(RadionuclideHalfLife="4057.7")
    expected = WEIGHT_KG * 1000 / (DOSE_BQ * 0.5 ** (UPTAKE_S / 4057.7))
    assert factor(header) == pytest.approx(expected)
    assert suvbw_conversion([header]).warnings == ()


def test_a_half_life_that_contradicts_the_coded_nuclide_is_told() -> None:
    header = pet_header(RadionuclideHalfLife="4057.7")
    nuclide = Dataset()
    nuclide.CodeValue, nuclide.CodingSchemeDesignator = "C-111A1", "SRT"
    header.RadiopharmaceuticalInformationSequence[0].RadionuclideCodeSequence = [nuclide]
    assert "F-18" in suvbw_conversion([header]).warnings[0]


def test_a_dose_in_megabecquerel_is_read_as_such_and_told() -> None:
    conversion = suvbw_conversion([pet_header(RadionuclideTotalDose="350")])
    assert conversion.factor == pytest.approx(plain_factor())
    assert conversion.description["dose_bq"] == 350e6
    assert "RadionuclideTotalDose (0018,1074)" in conversion.warnings[0]
    assert "MBq" in conversion.warnings[0]


def test_a_complete_header_raises_no_warning() -> None:
    assert suvbw_conversion([pet_header()]).warnings == ()
