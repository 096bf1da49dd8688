"""SUVbw from DICOM headers, against the definition and against published reference values."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.suv import read_suv, suvbw_conversion, write_suv
from pydicom.dataset import Dataset
from synthetic_dicom import (
    DOSE_BQ,
    DROP,
    HALF_LIFE_S,
    HEIGHT_M,
    UPTAKE_S,
    WEIGHT_KG,
    a_body,
    pet_header,
    plain_factor,
    write_series,
)

HEADERS = (
    "PHILIPS_BQML",
    "PHILIPS_CNTS_AND_BQML_SUV",
    "PHILIPS_CNTS_AND_SUV",
    "SIEMENS",
    "GE_MEDICAL_AND_BQML",
    "BQML_AC_DT_lessThan_S_DT_SIEMENS",
    "CPS_AND_BQML_AC_DT_-_S_DT",
    "RADIOPHARM_DATETIME_UNDEFINED",
)
TRACER = ("RadionuclideTotalDose", "RadionuclideHalfLife", "RadiopharmaceuticalStartTime",
          "RadiopharmaceuticalStartDateTime")  # fmt: skip


def factor(*headers: Dataset) -> float:
    return suvbw_conversion(headers).factor


def refusal(*headers: Dataset) -> str:
    with pytest.raises(InputError) as raised:
        suvbw_conversion(headers)
    assert raised.value.hint
    return raised.value.message


def with_private(header: Dataset, group: int, creator: str, values: dict[int, str]) -> Dataset:
    block = header.private_block(group, creator, create=True)
    for element, value in values.items():
        block.add_new(element, "LO", value)
    return header


def philips(**factors: str) -> Dataset:
    elements = {"suv": 0x00, "activity": 0x09}
    return with_private(
        pet_header(Units="CNTS", Manufacturer="Philips Medical Systems"),
        0x7053,
        "Philips PET Private Group",
        {elements[name]: value for name, value in factors.items()},
    )


def from_json(record: dict[str, Any]) -> Dataset:
    """One instance of the cornerstone headers as a dataset."""
    private = record["PhilipsPETPrivateGroup"]
    header, item = Dataset(), Dataset()
    for keyword, value in record.items():
        if keyword != "PhilipsPETPrivateGroup":
            setattr(item if keyword in TRACER else header, keyword, value)
    header.RadiopharmaceuticalInformationSequence = [item]
    elements = {"SUVScaleFactor": 0x00, "ActivityConcentrationScaleFactor": 0x09}
    if private:
        values = {elements[key]: str(value) for key, value in private.items()}
        with_private(header, 0x7053, "Philips PET Private Group", values)
    return header


# --- real headers and reference objects ---------------------------------------------------------


@pytest.mark.parametrize("name", HEADERS)
def test_a_real_header_gives_the_published_factor_within_a_thousandth(
    real_data: Path, name: str
) -> None:
    folder = real_data / "suv-headers"
    file = f"{name}-instances.json"
    with (folder / "expected_suvbw_factor.csv").open(encoding="utf-8") as table:
        expected = {
            row["file"]: float(row["suvbw_factor_per_bqml_or_count"])
            for row in csv.DictReader(table)
        }
    records = json.loads((folder / file).read_text(encoding="utf-8"))
    assert factor(*map(from_json, records)) == pytest.approx(expected[file], rel=1e-3)


@pytest.mark.parametrize(
    "name",
    ["DRO_0_0", "DRO_1_0", "DRO_2_0", "DRO_2_4", "DRO_3_1", "DRO_4_0", "DRO_4_1", "DRO_5_0"],
)
def test_a_reference_object_has_its_nominal_suvs_in_the_mask(real_data: Path, name: str) -> None:
    folder = real_data / "suv-reference-objects" / name
    image, _, _ = read_suv(folder / "PT")
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "mask" / "DRO_mask.nii.gz"))) > 0
    values = sitk.GetArrayFromImage(image)[mask]
    assert [values.min(), np.median(values), values.max()] == pytest.approx(
        [0.20, 1.00, 4.00], rel=0.01
    )


def test_the_whole_body_scan_gives_its_published_factor(real_data: Path) -> None:
    _, description, _ = read_suv(real_data / "wholebody-pet-sts001" / "dicom")
    assert description["suv"]["factor"] == pytest.approx(2.42903e-4, rel=1e-3)
    assert description["suv"]["weight_kg"] == 71.0


# --- Bq/ml --------------------------------------------------------------------------------------


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


def test_values_without_decay_correction_are_refused_in_every_unit() -> None:
    for units in ("BQML", "GML", "CM2ML"):
        assert "DecayCorrection (0054,1102) is NONE" in refusal(
            pet_header(Units=units, DecayCorrection="NONE")
        )


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


# --- the instant that the values belong to ------------------------------------------------------


def test_the_series_time_counts_when_slices_were_acquired_later() -> None:
    beds = [pet_header(AcquisitionTime=time) for time in ("110000", "110400", "110800")]
    assert factor(*beds) == pytest.approx(plain_factor())


def test_a_series_written_later_is_taken_from_its_earliest_acquisition() -> None:
    beds = [
        pet_header(SeriesTime="153000", AcquisitionTime=time)
        for time in ("110800", "110000", "110400")
    ]
    conversion = suvbw_conversion(beds)
    assert conversion.factor == pytest.approx(plain_factor())
    assert "SeriesTime (0008,0031)" in conversion.warnings[0]


def test_a_series_written_later_uses_the_private_scan_time_of_ge() -> None:
    header = pet_header(SeriesTime="153000", AcquisitionTime="111500", Manufacturer="GE MEDICAL")
    with_private(header, 0x0009, "GEMS_PETD_01", {0x0D: "20250101110000.00"})
    assert factor(header) == pytest.approx(plain_factor())
    # The block is found through its creator, wherever that sits.
    moved = pet_header(SeriesTime="153000", AcquisitionTime="111500", Manufacturer="GE MEDICAL")
    with_private(moved, 0x0009, "GEMS_IDEN_01", {0x0D: "20240101000000.00"})
    with_private(moved, 0x0009, "GEMS_PETD_01", {0x0D: "20250101110000.00"})
    assert factor(moved) == pytest.approx(plain_factor())


def test_another_vendors_private_attribute_is_not_a_scan_time() -> None:
    header = pet_header(SeriesTime="153000", Manufacturer="GE MEDICAL")
    with_private(header, 0x0009, "SOMEONE ELSE", {0x0D: "20250101103000.00"})
    assert suvbw_conversion([header]).rule.endswith("earliest acquisition date and time")
    assert factor(header) == pytest.approx(plain_factor())


def test_ges_time_without_its_creator_counts_only_on_a_ge_scanner() -> None:
    rewritten = {"SeriesTime": "153000", "AcquisitionTime": "111500"}
    for manufacturer, expected in (("GE MEDICAL SYSTEMS", 3600), ("SIEMENS", 4500)):
        header = pet_header(Manufacturer=manufacturer, **rewritten)
        header.add_new((0x0009, 0x100D), "DT", "20250101110000.00")
        assert factor(header) == pytest.approx(plain_factor(expected))


def test_an_unmodified_ge_series_keeps_its_series_time_and_tells_a_difference() -> None:
    header = pet_header(Manufacturer="GE MEDICAL SYSTEMS")
    with_private(header, 0x0009, "GEMS_PETD_01", {0x0D: "20250101112000.00"})
    conversion = suvbw_conversion([header])
    assert conversion.factor == pytest.approx(plain_factor())
    assert "(0009,100D)" in conversion.warnings[0]


@pytest.mark.parametrize(
    "injection",
    [
        {"RadiopharmaceuticalStartDateTime": "20241231233000.00"},
        {"RadiopharmaceuticalStartDateTime": DROP},
        {"RadiopharmaceuticalStartDateTime": "20241231"},
    ],
)
def test_an_injection_before_midnight_and_a_scan_after_it(injection: dict[str, Any]) -> None:
    header = pet_header(
        RadiopharmaceuticalStartTime="233000.00",
        SeriesTime="003000.00",
        AcquisitionTime="003000.00",
        **injection,
    )
    assert factor(header) == pytest.approx(plain_factor())


def test_only_a_date_time_or_only_a_time_of_injection_is_enough() -> None:
    assert factor(pet_header(RadiopharmaceuticalStartTime=DROP)) == pytest.approx(plain_factor())
    assert factor(pet_header(RadiopharmaceuticalStartDateTime=DROP)) == pytest.approx(
        plain_factor()
    )
    assert factor(pet_header(RadiopharmaceuticalStartDateTime="")) == pytest.approx(plain_factor())


def test_dates_removed_by_anonymisation_leave_the_times_of_day() -> None:
    header = pet_header(SeriesDate=DROP, AcquisitionDate="", RadiopharmaceuticalStartDateTime=DROP)
    assert factor(header) == pytest.approx(plain_factor())


def test_a_missing_series_time_falls_back_to_the_acquisition() -> None:
    assert factor(pet_header(SeriesTime=DROP)) == pytest.approx(plain_factor())
    stamp = pet_header(SeriesTime=DROP, AcquisitionTime=DROP)
    stamp.AcquisitionDateTime = "20250101110000.000000"
    assert factor(stamp) == pytest.approx(plain_factor())


def test_a_missing_acquisition_time_leaves_the_series_time() -> None:
    assert factor(pet_header(AcquisitionTime=DROP)) == pytest.approx(plain_factor())


def test_an_injection_stated_in_utc_is_moved_to_the_time_zone_of_the_series() -> None:
    header = pet_header(
        TimezoneOffsetFromUTC="+0200",
        RadiopharmaceuticalStartDateTime="20250101080000.00+0000",
    )
    assert factor(header) == pytest.approx(plain_factor())
    across_midnight = pet_header(
        TimezoneOffsetFromUTC="-0500",
        RadiopharmaceuticalStartDateTime="20250102003000+0000",
        RadiopharmaceuticalStartTime=DROP,
        SeriesTime="203000",
        AcquisitionTime="203000",
    )
    assert factor(across_midnight) == pytest.approx(plain_factor())


def test_times_written_with_colons_or_without_seconds_are_understood() -> None:
    header = pet_header(SeriesTime="11:00:00", AcquisitionTime="1100")
    assert factor(header) == pytest.approx(plain_factor())


def test_injection_times_that_disagree_are_told() -> None:
    conversion = suvbw_conversion([pet_header(RadiopharmaceuticalStartTime="093000")])
    assert conversion.factor == pytest.approx(plain_factor())
    assert "disagree" in conversion.warnings[0]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"RadiopharmaceuticalStartDateTime": "20250101113000"}, "(0018,1078)"),
        ({"RadiopharmaceuticalStartDateTime": "20250105100000"}, "(0018,1078)"),
        ({"RadiopharmaceuticalStartDateTime": "20241201100000"}, "(0018,1078)"),
        (
            {
                "RadiopharmaceuticalStartDateTime": DROP,
                "RadiopharmaceuticalStartTime": "110500",
            },
            "(0018,1072)",
        ),
        (
            {"RadiopharmaceuticalStartDateTime": DROP, "RadiopharmaceuticalStartTime": ""},
            "RadiopharmaceuticalStartTime (0018,1072)",
        ),
        ({"RadiopharmaceuticalStartDateTime": "yesterday"}, "(0018,1078)"),
        ({"SeriesTime": "2500"}, "SeriesTime (0008,0031)"),
        ({"SeriesDate": "20250231"}, "SeriesTime (0008,0031)"),
        ({"SeriesTime": DROP, "AcquisitionTime": DROP}, "SeriesTime (0008,0031)"),
        (
            {"RadionuclideHalfLife": "282276", "RadiopharmaceuticalStartDateTime": DROP},
            "(0018,1078)",
        ),
    ],
)
def test_impossible_times_are_refused_by_name(changes: dict[str, Any], named: str) -> None:
    assert named in refusal(pet_header(**changes))


# --- what may not be guessed --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"PatientWeight": "0"}, "PatientWeight (0010,1030) is 0"),
        ({"PatientWeight": DROP}, "PatientWeight (0010,1030) is missing"),
        ({"PatientWeight": ""}, "PatientWeight (0010,1030) is missing"),
        ({"PatientWeight": "70000"}, "PatientWeight (0010,1030) is 70000"),
        ({"RadionuclideTotalDose": DROP}, "RadionuclideTotalDose (0018,1074)"),
        ({"RadionuclideTotalDose": "0"}, "RadionuclideTotalDose (0018,1074)"),
        ({"RadionuclideHalfLife": DROP}, "RadionuclideHalfLife (0018,1075)"),
        ({"RadionuclideHalfLife": "0"}, "RadionuclideHalfLife (0018,1075)"),
        ({"DecayCorrection": DROP}, "DecayCorrection (0054,1102) is missing"),
        ({"DecayCorrection": "OTHER"}, "DecayCorrection (0054,1102) is OTHER"),
        ({"Units": DROP}, "Units (0054,1001) is missing"),
        ({"Units": "PROPCPS"}, "Units (0054,1001) is PROPCPS"),
        ({"Units": "PCNT"}, "Units (0054,1001) is PCNT"),
        ({"Units": "CNTS"}, "(7053,1000)"),
        ({"Units": "GML", "SUVType": "BSA"}, "SUVType (0054,1006) is BSA"),
        ({"Units": "GML", "SUVType": "NEW"}, "SUVType (0054,1006) is NEW"),
        ({"Units": "CM2ML", "SUVType": "BW"}, "SUVType (0054,1006) is BW"),
        ({"CorrectedImage": ["DECY"]}, "CorrectedImage (0028,0051)"),
        ({"Modality": "CT"}, "Modality (0008,0060)"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.130"}, "Enhanced PET"),
        (
            {"RadiopharmaceuticalInformationSequence": []},
            "RadiopharmaceuticalInformationSequence (0054,0016)",
        ),
        (
            {"RadiopharmaceuticalInformationSequence": [Dataset(), Dataset()]},
            "RadiopharmaceuticalInformationSequence (0054,0016)",
        ),
    ],
)
def test_what_cannot_be_converted_is_refused_by_the_attributes_name(
    changes: dict[str, Any], named: str
) -> None:
    assert named in refusal(pet_header(**changes))


@pytest.mark.parametrize(
    ("keyword", "other"),
    [
        ("SeriesInstanceUID", "1.2.3"),
        ("Units", "GML"),
        ("PatientWeight", "71"),
        ("RadionuclideTotalDose", "300000000"),
        ("DecayCorrection", "ADMIN"),
    ],
)
def test_slices_of_different_series_are_refused_together(keyword: str, other: str) -> None:
    message = refusal(pet_header(), pet_header(**{keyword: other}))
    assert "mixed" in message
    assert keyword in message


def test_slices_of_two_patients_are_refused_without_naming_them() -> None:
    message = refusal(pet_header(), pet_header(PatientID="John Doe"))
    assert "PatientID (0010,0020)" in message
    assert "Doe" not in message


# --- Philips ------------------------------------------------------------------------------------


def test_counts_of_philips_take_the_suv_factor_before_the_activity_factor() -> None:
    assert factor(philips(suv="0.000551", activity="1.6")) == pytest.approx(0.000551)
    assert factor(philips(activity="1.602563")) == pytest.approx(1.602563 * plain_factor())
    assert factor(philips(suv="0", activity="1.602563")) == pytest.approx(1.602563 * plain_factor())


def test_counts_of_philips_without_a_usable_factor_are_refused() -> None:
    assert "(7053,1009)" in refusal(philips(suv="0", activity="0"))
    assert "(7053,1000)" in refusal(philips(suv="n/a"))


def test_a_factor_of_another_creator_is_not_philips() -> None:
    header = pet_header(Units="CNTS", Manufacturer="Philips")
    with_private(header, 0x7053, "Somebody", {0x00: "0.5", 0x09: "0.5"})
    assert "(7053,1000)" in refusal(header)


def test_a_factor_without_a_creator_counts_only_on_a_philips_scanner() -> None:
    for manufacturer in ("Philips Medical Systems", "SIEMENS"):
        header = pet_header(Units="CNTS", Manufacturer=manufacturer)
        header.add_new((0x7053, 0x1000), "DS", "0.0005")
        if manufacturer == "SIEMENS":
            assert "Manufacturer (0008,0070)" in refusal(header)
        else:
            assert factor(header) == pytest.approx(0.0005)


# --- SUV of other kinds -------------------------------------------------------------------------

BMI = WEIGHT_KG / HEIGHT_M**2
# Morgan (LBM), James, Janmahasatian, Sugawara: the published formulas, in kg.
MASSES = {
    "LBM": (
        1.10 * WEIGHT_KG - 0.0120 * WEIGHT_KG**2 / HEIGHT_M**2,
        1.07 * WEIGHT_KG - 0.0148 * WEIGHT_KG**2 / HEIGHT_M**2,
    ),
    "LBMJAMES128": (
        1.10 * WEIGHT_KG - 0.0128 * WEIGHT_KG * BMI,
        1.07 * WEIGHT_KG - 0.0148 * WEIGHT_KG * BMI,
    ),
    "LBMJANMA": (
        9270 * WEIGHT_KG / (6680 + 216 * BMI),
        9270 * WEIGHT_KG / (8780 + 244 * BMI),
    ),
    "IBW": (48.0 + 1.06 * 23, 45.5 + 0.91 * 23),
}


@pytest.mark.parametrize("suv_type", MASSES)
def test_suv_of_lean_or_ideal_mass_becomes_suv_of_body_weight(suv_type: str) -> None:
    male, female = MASSES[suv_type]
    for sex, mass in (("M", male), ("F", female), ("O", (male + female) / 2)):
        header = pet_header(Units="GML", SUVType=suv_type, PatientSex=sex)
        assert factor(header) == pytest.approx(WEIGHT_KG / mass)


def test_suv_of_body_surface_becomes_suv_of_body_weight() -> None:
    surface_cm2 = 71.84 * WEIGHT_KG**0.425 * 175**0.725
    for suv_type in ("BSA", ""):
        header = pet_header(Units="CM2ML", SUVType=suv_type)
        assert factor(header) == pytest.approx(WEIGHT_KG * 1000 / surface_cm2)


def test_suv_of_body_weight_is_taken_as_it_is_and_needs_no_dose() -> None:
    for changes in ({}, {"SUVType": "BW"}, {"SUVType": ""}):
        header = pet_header(
            Units="GML", PatientWeight=DROP, RadionuclideTotalDose=DROP, PatientSex=DROP, **changes
        )
        assert factor(header) == 1.0


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"PatientSize": DROP}, "PatientSize (0010,1020)"),
        ({"PatientSize": "175"}, "PatientSize (0010,1020) is 175"),
        ({"PatientSize": "0"}, "PatientSize (0010,1020) is 0"),
        ({"PatientSex": DROP}, "PatientSex (0010,0040) is missing"),
        ({"PatientSex": "X"}, "PatientSex (0010,0040) is X"),
        ({"PatientWeight": DROP}, "PatientWeight (0010,1030)"),
        ({"PatientWeight": "390"}, "SUVType (0054,1006)"),
    ],
)
def test_suv_of_lean_mass_needs_a_plausible_height_sex_and_weight(
    changes: dict[str, Any], named: str
) -> None:
    assert named in refusal(pet_header(Units="GML", SUVType="LBMJAMES128", **changes))


# --- the file -----------------------------------------------------------------------------------


def lone_series(folder: Path, slopes: Sequence[float] | None = None) -> Path:
    write_series(folder, pet_header(), a_body((6, 8, 9)), slopes=slopes)
    return folder


def test_the_slope_of_every_slice_is_applied(tmp_path: Path) -> None:
    slopes = [1.0, 0.5, 2.0, 1.25, 3.0, 0.75]
    image, _, _ = read_suv(lone_series(tmp_path / "pet", slopes))
    expected = a_body((6, 8, 9)) * np.array(slopes)[:, None, None] * plain_factor()
    assert sitk.GetArrayFromImage(image) == pytest.approx(expected, rel=1e-6)


def test_the_suv_file_holds_the_same_values_geometry_and_unit(tmp_path: Path) -> None:
    source = lone_series(tmp_path / "Studie Müller, PET")
    target = tmp_path / "naïve résumé 肺" / "suv out.nii.gz"
    description, _ = write_suv(source, target)
    image, _, _ = read_suv(source)
    written = sitk.ReadImage(str(target))
    assert np.array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(image))
    assert written.GetSpacing() == pytest.approx(image.GetSpacing())
    assert written.GetOrigin() == pytest.approx(image.GetOrigin())
    assert written.GetDirection() == pytest.approx(image.GetDirection())
    assert written.GetMetaData("descrip").startswith("SUVbw g/ml")
    assert json.loads(json.dumps(description))["suv"]["half_life_s"] == HALF_LIFE_S
    assert [path.name for path in target.parent.iterdir()] == ["suv out.nii.gz"]


def test_a_refused_series_leaves_no_file(tmp_path: Path) -> None:
    write_series(tmp_path / "pet", pet_header(PatientWeight="0"), a_body((6, 8, 9)))
    with pytest.raises(InputError, match="PatientWeight"):
        write_suv(tmp_path / "pet", tmp_path / "out" / "suv.nii.gz")
    assert not (tmp_path / "out").exists()


def test_an_unwritable_place_is_refused_and_keeps_an_older_file(tmp_path: Path) -> None:
    source = lone_series(tmp_path / "pet")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="cannot be written"):
        write_suv(source, tmp_path / "file" / "suv.nii.gz")
    (tmp_path / "taken.nii.gz").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_suv(source, tmp_path / "taken.nii.gz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pet", "taken.nii.gz"]


def test_a_name_without_an_image_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.nii\.gz|image file"):
        write_suv(lone_series(tmp_path / "pet"), tmp_path / "suv")
