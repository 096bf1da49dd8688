"""Every kind of bad image is refused with its cause and a remedy (DESIGN, section 6)."""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.study import read_ct, read_pet, read_study
from pydicom.dataset import FileDataset
from synthetic_dicom import DROP, a_body, ct_header, pet_header, write_series


def suv_image(scale: float = 1.0) -> sitk.Image:
    image = sitk.GetImageFromArray((a_body() * scale / 4000).astype(np.float32))
    image.SetSpacing((18.0, 18.0, 20.0))  # 45 l, of which 20 l are body
    return image


def hu_image() -> sitk.Image:
    image = sitk.GetImageFromArray(np.where(a_body() > 1000, 40, -1000).astype(np.int16))
    image.SetSpacing((18.0, 18.0, 20.0))
    return image


def refusal(read: Callable[..., Any], *paths: Path) -> str:
    with pytest.raises(InputError) as raised:
        read(*paths)
    assert raised.value.hint
    assert raised.value.exit_code == 2
    return raised.value.message


def written(image: sitk.Image, path: Path) -> Path:
    sitk.WriteImage(image, str(path))
    return path


# --- files --------------------------------------------------------------------------------------


def test_a_missing_path_is_named(tmp_path: Path) -> None:
    for name in ("pet.nii.gz", "folder", "pet.dcm"):
        assert f"{tmp_path / name} does not exist" in refusal(read_pet, tmp_path / name)


@pytest.mark.parametrize("name", ["p.nii", "p.nii.gz", "p.nrrd", "p.nhdr", "p.mha", "p.mhd"])
def test_an_empty_file_is_called_empty(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert "is empty (0 bytes)" in refusal(read_pet, tmp_path / name)


@pytest.mark.parametrize("name", ["p.nii", "p.nii.gz", "p.nrrd", "p.nhdr", "p.mha", "p.mhd"])
def test_a_text_under_an_images_name_is_not_readable(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("this is no image\n" * 40)
    assert "is not a readable" in refusal(read_pet, tmp_path / name)


@pytest.mark.parametrize("name", ["notes.txt", "picture.png", "table", "archive.zip"])
def test_a_file_of_another_kind_is_not_an_image_volume(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"anything" * 100)
    assert "is not an image volume" in refusal(read_pet, tmp_path / name)


@pytest.mark.parametrize("share", [0.5, 0.9, 0.999])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("name", ["p.nii", "p.nii.gz", "p.nrrd", "p.nhdr", "p.mha", "p.mhd"])
def test_a_truncated_file_is_called_truncated(
    tmp_path: Path, name: str, packed: bool, share: float
) -> None:
    noise = np.random.default_rng(3).random((20, 30, 40)).astype(np.float32)
    image = sitk.GetImageFromArray(noise)
    image.SetSpacing((10.0, 10.0, 10.0))
    sitk.WriteImage(image, str(tmp_path / name), packed)
    data = max(tmp_path.iterdir(), key=lambda path: path.stat().st_size)
    content = data.read_bytes()
    data.write_bytes(content[: int(len(content) * share)])
    assert "truncated" in refusal(read_pet, tmp_path / name)


def test_a_header_without_its_data_file_is_refused(tmp_path: Path) -> None:
    for name in ("p.nhdr", "p.mhd"):
        written(suv_image(), tmp_path / name)
        for data in tmp_path.glob("p.*raw*"):
            data.unlink()
        message = refusal(read_pet, tmp_path / name)
        assert "missing" in message or "couldn't open" in message


def test_a_damaged_gzip_stream_is_refused(tmp_path: Path) -> None:
    path = written(suv_image(), tmp_path / "pet.nii.gz")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 40] = b"\xff" * 40
    path.write_bytes(bytes(content))
    refusal(read_pet, path)


def test_an_uncompressed_nifti_under_a_compressed_name_is_read(tmp_path: Path) -> None:
    written(suv_image(), tmp_path / "a.nii").rename(tmp_path / "a.nii.gz")
    assert read_pet(tmp_path / "a.nii.gz")[0].GetSize() == (24, 24, 12)


# --- shapes -------------------------------------------------------------------------------------


def test_a_picture_is_not_a_volume(tmp_path: Path) -> None:
    flat = sitk.GetImageFromArray(np.ones((30, 40), np.float32))
    assert "is a 2-D picture" in refusal(read_pet, written(flat, tmp_path / "flat.nrrd"))


def test_one_slice_is_called_one_slice(tmp_path: Path) -> None:
    assert "one slice" in refusal(read_pet, written(suv_image()[:, :, 4:5], tmp_path / "s.nii.gz"))
    write_series(tmp_path / "pet", pet_header(), a_body()[:1])
    assert "one slice" in refusal(read_pet, tmp_path / "pet")


def test_four_dimensions_are_refused(tmp_path: Path) -> None:
    series = sitk.JoinSeries([suv_image(), suv_image()])
    for name in ("dynamic.nii.gz", "dynamic.nrrd"):
        assert "is 4-D (24 x 24 x 12 x 2)" in refusal(read_pet, written(series, tmp_path / name))


def test_colours_and_vectors_are_refused(tmp_path: Path) -> None:
    channel = sitk.Cast(suv_image(), sitk.sitkUInt8)
    colours = sitk.Compose(channel, channel, channel)
    for name in ("colour.nrrd", "colour.nii.gz", "colour.mha"):
        assert "3 values a voxel" in refusal(read_pet, written(colours, tmp_path / name))


def test_complex_values_are_refused(tmp_path: Path) -> None:
    image = sitk.RealAndImaginaryToComplex(suv_image(), suv_image())
    assert "complex" in refusal(read_pet, written(image, tmp_path / "complex.nii.gz"))


@pytest.mark.parametrize("spacing", [(0.004, 0.004, 0.004), (4.0, 4.0, 50.0), (1e-6, 4, 4)])
def test_an_implausible_spacing_is_refused(tmp_path: Path, spacing: tuple[float, ...]) -> None:
    image = suv_image()
    image.SetSpacing(spacing)
    message = refusal(read_pet, written(image, tmp_path / "pet.nrrd"))
    assert "implausible voxel spacing" in message
    image = hu_image()
    image.SetSpacing(spacing)
    assert "implausible voxel spacing" in refusal(read_ct, written(image, tmp_path / "ct.nrrd"))


def test_an_implausible_extent_is_refused(tmp_path: Path) -> None:
    image = sitk.Expand(suv_image(), [1, 1, 13])
    image.SetSpacing((18.0, 18.0, 20.0))
    assert "implausibly large" in refusal(read_pet, written(image, tmp_path / "pet.nrrd"))


# --- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["p.nii", "p.nii.gz", "p.nrrd", "p.mha"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_are_counted(tmp_path: Path, bad: float, kind: Any, name: str) -> None:
    array = sitk.GetArrayFromImage(suv_image())
    array[3, 4, 5:8] = bad
    image = sitk.GetImageFromArray(array.astype(kind))
    image.SetSpacing((18.0, 18.0, 20.0))
    message = refusal(read_pet, written(image, tmp_path / name))
    assert "3 voxels that are NaN or infinite" in message


def test_infinity_in_a_big_endian_file_is_found_and_finite_values_are_not_mistaken(
    tmp_path: Path,
) -> None:
    import nibabel

    array = sitk.GetArrayFromImage(suv_image()).T
    affine = np.diag([-18.0, -18.0, 20.0, 1.0])
    header = nibabel.Nifti1Header(endianness=">")
    path = tmp_path / "big.nii.gz"
    nibabel.save(nibabel.Nifti1Image(array, affine, header), path)
    assert np.array_equal(sitk.GetArrayFromImage(read_pet(path)[0]), array.T)
    array[0, 0, 0] = np.inf
    nibabel.save(nibabel.Nifti1Image(array, affine, header), path)
    assert "1 voxels" in refusal(read_pet, path)


def test_a_constant_image_is_refused(tmp_path: Path) -> None:
    for value in (0.0, 1.5):
        image = suv_image() * 0 + value
        message = refusal(read_pet, written(image, tmp_path / "pet.nii.gz"))
        assert f"is constant: every voxel is {value:g}" in message


def test_a_pet_in_becquerel_is_recognised_and_the_way_to_suv_is_told(tmp_path: Path) -> None:
    path = written(suv_image(5000.0), tmp_path / "pet.nii.gz")
    with pytest.raises(InputError) as raised:
        read_pet(path)
    assert "not in SUV" in raised.value.message
    assert "Bq/ml" in raised.value.message
    assert "petanomaly suv" in raised.value.hint


def test_a_pet_in_kilobecquerel_is_recognised(tmp_path: Path) -> None:
    message = refusal(read_pet, written(suv_image(4.0), tmp_path / "pet.nii.gz"))
    assert "kBq/ml" in message


def test_the_real_scan_in_other_units_is_refused_and_in_suv_accepted(
    real_data: Path, tmp_path: Path
) -> None:
    suv = sitk.ReadImage(str(real_data / "wholebody-pet-sts001" / "SUVbw.nii.gz"))[::2, ::2, ::2]
    factor = 2.42903e-4
    assert "as in Bq/ml" in refusal(read_pet, written(suv / factor, tmp_path / "bq.nii.gz"))
    assert "as in kBq/ml" in refusal(
        read_pet, written(suv / factor / 1000, tmp_path / "kbq.nii.gz")
    )
    assert "not in SUV" in refusal(read_pet, written(suv * 1e5, tmp_path / "counts.nii.gz"))
    assert read_pet(written(suv, tmp_path / "suv.nii.gz"))[0].GetSize() == suv.GetSize()


def test_a_sidecar_or_a_header_note_that_states_becquerel_is_believed(tmp_path: Path) -> None:
    path = written(suv_image(0.5), tmp_path / "pet.nii.gz")
    sidecar = tmp_path / "pet.json"
    for units in ("BQML", "Bq/mL", "kBq/cc"):
        sidecar.write_text(json.dumps({"Units": units}), encoding="utf-8")
        assert "is in Bq/ml, as its header or sidecar says" in refusal(read_pet, path)
    for harmless in (json.dumps({"Units": "GML"}), json.dumps([1]), "not json", ""):
        sidecar.write_text(harmless, encoding="utf-8")
        read_pet(path)
    image = suv_image(0.5)
    image.SetMetaData("units", "Bq/ml")
    assert "as its header" in refusal(read_pet, written(image, tmp_path / "pet.nrrd"))


def test_swapped_pet_and_ct_are_recognised(tmp_path: Path) -> None:
    pet = written(suv_image(), tmp_path / "pet.nii.gz")
    ct = written(hu_image(), tmp_path / "ct.nii.gz")
    message = refusal(read_study, ct, pet)
    assert "looks like a CT" in message
    assert str(ct) in message
    assert "is not in HU" in refusal(read_study, pet, pet)
    assert "looks like a CT" in refusal(read_study, ct, ct)


def test_a_ct_without_its_offset_is_not_in_hu(tmp_path: Path) -> None:
    message = refusal(read_ct, written(hu_image() + 1000, tmp_path / "ct.nii.gz"))
    assert "without its offset" in message


def test_a_ct_elsewhere_is_refused(tmp_path: Path) -> None:
    pet = written(suv_image(), tmp_path / "pet.nii.gz")
    for origin in ((0.0, 0.0, 5000.0), (0.0, 0.0, 220.0)):
        moved = hu_image()
        moved.SetOrigin(origin)
        message = refusal(read_study, pet, written(moved, tmp_path / "ct.nii.gz"))
        assert "does not overlap" in message


# --- DICOM folders ------------------------------------------------------------------------------


def test_a_folder_without_images_is_refused_and_image_files_in_it_are_named(tmp_path: Path) -> None:
    assert "contains no DICOM images" in refusal(read_pet, tmp_path)
    written(suv_image(), tmp_path / "suv.nii.gz")
    assert "suv.nii.gz" in refusal(read_pet, tmp_path)


def test_a_folder_without_a_pet_lists_what_is_there(tmp_path: Path) -> None:
    write_series(tmp_path, ct_header(), np.where(a_body() > 1000, 40, -1000))
    message = refusal(read_pet, tmp_path)
    assert "No PT series" in message
    assert "CT 'CT' (12 files" in message
    write_series(tmp_path / "pet", pet_header(), a_body())
    assert "No CT series" in refusal(read_ct, tmp_path / "pet")


def test_an_enhanced_pet_is_refused_by_its_class(tmp_path: Path) -> None:
    write_series(tmp_path, pet_header(SOPClassUID="1.2.840.10008.5.1.4.1.1.130"), a_body()[:1])
    message = refusal(read_pet, tmp_path)
    assert "enhanced (multi-frame)" in message
    assert "SOPClassUID (0008,0016)" in message


@pytest.mark.parametrize("keep", [0.15, 0.5, 0.9, 0.999])
def test_truncated_pixel_data_name_the_slice(tmp_path: Path, keep: float) -> None:
    paths = write_series(tmp_path, pet_header(), a_body())
    content = paths[7].read_bytes()
    paths[7].write_bytes(content[: int(len(content) * keep)])
    message = refusal(read_pet, tmp_path)
    assert "truncated" in message
    assert paths[7].name in message


def test_a_real_slice_cut_anywhere_is_never_read_silently(real_data: Path, tmp_path: Path) -> None:
    source = sorted((real_data / "wholebody-pet-sts001" / "dicom").iterdir())[:4]
    for cut in (100, 140, 700, 3000, 3600, 20000, -1):
        for path in source:
            (tmp_path / path.name).write_bytes(path.read_bytes())
        (tmp_path / source[1].name).write_bytes(source[1].read_bytes()[:cut])
        refusal(read_pet, tmp_path)


def test_missing_slices_are_refused_with_the_place(tmp_path: Path) -> None:
    paths = write_series(tmp_path, pet_header(), a_body())
    paths[5].unlink()
    message = refusal(read_pet, tmp_path)
    assert "Slices are missing" in message
    assert "ImagePositionPatient (0020,0032)" in message


def test_two_slices_at_one_place_are_refused(tmp_path: Path) -> None:
    positions = [(0, 0, 4.0 * (k // 2)) for k in range(12)]
    write_series(tmp_path, pet_header(), a_body(), positions=positions)
    message = refusal(read_pet, tmp_path)
    assert "6 slices lie at the position of another" in message


def test_a_tilted_gantry_is_refused(tmp_path: Path) -> None:
    positions = [(0, 0.8 * k, 4.0 * k) for k in range(12)]
    write_series(tmp_path, pet_header(), a_body(), positions=positions)
    assert "tilt" in refusal(read_pet, tmp_path)


@pytest.mark.parametrize(
    ("keyword", "value", "named"),
    [
        ("ImageOrientationPatient", [1, 0, 0, 0, 0, -1], "ImageOrientationPatient (0020,0037)"),
        ("PixelSpacing", [5.0, 5.0], "PixelSpacing (0028,0030)"),
        ("FrameOfReferenceUID", "1.2.99", "FrameOfReferenceUID (0020,0052)"),
        ("PatientID", "another", "PatientID (0010,0020)"),
        ("Units", "GML", "Units (0054,1001)"),
        ("PatientWeight", "90", "PatientWeight (0010,1030)"),
    ],
)
def test_a_mixed_series_is_refused_by_what_differs(
    tmp_path: Path, keyword: str, value: Any, named: str
) -> None:
    def differ(dataset: FileDataset, k: int) -> None:
        if k == 5:
            setattr(dataset, keyword, value)

    write_series(tmp_path, pet_header(), a_body(), change=differ)
    message = refusal(read_pet, tmp_path)
    assert named in message
    assert "mixed" in message


def test_slices_of_different_sizes_are_refused(tmp_path: Path) -> None:
    write_series(tmp_path, pet_header(), a_body(), prefix="a")
    write_series(tmp_path, pet_header(), a_body((4, 20, 20)), prefix="b", gap=3.1)
    assert "Rows (0028,0010)" in refusal(read_pet, tmp_path)


@pytest.mark.parametrize(
    ("keyword", "named"),
    [
        ("ImagePositionPatient", "ImagePositionPatient (0020,0032)"),
        ("ImageOrientationPatient", "ImageOrientationPatient (0020,0037)"),
        ("PixelSpacing", "PixelSpacing (0028,0030)"),
        ("PixelData", "truncated or unreadable"),
        ("Rows", "truncated or unreadable"),
    ],
)
def test_missing_geometry_is_refused_by_name(tmp_path: Path, keyword: str, named: str) -> None:
    def drop(dataset: FileDataset, _k: int) -> None:
        delattr(dataset, keyword)

    write_series(tmp_path, pet_header(), a_body(), change=drop)
    assert named in refusal(read_pet, tmp_path)


def test_colour_slices_are_refused(tmp_path: Path) -> None:
    def colour(dataset: FileDataset, _k: int) -> None:
        dataset.SamplesPerPixel, dataset.PlanarConfiguration = 3, 0
        dataset.PhotometricInterpretation = "RGB"
        dataset.BitsAllocated = dataset.BitsStored = 8
        dataset.HighBit, dataset.PixelRepresentation = 7, 0
        dataset.PixelData = b"\1" * (3 * dataset.Rows * dataset.Columns)

    write_series(tmp_path, pet_header(), a_body(), change=colour)
    assert "no single grey-value slice" in refusal(read_pet, tmp_path)


def test_a_slope_that_is_not_positive_is_refused_by_name(tmp_path: Path) -> None:
    for slope in (0.0, -1.0):
        write_series(tmp_path, pet_header(), a_body(), slopes=[slope] * 12)
        assert "RescaleSlope (0028,1053)" in refusal(read_pet, tmp_path)
        for path in tmp_path.iterdir():
            path.unlink()


def test_a_series_without_units_weight_dose_and_times_is_refused(real_data: Path) -> None:
    assert "Units (0054,1001)" in refusal(read_pet, real_data / "nema-iq-phantom" / "dicom")


def test_a_series_without_weight_is_refused_by_name(tmp_path: Path) -> None:
    write_series(tmp_path, pet_header(PatientWeight=DROP), a_body())
    assert "PatientWeight (0010,1030)" in refusal(read_pet, tmp_path)


def test_any_damage_to_a_slice_is_refused_or_harmless_never_a_traceback(tmp_path: Path) -> None:
    paths = write_series(tmp_path, pet_header(), a_body((3, 12, 12)))
    whole = paths[1].read_bytes()
    chance = np.random.default_rng(5)
    for _ in range(30):
        content = bytearray(whole)
        for place in chance.integers(132, len(content) - 300, 6):
            content[place] = int(chance.integers(256))
        paths[1].write_bytes(bytes(content))
        with contextlib.suppress(InputError):
            read_pet(tmp_path)


def test_any_damage_to_a_file_header_is_refused_or_harmless_never_a_traceback(
    tmp_path: Path,
) -> None:
    chance = np.random.default_rng(6)
    for name in ("p.nii", "p.nrrd", "p.mha", "p.nii.gz"):
        whole = written(suv_image(), tmp_path / name).read_bytes()
        packed = name.endswith(".gz")
        plain = gzip.decompress(whole) if packed else whole
        for _ in range(8):
            content = bytearray(plain)
            # Not the sizes in NIfTI's `dim`: they could ask for terabytes.
            for place in chance.integers(60, 300, 3):
                content[place] = int(chance.integers(48, 58))
            (tmp_path / name).write_bytes(
                gzip.compress(bytes(content), 1) if packed else bytes(content)
            )
            with contextlib.suppress(InputError):
                read_pet(tmp_path / name)
