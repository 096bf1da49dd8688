"""What a pixel is worth is the same whatever the transfer syntax."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.series import find_series
from PETAnomalyLib.engine.study.dicom.suv import read_suv
from PETAnomalyLib.engine.study.dicom.volume import read_volume
from pydicom.dataset import FileDataset
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRBigEndian, RLELossless
from synthetic_dicom import a_body, ct_header, pet_header, plain_factor, write_series

SHAPE = (4, 12, 14)


def series_of(folder: Path, change: Callable[[FileDataset, int], None] | None = None) -> Path:
    write_series(folder, pet_header(), a_body(SHAPE), slopes=[0.5] * SHAPE[0], change=change)
    return folder


def suv(folder: Path) -> Any:
    return sitk.GetArrayFromImage(read_suv(folder)[0])


def inverted_display(dataset: FileDataset, _k: int) -> None:
    dataset.PhotometricInterpretation = "MONOCHROME1"


def run_length(folder: Path) -> None:
    for path in folder.iterdir():
        dataset = pydicom.dcmread(path)
        dataset.compress(RLELossless, generate_instance_uid=False)
        dataset.save_as(path)


def by_gdcm(compressor: str) -> Callable[[Path], None]:
    """Lossless, with all the attributes of the source kept by pydicom."""

    def pack(folder: Path) -> None:
        for path in sorted(folder.iterdir()):
            original = pydicom.dcmread(path)
            stored = np.frombuffer(original.PixelData, np.int16).reshape(1, *SHAPE[1:])
            writer = sitk.ImageFileWriter()
            packed = path.with_suffix(".packed.dcm")
            writer.SetFileName(str(packed))
            writer.SetImageIO("GDCMImageIO")
            writer.SetUseCompression(True)
            writer.SetCompressor(compressor)
            writer.Execute(sitk.GetImageFromArray(stored))
            compressed = pydicom.dcmread(packed)
            packed.unlink()
            original.PixelData = compressed.PixelData
            original["PixelData"].VR = "OB"
            original["PixelData"].is_undefined_length = True
            original.file_meta.TransferSyntaxUID = compressed.file_meta.TransferSyntaxUID
            original.save_as(path)

    return pack


PACKED = {"RLE": run_length, "JPEG": by_gdcm("JPEG"), "JPEG2000": by_gdcm("JPEG2000")}


@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("change", [None, inverted_display])
def test_compressed_slices_are_worth_what_uncompressed_ones_are(
    tmp_path: Path, packing: str, change: Any
) -> None:
    PACKED[packing](series_of(tmp_path, change))
    assert suv(tmp_path) == pytest.approx(a_body(SHAPE) * 0.5 * plain_factor(), rel=1e-6)


@pytest.mark.parametrize("missing", [0, 1])
def test_a_run_length_segment_that_lost_a_pixel_is_refused(tmp_path: Path, missing: int) -> None:
    """Two segments: 128 zeros and the rest, as runs of 257 - n and the byte (PS3.5, annex G)."""
    rest = SHAPE[1] * SHAPE[2] - 128
    segment = bytes([257 - 128, 0, 257 - (rest - missing), 0])
    offsets = np.array([2, 64, 64 + len(segment), *[0] * 13], "<u4").tobytes()
    run_length(series_of(tmp_path))
    emptied = sorted(tmp_path.iterdir())[1]
    dataset = pydicom.dcmread(emptied)
    dataset.PixelData = encapsulate([offsets + 2 * segment])
    dataset.save_as(emptied)
    if missing:
        with pytest.raises(InputError, match=emptied.name):
            suv(tmp_path)
    else:
        assert not suv(tmp_path)[1].any()


@pytest.mark.parametrize("slope", ["0", "-1"])
def test_the_slope_of_compressed_slices_is_checked_as_well(tmp_path: Path, slope: str) -> None:
    def wrong(dataset: FileDataset, _k: int) -> None:
        dataset.RescaleSlope = slope

    run_length(series_of(tmp_path, wrong))
    with pytest.raises(InputError, match=r"RescaleSlope \(0028,1053\)"):
        suv(tmp_path)


def test_compressed_ct_with_negative_values_is_rescaled_once(tmp_path: Path) -> None:
    values = np.where(a_body(SHAPE) > 1000, 40, -1000)
    write_series(tmp_path, ct_header(), values, intercept=-24)
    run_length(tmp_path)
    image = read_volume(find_series(tmp_path, "CT")[0]).image
    assert np.array_equal(sitk.GetArrayFromImage(image), values - 24)


def test_big_endian_slices_are_read(tmp_path: Path) -> None:
    for path in series_of(tmp_path).iterdir():
        dataset = pydicom.dcmread(path)
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<i2").astype(">i2").tobytes()
        dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        pydicom.dcmwrite(
            path, FileDataset("", dataset, file_meta=dataset.file_meta, preamble=b"\0" * 128),
            implicit_vr=False, little_endian=False, enforce_file_format=True,
        )  # fmt: skip
    assert suv(tmp_path) == pytest.approx(a_body(SHAPE) * 0.5 * plain_factor(), rel=1e-6)


@pytest.mark.parametrize("signed", [0, 1])
@pytest.mark.parametrize("packed", [False, True])
def test_bits_beside_the_stored_ones_are_no_values(
    tmp_path: Path, signed: int, packed: bool
) -> None:
    """Old files keep overlays there; 12 of 16 bits."""

    def overlaid(dataset: FileDataset, k: int) -> None:
        plane = (a_body(SHAPE)[k] // 8).astype(np.uint16)
        plane = np.where(plane == 0, 0xFFF if signed else 0, plane) | 0x9000
        dataset.PixelData = plane.astype("<u2").tobytes()
        dataset.BitsStored, dataset.HighBit, dataset.PixelRepresentation = 12, 11, signed

    write_series(tmp_path, pet_header(), a_body(SHAPE), slopes=[8.0] * 4, change=overlaid)
    if packed:
        run_length(tmp_path)
    stored = a_body(SHAPE) // 8
    expected = np.where(stored == 0, -1 if signed else 0, stored) * 8.0
    assert suv(tmp_path) == pytest.approx(expected * plain_factor(), rel=1e-6)


@pytest.mark.parametrize(("keyword", "kind"), [("FloatPixelData", "<f4"),
                                               ("DoubleFloatPixelData", "<f8")])  # fmt: skip
def test_floating_point_pixels_are_refused_by_name(tmp_path: Path, keyword: str, kind: str) -> None:
    def floating(dataset: FileDataset, k: int) -> None:
        del dataset.PixelData
        setattr(dataset, keyword, a_body(SHAPE)[k].astype(kind).tobytes())

    series_of(tmp_path, floating)
    with pytest.raises(InputError, match=keyword):
        suv(tmp_path)


@pytest.mark.parametrize(
    ("keyword", "value"),
    [("Rows", 65535), ("BitsStored", 0), ("BitsStored", 17), ("HighBit", 3), ("Columns", 0),
     ("BitsAllocated", 12), ("BitsAllocated", 64), ("NumberOfFrames", 4),
     ("PhotometricInterpretation", "PALETTE COLOR"), ("SamplesPerPixel", 3), ("SamplesPerPixel", 0),
     ("PixelRepresentation", 2), ("Columns", 13), ("Rows", 11)],
)  # fmt: skip
def test_impossible_layouts_are_refused(tmp_path: Path, keyword: str, value: Any) -> None:
    def wrong(dataset: FileDataset, _k: int) -> None:
        setattr(dataset, keyword, value)

    series_of(tmp_path, wrong)
    with pytest.raises(InputError):
        suv(tmp_path)
