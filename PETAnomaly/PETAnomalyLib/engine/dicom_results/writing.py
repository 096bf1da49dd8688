"""Both objects as files."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

import pydicom
from pydicom.dataset import Dataset

from PETAnomalyLib.engine.dicom_results.measurement_report import measurement_report
from PETAnomalyLib.engine.dicom_results.reading import Reading
from PETAnomalyLib.engine.dicom_results.segmentation_object import segmentation_object

SEGMENTATION_FILE = "findings.seg.dcm"
REPORT_FILE = "findings.sr.dcm"


def write_objects(folder: Path, reading: Reading) -> list[Path]:
    """Write the segmentation and the report, in the place of earlier ones.

    Args:
        folder: a result folder.
        reading: what is reported.

    Returns:
        The files: the report alone where nothing is reported, an earlier segmentation is then
        removed.
    """
    with warnings.catch_warnings():  # of names that the source has
        warnings.simplefilter("ignore")
        segmentation = segmentation_object(reading)
        objects: dict[str, Dataset] = {REPORT_FILE: measurement_report(reading, segmentation)}
    if segmentation is not None:
        objects = {SEGMENTATION_FILE: segmentation, **objects}
    partial = {folder / name: folder / f".{name}.{os.getpid()}" for name in objects}
    try:
        for name, dataset in objects.items():
            _save(dataset, partial[folder / name])
        for file, written in partial.items():
            written.replace(file)
    finally:
        for written in partial.values():
            written.unlink(missing_ok=True)
    if segmentation is None:
        (folder / SEGMENTATION_FILE).unlink(missing_ok=True)
    return list(partial)


def _save(dataset: Dataset, path: Path) -> None:
    # What the source has, an accession number of 17 characters say, stays as it is.
    with pydicom.config.disable_value_validation():
        dataset.save_as(path, enforce_file_format=True)
