"""Small DICOM series written with pydicom, for the cases that no real scan at hand shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

PET_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.128"

WEIGHT_KG = 70.0
HEIGHT_M = 1.75
DOSE_BQ = 350e6
HALF_LIFE_S = 6586.2
UPTAKE_S = 3600.0
DROP = object()  # as a value: leave the attribute out


def plain_factor(
    seconds: float = UPTAKE_S, dose: float = DOSE_BQ, weight: float = WEIGHT_KG
) -> float:
    """SUVbw per Bq/ml by the definition, written down a second time."""
    remaining = dose * float(np.exp(-np.log(2.0) * seconds / HALF_LIFE_S))
    return weight * 1000.0 / remaining


def pet_header(**changes: Any) -> Dataset:
    """A complete, consistent PET header (BQML, START, one hour of uptake); `changes` by keyword.

    Attributes of the radiopharmaceutical are changed by keyword as well; `DROP` leaves one out.
    """
    tracer = {
        "Radiopharmaceutical": "FDG",
        "RadiopharmaceuticalStartTime": "100000.00",
        "RadiopharmaceuticalStartDateTime": "20250101100000.00",
        "RadionuclideTotalDose": str(DOSE_BQ),
        "RadionuclideHalfLife": str(HALF_LIFE_S),
    }
    header = {
        "SOPClassUID": PET_IMAGE_STORAGE,
        "Modality": "PT",
        "Manufacturer": "Synthetic",
        "SeriesDescription": "PET AC",
        "SeriesInstanceUID": "1.2.826.0.1.3680043.8.498.1",
        "FrameOfReferenceUID": "1.2.826.0.1.3680043.8.498.2",
        "PatientID": "synthetic",
        "PatientName": "Not^ToBeSeen",
        "SeriesDate": "20250101",
        "SeriesTime": "110000.00",
        "AcquisitionDate": "20250101",
        "AcquisitionTime": "110000.00",
        "PatientWeight": str(WEIGHT_KG),
        "PatientSize": str(HEIGHT_M),
        "PatientSex": "M",
        "Units": "BQML",
        "DecayCorrection": "START",
        "CorrectedImage": ["NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"],
        "SeriesType": ["STATIC", "IMAGE"],
    }
    dataset, item = Dataset(), Dataset()
    for target, values in ((header, dataset), (tracer, item)):
        for keyword in list(target):
            value = changes.pop(keyword, target[keyword])
            if value is not DROP:
                setattr(values, keyword, value)
    dataset.RadiopharmaceuticalInformationSequence = [item]
    for keyword, value in changes.items():
        if value is DROP:
            delattr(dataset, keyword)
        else:
            setattr(dataset, keyword, value)
    return dataset


def ct_header(**changes: Any) -> Dataset:
    """A CT header in the PET's frame of reference."""
    return pet_header(
        **{
            "SOPClassUID": CTImageStorage,
            "Modality": "CT",
            "SeriesDescription": "CT",
            "SeriesInstanceUID": "1.2.826.0.1.3680043.8.498.3",
            "Units": DROP,
            **changes,
        }
    )


def write_series(
    folder: Path,
    header: Dataset,
    values: Any,
    *,
    slopes: Sequence[float] | None = None,
    intercept: float = 0.0,
    positions: Sequence[Sequence[float]] | None = None,
    orientation: Sequence[float] = (1, 0, 0, 0, 1, 0),
    spacing: Sequence[float] = (6.0, 5.0),
    gap: float = 4.0,
    change: Callable[[FileDataset, int], None] | None = None,
    prefix: str = "slice",
) -> list[Path]:
    """Writes stored `values` (k, j, i), int16, one file a slice, in scrambled name order.

    Args:
        positions: of each slice's first voxel, mm LPS; by default along the normal.
        spacing: between rows, between columns, mm.
        change: called with every dataset and its k before it is written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    values = np.asarray(values, dtype=np.int16)
    normal = np.cross(orientation[:3], orientation[3:])
    paths = []
    for k, plane in enumerate(values):
        meta = FileMetaDataset()
        meta.MediaStorageSOPClassUID = header.SOPClassUID
        meta.MediaStorageSOPInstanceUID = generate_uid()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        path = folder / f"{prefix}{(k * 7) % 101:03d}_{k}.dcm"
        dataset = FileDataset(str(path), {}, file_meta=meta, preamble=b"\0" * 128)
        dataset.update(header)
        dataset.SOPInstanceUID = meta.MediaStorageSOPInstanceUID
        place = (
            positions[k] if positions is not None else (np.array([-10, -20, 30]) + k * gap * normal)
        )
        dataset.ImagePositionPatient = [float(x) for x in place]
        dataset.ImageOrientationPatient = [float(x) for x in orientation]
        dataset.PixelSpacing = list(spacing)
        dataset.SliceThickness = gap
        dataset.Rows, dataset.Columns = plane.shape
        dataset.SamplesPerPixel = 1
        dataset.PhotometricInterpretation = "MONOCHROME2"
        dataset.BitsAllocated = dataset.BitsStored = 16
        dataset.HighBit, dataset.PixelRepresentation = 15, 1
        dataset.RescaleSlope = str(slopes[k] if slopes is not None else 1.0)
        dataset.RescaleIntercept = str(intercept)
        dataset.PixelData = plane.tobytes()
        if change is not None:
            change(dataset, k)
        _save(dataset, path)
        paths.append(path)
    return paths


def a_body(shape: tuple[int, int, int] = (12, 24, 24), level: int = 4000) -> Any:
    """Stored values of an ellipse of `level` with a lesion of four times that, air around it."""
    k, j, i = np.indices(shape)
    inside = ((j - shape[1] / 2) / (0.35 * shape[1])) ** 2 + (
        (i - shape[2] / 2) / (0.4 * shape[2])
    ) ** 2 < 1
    values = np.where(inside, level, 0)
    values[shape[0] // 2, shape[1] // 2, shape[2] // 2 : shape[2] // 2 + 3] = 4 * level
    return values + (k + 2 * j + 3 * i) % 5


def _save(dataset: FileDataset, path: Path) -> None:
    if int(pydicom.__version__.split(".")[0]) >= 3:
        dataset.save_as(path, enforce_file_format=True)
        return
    dataset.is_little_endian, dataset.is_implicit_VR = True, False
    dataset.save_as(path, write_like_original=False)
