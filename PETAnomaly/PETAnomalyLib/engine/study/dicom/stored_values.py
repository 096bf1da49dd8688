"""The stored values of a DICOM slice: what its pixel data say, before any rescaling.

One meaning whatever the transfer syntax: BitsStored bits of each pixel, two's complement where
PixelRepresentation says so, never inverted: MONOCHROME1 tells how to show a value, not what it is.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pydicom
import SimpleITK as sitk
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import UID, RLELossless, generate_uid

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.tags import number, tag_name, text
from PETAnomalyLib.engine.study.input_path import shown

# The largest detectors have 4,300 rows; a header that asks for more must not be given the memory.
MOST_ROWS = 8192
# Values have an even length, some writers' a multiple of four. More is pixels: a header that says
# fewer columns than there are would shear the slice.
_MOST_PADDING = 3
SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
_GREY = ("MONOCHROME1", "MONOCHROME2")
_LAYOUT = ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation")


def stored_values(path: Path, header: Dataset) -> npt.NDArray[np.int64]:
    """The values of one slice, (rows, columns).

    Args:
        path: how messages call the file.
        header: of the file, with its pixel data and a `file_meta` that has the transfer syntax.

    Raises:
        InputError: floating-point or colour pixels, or several frames.
        ValueError: sizes are missing or impossible, or there are too few bytes or too many.
    """
    for keyword in ("FloatPixelData", "DoubleFloatPixelData"):
        if keyword in header:
            raise InputError(
                f"The pixel data of {shown(path)} are floating-point numbers, {tag_name(keyword)}: "
                "no classic PET or CT image has such.",
                "Export the series as classic PET or CT images, with 16 bits a pixel.",
            )
    _refuse_other_than_grey_slice(path, header)
    layout = {keyword: _whole(header, keyword) for keyword in _LAYOUT}
    if not 0 < min(layout["Rows"], layout["Columns"]) <= max(layout["Rows"], layout["Columns"]) <= (
        MOST_ROWS
    ):  # fmt: skip
        raise ValueError(f"it says {layout['Rows']} rows of {layout['Columns']} pixels")
    allocated, used = layout["BitsAllocated"], layout["BitsStored"]
    if allocated not in (8, 16, 32) or not 0 < used <= layout["HighBit"] + 1 <= allocated:
        raise ValueError(f"it says {used} of {allocated} bits a pixel, up to {layout['HighBit']}")
    if layout["PixelRepresentation"] not in (0, 1):
        raise ValueError(f"{tag_name('PixelRepresentation')} is {layout['PixelRepresentation']}")
    if header.file_meta.TransferSyntaxUID.is_compressed:
        pixels = _decompressed(header, layout)
    else:
        pixels = _native(header, layout)
    return _of_used_bits(pixels, used, layout["HighBit"], layout["PixelRepresentation"] == 1)


def _refuse_other_than_grey_slice(path: Path, header: Dataset) -> None:
    samples, frames = number(header, "SamplesPerPixel"), number(header, "NumberOfFrames") or 1.0
    samples = 1.0 if samples is None else samples
    kind = text(header, "PhotometricInterpretation") or _GREY[1]
    if samples != 1 or frames != 1 or kind not in _GREY:
        raise InputError(
            f"The DICOM slice {shown(path)} is no single grey-value slice: it has {frames:g} "
            f"frames of {samples:g} values a pixel, {tag_name('PhotometricInterpretation')} "
            f"{kind}.",
            "Give a series of grey-value slices, one file each.",
        )


def _whole(header: Dataset, keyword: str) -> int:
    value = number(header, keyword)
    if value is None and keyword == "HighBit":
        value = (number(header, "BitsStored") or 0.0) - 1
    if value is None or value != int(value):
        raise ValueError(f"{tag_name(keyword)} is missing or no whole number")
    return int(value)


def _native(header: Dataset, layout: dict[str, int]) -> npt.NDArray[np.int64]:
    count = layout["Rows"] * layout["Columns"]
    width = layout["BitsAllocated"] // 8
    little = header.file_meta.TransferSyntaxUID.is_little_endian
    content: bytes = header.PixelData
    if not 0 <= len(content) - count * width <= _MOST_PADDING:
        raise ValueError(f"it has {len(content)} bytes of pixel data, not {count * width}")
    if width == 1 and not little:
        raise ValueError("8-bit pixels in big-endian words cannot be read")
    kind = np.dtype(f"{'<' if little else '>'}u{width}")
    pixels = np.frombuffer(content, kind, count).reshape(layout["Rows"], layout["Columns"])
    return pixels.astype(np.int64)


def _decompressed(header: Dataset, layout: dict[str, int]) -> npt.NDArray[np.int64]:
    """Of a dataset that has the pixels and nothing that rescales, inverts or names the patient.

    RLE by pydicom, which counts what each segment comes to: GDCM fills up what damage took away.
    All others by GDCM, which has the codecs that pydicom lacks without plug-ins.
    """
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = header.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID = UID(SECONDARY_CAPTURE)
    meta.MediaStorageSOPInstanceUID = generate_uid()
    bare = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    bare.SOPClassUID, bare.SOPInstanceUID = SECONDARY_CAPTURE, meta.MediaStorageSOPInstanceUID
    for keyword, value in layout.items():
        setattr(bare, keyword, value)
    bare.SamplesPerPixel, bare.PhotometricInterpretation = 1, "MONOCHROME2"
    bare.PixelData = header.PixelData
    bare["PixelData"].VR = "OB"
    bare["PixelData"].is_undefined_length = True
    if meta.TransferSyntaxUID == RLELossless:
        return np.asarray(bare.pixel_array, np.int64).reshape(layout["Rows"], layout["Columns"])
    with tempfile.TemporaryDirectory(prefix="petanomaly-") as folder:
        path = Path(folder) / "slice.dcm"
        _save(bare, path)
        image = sitk.ReadImage(str(path), imageIO="GDCMImageIO")
    if image.GetSize()[:2] != (layout["Columns"], layout["Rows"]):
        raise ValueError("its compressed pixels have another size than its header says")
    pixels: npt.NDArray[Any] = sitk.GetArrayFromImage(image)
    return pixels.reshape(layout["Rows"], layout["Columns"]).astype(np.int64)


def _save(dataset: FileDataset, path: Path) -> None:
    if int(pydicom.__version__.split(".")[0]) >= 3:
        dataset.save_as(path, enforce_file_format=True)
        return
    dataset.is_little_endian, dataset.is_implicit_VR = True, False
    dataset.save_as(path, write_like_original=False)


def _of_used_bits(
    pixels: npt.NDArray[np.int64], used: int, high_bit: int, signed: bool
) -> npt.NDArray[np.int64]:
    """Without the bits around the stored ones, where old files keep overlays (PS3.5, 8.1.1)."""
    values = (pixels >> (high_bit + 1 - used)) & ((1 << used) - 1)
    if signed:
        values -= (values >> (used - 1)) << used
    return values
