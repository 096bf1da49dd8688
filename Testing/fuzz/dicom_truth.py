"""What the files of a DICOM series mean: pydicom's pixels, and the definition of SUVbw."""

from __future__ import annotations

import io
import math
import warnings
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian
from synthetic_dicom import pet_header

from fuzz.case import Array, Content, MustRefuseError, UnjudgedError, Volume, affine

LOST = "passed over|not taken|missing|cannot be read|share|no DICOM"
"""How a warning says that a slice, or what may have been one, is not in the volume."""

_CLASSES = {"PT": "1.2.840.10008.5.1.4.1.1.128", "CT": "1.2.840.10008.5.1.4.1.1.2"}
# By these alone the factor is what the definition says; others change the rule that applies.
_PLAIN = {"PatientWeight", "RadionuclideTotalDose", "RadionuclideHalfLife"}
_RULES = ("SeriesDate", "SeriesTime", "AcquisitionDate", "AcquisitionTime", "Units",
          "DecayCorrection", "CorrectedImage")  # fmt: skip
_NOT_FOR_SUV = {"PixelSpacing", "SliceThickness", "ImagePositionPatient", "PixelData",
                "ImageOrientationPatient", "RescaleSlope", "Rows", "Columns", "BitsAllocated",
                "BitsStored", "HighBit", "PixelRepresentation", "SOPInstanceUID",
                "PhotometricInterpretation", "SamplesPerPixel", "NumberOfFrames",
                "SeriesInstanceUID", "FrameOfReferenceUID", "Radiopharmaceutical"}  # fmt: skip


def dicom_truth(
    files: dict[str, Content], names: list[str], target: str, modality: str, touched: set[str]
) -> Volume:
    """Of the files of a folder, the one series that was made, as a volume.

    Args:
        files: all that lies in the folder.
        names: those that were slices before anything was done to them.
        target: the file that names the series, or `.`.
        modality: "PT" or "CT".
        touched: keywords of what was changed on purpose.
    """
    groups: dict[tuple[str, ...], dict[bytes, Dataset]] = {}
    named: tuple[str, ...] = ()
    lost = False
    for name, content in sorted(files.items()):
        dataset = _parsed(content) if isinstance(content, bytes) else None
        if dataset is None or not _is_slice(dataset, modality):
            lost = lost or name in names
            continue
        key = (_text(dataset, "SeriesInstanceUID"), _text(dataset, "Modality"))
        named = key if name == target else named
        slices = groups.setdefault(key, {})
        slices.setdefault(_identity(dataset), dataset)
    if not groups or (target != "." and not named):
        raise MustRefuseError("no slice of this modality")
    chosen = groups[named] if named else max(groups.values(), key=len)
    lost = lost or (len(groups) > 1 and not named)
    ordered, matrix = _geometry(list(chosen.values()))
    values = np.stack([_values(dataset, modality) for dataset in ordered])
    if not np.isfinite(values).all():
        raise MustRefuseError("voxels that are no finite numbers")
    free = False
    if modality == "PT":
        free = bool(touched - _PLAIN - _NOT_FOR_SUV) or not all(map(_has_its_times, ordered))
        values = values * (1.0 if free else _factor(ordered[0]))
    return Volume(values, (matrix,), LOST if lost else "", free)


def _parsed(content: bytes) -> Dataset | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            dataset = pydicom.dcmread(io.BytesIO(content), force=True)
            list(dataset.iterall())
            return dataset
    except Exception:
        return _shallow(content)


def _shallow(content: bytes) -> Dataset | None:
    """Without looking into what does not matter for the volume."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return pydicom.dcmread(io.BytesIO(content), force=True)
    except Exception:
        return None


def _is_slice(dataset: Dataset, modality: str) -> bool:
    return _text(dataset, "SOPClassUID") == _CLASSES[modality] and "PixelData" in dataset


def _identity(dataset: Dataset) -> bytes:
    where = _text(dataset, "SOPInstanceUID") + _text(dataset, "ImagePositionPatient")
    return where.encode("utf-8", "replace") + bytes(dataset.PixelData or b"")


def _text(dataset: Dataset, keyword: str) -> str:
    try:
        value = dataset.get(keyword)
    except Exception:
        return "unreadable"
    if value is None:
        return ""
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return str(value).strip()
    return "\\".join(str(part) for part in value)


def _numbers(dataset: Dataset, keyword: str, count: int) -> Array:
    try:
        numbers = np.array([float(part) for part in _text(dataset, keyword).split("\\")])
    except ValueError as error:
        raise MustRefuseError(keyword) from error
    if numbers.size != count or not np.isfinite(numbers).all():
        raise MustRefuseError(keyword)
    return numbers


def _geometry(slices: list[Dataset]) -> tuple[list[Dataset], Array]:
    """The slices in order along their normal, and the affine, LPS."""
    axes = np.array([_numbers(dataset, "ImageOrientationPatient", 6) for dataset in slices])
    places = np.array([_numbers(dataset, "ImagePositionPatient", 3) for dataset in slices])
    steps = np.array([_numbers(dataset, "PixelSpacing", 2) for dataset in slices])
    if steps.min() < 0.2 or steps.max() > 20.0 or (steps != steps[0]).any():
        raise MustRefuseError("PixelSpacing")
    if np.abs(axes).max() > 2 or np.abs(axes - axes[0]).max() > 3e-3 or np.abs(places).max() > 2e5:
        raise MustRefuseError("orientations or places")
    across, down = axes[0, :3], axes[0, 3:]
    lengths = np.linalg.norm(across), np.linalg.norm(down)
    if min(lengths) < 0.88 or max(lengths) > 1.12 or abs(across @ down) > 3e-3:
        raise MustRefuseError("ImageOrientationPatient")
    across, down = across / lengths[0], down / lengths[1]
    normal = np.cross(across, down)
    order = np.argsort(places @ normal, kind="stable")
    places = places[order]
    heights = (places - places[0]) @ normal
    if len(slices) < 2:
        raise MustRefuseError("one slice")
    gaps = np.diff(heights)
    if gaps.min() < 5e-3 or (np.abs(gaps - np.median(gaps)) > 0.3 * np.median(gaps)).any():
        raise MustRefuseError("slices at uneven places")
    sideways = places - places[0] - np.outer(heights, normal)
    if np.linalg.norm(sideways, axis=1).max() > 0.6:
        raise MustRefuseError("tilted")
    directions = np.column_stack([across, down, normal])
    matrix = affine(directions, [steps[0, 1], steps[0, 0], gaps.mean()], places[0])
    return [slices[place] for place in order], matrix


def _values(dataset: Dataset, modality: str) -> Array:
    slope = _numbers(dataset, "RescaleSlope", 1)[0] if _text(dataset, "RescaleSlope") else 1.0
    intercept = (
        _numbers(dataset, "RescaleIntercept", 1)[0] if _text(dataset, "RescaleIntercept") else 0.0
    )
    if slope <= 0 or (modality == "PT" and intercept != 0):
        raise MustRefuseError("rescaling")
    if _text(dataset, "PhotometricInterpretation") not in ("MONOCHROME1", "MONOCHROME2", ""):
        raise MustRefuseError("colours")
    if "TransferSyntaxUID" not in dataset.file_meta:
        big = dataset.original_encoding[1] is False
        dataset.file_meta.TransferSyntaxUID = ExplicitVRBigEndian if big else ImplicitVRLittleEndian
    dataset.setdefault("SamplesPerPixel", 1)
    if not _text(dataset, "PhotometricInterpretation"):
        dataset.PhotometricInterpretation = "MONOCHROME2"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            stored: Any = dataset.pixel_array
    except Exception as error:
        raise MustRefuseError(f"pixels: {error}") from error
    if stored.ndim != 2:
        raise MustRefuseError("frames or colours")
    plain = not dataset.file_meta.TransferSyntaxUID.is_encapsulated
    if plain and len(dataset.PixelData) - stored.size * dataset.BitsAllocated // 8 not in (0, 1):
        raise MustRefuseError("more pixels than rows and columns")
    if stored.dtype.kind == "f" or int(dataset.BitsAllocated) == 1:
        raise UnjudgedError
    with np.errstate(all="ignore"):
        values: Array = _used_bits(stored, dataset) * slope + intercept
    return values


def _used_bits(stored: Any, dataset: Dataset) -> Array:
    """BitsStored bits up to HighBit, two's complement where the header says so (PS3.5, 8.1.1)."""
    used, signed = int(dataset.BitsStored), int(dataset.PixelRepresentation) == 1
    if int(dataset.get("HighBit", used - 1)) != used - 1:
        raise UnjudgedError
    numbers = stored.astype(np.int64) & ((1 << used) - 1)
    return np.where(signed & (numbers >= 1 << (used - 1)), numbers - (1 << used), numbers).astype(
        np.float64
    )


def _has_its_times(dataset: Dataset) -> bool:
    """Whether damage has hit no time and no rule; what follows from others is judged elsewhere."""
    made = pet_header()
    told, tracer = made.RadiopharmaceuticalInformationSequence[0], "Radiopharmaceutical"
    found = dataset.get(f"{tracer}InformationSequence") or [Dataset()]
    return all(_text(dataset, one) == _text(made, one) for one in _RULES) and all(
        _text(found[0], one) == _text(told, one)
        for one in (f"{tracer}StartTime", f"{tracer}StartDateTime")
    )


def _factor(dataset: Dataset) -> float:
    """weight / (dose x 2^(-t / T)), an hour between injection and the series' start."""
    tracer = dataset.RadiopharmaceuticalInformationSequence[0]
    weight = _numbers(dataset, "PatientWeight", 1)[0]
    dose = _numbers(tracer, "RadionuclideTotalDose", 1)[0]
    half_life = _numbers(tracer, "RadionuclideHalfLife", 1)[0]
    if min(weight, dose, half_life) <= 0:
        raise MustRefuseError("weight, dose or half-life")
    factor = weight * 1000.0 / dose * math.exp(min(math.log(2.0) * 3600.0 / half_life, 700.0))
    if not math.isfinite(factor):
        raise MustRefuseError("factor")
    return float(factor)
