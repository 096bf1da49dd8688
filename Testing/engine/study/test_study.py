"""Studies keep their values and geometry in every format, and the right series is taken."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.study import read_ct, read_pet, read_study
from pydicom.dataset import FileDataset
from synthetic_dicom import a_body, ct_header, pet_header, plain_factor, write_series

SPACING = (5.0, 6.0, 4.0)
ORIGIN = (-113.5, 42.25, -310.75)


def rotation() -> Any:
    """Far from all axes: nothing in it survives a wrong sign or a transposition."""
    euler = sitk.Euler3DTransform()
    euler.SetRotation(0.3, -0.5, 0.8)
    return np.array(euler.GetMatrix()).reshape(3, 3)


def suv_image(scale: float = 1.0) -> sitk.Image:
    """A body of SUV 1 with a hot spot, on an oblique grid."""
    image = sitk.GetImageFromArray((a_body() * scale / 4000).astype(np.float32))
    image.SetSpacing(SPACING)
    image.SetOrigin(ORIGIN)
    image.SetDirection(rotation().ravel().tolist())
    return image


def hu_image() -> sitk.Image:
    """A CT on the same place with smaller voxels."""
    pet = suv_image()
    body = sitk.GetArrayFromImage(pet) > 0.5
    image = sitk.GetImageFromArray(np.where(body, 40, -1000).astype(np.int16))
    image.CopyInformation(pet)
    return image


def ct_values() -> Any:
    return np.where(a_body() > 1000, 40, -1000)


def values(image: sitk.Image) -> Any:
    return sitk.GetArrayFromImage(image)


# --- image files --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["p.nii", "p.nii.gz", "p.nrrd", "p.nhdr", "p.mha", "p.mhd"])
def test_an_image_file_keeps_its_values_and_its_oblique_geometry(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "Grün & weiß 像"
    folder.mkdir()
    expected = suv_image()
    sitk.WriteImage(expected, str(folder / name))
    image, description, _ = read_pet(folder / name)
    assert np.array_equal(values(image), values(expected))
    for index in ((0, 0, 0), (23, 0, 0), (0, 23, 0), (0, 0, 11), (23, 23, 11)):
        assert image.TransformIndexToPhysicalPoint(index) == pytest.approx(
            expected.TransformIndexToPhysicalPoint(index), abs=1e-2
        )
    assert description["size"] == [24, 24, 12]
    assert json.loads(json.dumps(description)) == description


def test_integer_files_and_a_fourth_axis_of_length_one_are_read(tmp_path: Path) -> None:
    sitk.WriteImage(sitk.Cast(suv_image(), sitk.sitkFloat64), str(tmp_path / "double.nrrd"))
    assert read_pet(tmp_path / "double.nrrd")[0].GetPixelID() == sitk.sitkFloat32
    plain = sitk.GetImageFromArray(values(suv_image()))
    sitk.WriteImage(sitk.JoinSeries([plain]), str(tmp_path / "four.nii.gz"))
    assert np.array_equal(values(read_pet(tmp_path / "four.nii.gz")[0]), values(plain))


def test_a_study_holds_the_pet_the_ct_and_both_descriptions(tmp_path: Path) -> None:
    sitk.WriteImage(suv_image(), str(tmp_path / "pet.nrrd"))
    sitk.WriteImage(hu_image(), str(tmp_path / "ct.nii.gz"))
    study = read_study(tmp_path / "pet.nrrd", tmp_path / "ct.nii.gz")
    assert study.ct is not None
    assert np.array_equal(values(study.ct), values(hu_image()))
    assert study.description["pet"]["units"] == "SUVbw g/ml"
    assert study.description["ct"]["format"] == "NIfTI"
    assert read_study(tmp_path / "pet.nrrd").ct is None


# --- DICOM --------------------------------------------------------------------------------------


def test_the_whole_body_scan_equals_its_published_suv_image(real_data: Path) -> None:
    folder = real_data / "wholebody-pet-sts001"
    start = time.process_time()
    image, description, warnings = read_pet(folder / "dicom")
    seconds = time.process_time() - start
    expected = sitk.ReadImage(str(folder / "SUVbw.nii.gz"))
    assert image.GetSize() == expected.GetSize()
    assert image.GetSpacing() == pytest.approx(expected.GetSpacing(), abs=1e-4)
    assert image.GetOrigin() == pytest.approx(expected.GetOrigin(), abs=1e-3)
    assert np.allclose(values(image), values(expected), rtol=0.01, atol=1e-4)
    assert description["slice_position_error_mm"] < 0.1
    assert any("uneven" in warning for warning in warnings)
    assert "STS_001" not in json.dumps({**description, "path": ""})
    assert seconds < 10  # of processor time, whatever else the machine does


def test_oblique_slices_in_any_order_lie_where_their_tags_say(tmp_path: Path) -> None:
    axes = rotation()
    across, down, normal = axes[:, 0], axes[:, 1], axes[:, 2]
    first = np.array(ORIGIN)
    positions = [first + 4.0 * k * normal for k in range(12)]
    order = np.random.default_rng(1).permutation(12)
    write_series(
        tmp_path / "pet",
        pet_header(),
        a_body()[order],
        positions=[positions[k] for k in order],
        orientation=[*across, *down],
        spacing=(6.0, 5.0),
    )
    image, _, _ = read_pet(tmp_path / "pet")
    assert values(image) == pytest.approx(a_body() * plain_factor(), rel=1e-6)
    # PS3.3 C.7.6.2.1.1: position + column index * column spacing * row direction + ...
    for i, j, k in ((0, 0, 0), (7, 0, 0), (0, 9, 0), (0, 0, 11), (3, 4, 5)):
        place = positions[k] + i * 5.0 * across + j * 6.0 * down
        assert image.TransformIndexToPhysicalPoint((i, j, k)) == pytest.approx(place, abs=1e-3)


def test_our_geometry_of_a_series_is_that_of_simpleitk(tmp_path: Path) -> None:
    write_series(tmp_path / "pet", pet_header(), a_body(), gap=3.5)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "pet")))
    expected = reader.Execute()
    image, _, _ = read_pet(tmp_path / "pet")
    assert image.GetSpacing() == pytest.approx(expected.GetSpacing())
    assert image.GetOrigin() == pytest.approx(expected.GetOrigin())
    assert image.GetDirection() == pytest.approx(expected.GetDirection())
    assert values(image) == pytest.approx(values(expected) * plain_factor(), rel=1e-6)


def test_compressed_slices_that_pydicom_cannot_decode_are_read(tmp_path: Path) -> None:
    write_series(tmp_path / "plain", pet_header(), a_body(), slopes=[0.5] * 12)
    (tmp_path / "packed").mkdir()
    for path in (tmp_path / "plain").iterdir():
        _compress(path, tmp_path / "packed" / path.name)
    packed, _, _ = read_pet(tmp_path / "packed")
    plain, _, _ = read_pet(tmp_path / "plain")
    assert np.array_equal(values(packed), values(plain))


def _compress(source: Path, target: Path) -> None:
    """JPEG Lossless by GDCM, with all the attributes of the source kept by pydicom."""
    import pydicom

    original = pydicom.dcmread(source)
    stored = sitk.GetImageFromArray(original.pixel_array[None].astype(np.int16))
    writer = sitk.ImageFileWriter()
    writer.SetFileName(str(target))
    writer.SetImageIO("GDCMImageIO")
    writer.SetUseCompression(True)
    writer.SetCompressor("JPEG")
    writer.Execute(stored)
    packed = pydicom.dcmread(target)
    original.PixelData = packed.PixelData
    original["PixelData"].is_undefined_length = True
    original["PixelData"].VR = "OB"
    original.file_meta.TransferSyntaxUID = packed.file_meta.TransferSyntaxUID
    original.save_as(target)


def test_files_without_an_ending_and_other_files_do_not_disturb(tmp_path: Path) -> None:
    paths = write_series(tmp_path / "a" / "b", pet_header(), a_body())
    for number, path in enumerate(paths):
        path.rename(path.with_name(f"IM{number}"))
    (tmp_path / "a" / "report.txt").write_text("no image")
    (tmp_path / "a" / ".DS_Store").write_bytes(b"\0" * 200)
    (tmp_path / "a" / "DICOMDIR").write_bytes(b"\0" * 128 + b"DICM")
    image, _, warnings = read_pet(tmp_path)
    assert image.GetSize() == (24, 24, 12)
    assert sum("1 files" in warning for warning in warnings) == 1


def test_a_second_copy_of_every_slice_is_passed_over(tmp_path: Path) -> None:
    write_series(tmp_path / "one", pet_header(), a_body())
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    image, _, warnings = read_pet(tmp_path)
    assert image.GetSize() == (24, 24, 12)
    assert any("12 files" in warning and "second copies" in warning for warning in warnings)


def test_tags_with_many_private_attributes_are_read(tmp_path: Path) -> None:
    def swell(dataset: FileDataset, _k: int) -> None:
        block = dataset.private_block(0x0099, "A VENDOR", create=True)
        for element in range(200):
            block.add_new(element, "OB", b"\0" * 2000)

    write_series(tmp_path / "pet", pet_header(), a_body(), change=swell)
    assert read_pet(tmp_path / "pet")[0].GetSize() == (24, 24, 12)


# --- which series -------------------------------------------------------------------------------


def test_pet_and_ct_are_found_in_one_folder_by_modality(tmp_path: Path) -> None:
    write_series(tmp_path / "s1", pet_header(), a_body())
    write_series(tmp_path / "s2", ct_header(), ct_values(), intercept=-24)
    study = read_study(tmp_path, tmp_path)
    assert study.ct is not None
    assert values(study.pet) == pytest.approx(a_body() * plain_factor(), rel=1e-6)
    assert np.array_equal(values(study.ct), ct_values() - 24)
    assert study.description["pet"]["series_description"] == "PET AC"
    assert any("taken: PT 'PET AC'" in warning for warning in study.warnings)
    assert "ToBeSeen" not in json.dumps([study.description, study.warnings])


def test_the_attenuation_corrected_of_two_pet_series_is_taken_and_said(tmp_path: Path) -> None:
    write_series(tmp_path / "ac", pet_header(), a_body())
    uncorrected = pet_header(
        SeriesInstanceUID="1.2.9", SeriesDescription="PET NAC", CorrectedImage=["DECY"]
    )
    write_series(tmp_path / "nac", uncorrected, a_body(level=300))
    image, description, warnings = read_pet(tmp_path)
    assert description["series_description"] == "PET AC"
    assert values(image).max() == pytest.approx(a_body().max() * plain_factor())
    assert any("only attenuation-corrected" in w and "PET NAC" in w for w in warnings)


def test_two_equal_pet_series_are_refused_and_listed_until_one_file_names_one(
    tmp_path: Path,
) -> None:
    write_series(tmp_path / "x", pet_header(), a_body(), prefix="x")
    other = pet_header(SeriesInstanceUID="1.2.9", SeriesDescription="PET delayed")
    named = write_series(tmp_path / "x", other, a_body(level=2000), prefix="y")
    with pytest.raises(InputError) as raised:
        read_pet(tmp_path / "x")
    for word in ("2 PT series", "PET AC", "PET delayed", "12 files", "1.2.9"):
        assert word in raised.value.message
    assert "one of its files" in raised.value.hint
    image, description, _ = read_pet(named[4])
    assert description["series_description"] == "PET delayed"
    assert image.GetSize() == (24, 24, 12)


def test_a_single_projection_beside_the_volume_is_passed_over(tmp_path: Path) -> None:
    write_series(tmp_path / "pet", pet_header(), a_body())
    write_series(tmp_path / "mip", pet_header(SeriesInstanceUID="1.2.9"), a_body()[:1])
    assert read_pet(tmp_path)[0].GetSize() == (24, 24, 12)


def test_of_two_ct_series_the_one_in_the_frame_of_the_pet_is_taken(tmp_path: Path) -> None:
    write_series(tmp_path / "pet", pet_header(), a_body())
    write_series(tmp_path / "low", ct_header(), ct_values())
    write_series(
        tmp_path / "diagnostic",
        ct_header(SeriesInstanceUID="1.2.9", FrameOfReferenceUID="1.2.10", SeriesDescription="D"),
        ct_values(),
    )
    with pytest.raises(InputError, match="2 CT series"):
        read_ct(tmp_path)
    study = read_study(tmp_path, tmp_path)
    assert study.description["ct"]["series_description"] == "CT"


# --- suspicious but usable ----------------------------------------------------------------------


def test_slightly_uneven_gaps_are_told_with_the_largest_error(tmp_path: Path) -> None:
    heights = 4.0 * np.arange(12)
    heights[5:] += 0.5
    write_series(
        tmp_path / "pet", pet_header(), a_body(), positions=[(0, 0, height) for height in heights]
    )
    image, description, warnings = read_pet(tmp_path / "pet")
    gap = heights[-1] / 11
    error = np.abs(heights - gap * np.arange(12)).max()
    assert image.GetSpacing()[2] == pytest.approx(gap)
    assert description["slice_position_error_mm"] == pytest.approx(error, abs=1e-3)
    assert any(f"at most {error:.2f} mm" in warning for warning in warnings)


def test_slices_that_are_fewer_than_announced_are_told(tmp_path: Path) -> None:
    write_series(tmp_path / "pet", pet_header(NumberOfSlices=40), a_body())
    _, _, warnings = read_pet(tmp_path / "pet")
    assert any("NumberOfSlices (0054,0081)" in warning for warning in warnings)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda image: image * 0.05, "low mean SUV"),
        (lambda image: image - 0.5, "negative values"),
        (lambda image: image * 60.0 * sitk.Cast(image > 3, image.GetPixelID()) + image, "SUVmax"),
        (lambda image: sitk.Cast(image > 0.5, sitk.sitkUInt8), "mask"),
    ],
)
def test_suspicious_values_are_told(tmp_path: Path, change: Any, told: str) -> None:
    sitk.WriteImage(change(suv_image()), str(tmp_path / "pet.nii.gz"))
    _, _, warnings = read_pet(tmp_path / "pet.nii.gz")
    assert any(told in warning for warning in warnings)


def test_coarse_voxels_and_a_small_field_of_view_are_told(tmp_path: Path) -> None:
    image = suv_image()
    image.SetSpacing((10.0, 10.0, 10.0))
    sitk.WriteImage(image, str(tmp_path / "coarse.nii.gz"))
    assert any("coarse" in warning for warning in read_pet(tmp_path / "coarse.nii.gz")[2])
    image.SetSpacing((3.0, 3.0, 3.0))
    sitk.WriteImage(image, str(tmp_path / "small.nii.gz"))
    assert any("small part" in warning for warning in read_pet(tmp_path / "small.nii.gz")[2])


def test_an_ordinary_study_raises_no_warning(tmp_path: Path) -> None:
    image = sitk.GetImageFromArray((a_body((30, 40, 40)) / 4000).astype(np.float32))
    image.SetSpacing((4.5, 4.5, 6.0))
    sitk.WriteImage(image, str(tmp_path / "pet.nii.gz"))
    assert read_pet(tmp_path / "pet.nii.gz")[2] == ()


def test_the_share_of_the_body_outside_the_ct_is_told(tmp_path: Path) -> None:
    sitk.WriteImage(suv_image(), str(tmp_path / "pet.nii.gz"))
    sitk.WriteImage(hu_image()[:, :, :6], str(tmp_path / "ct.nii.gz"))
    study = read_study(tmp_path / "pet.nii.gz", tmp_path / "ct.nii.gz")
    assert any("covers 50% of the body" in warning for warning in study.warnings)


def test_real_pairs_of_pet_and_ct_are_accepted(real_data: Path) -> None:
    patients = sorted((real_data / "regional-petct-ibsi").glob("STS_*"))
    assert len(patients) == 12
    for patient in patients[:4]:
        study = read_study(patient / "PET_image.nii.gz", patient / "CT_image.nii.gz")
        assert study.ct is not None
