"""What both objects state in the same way: who made them, when, of whom."""

from __future__ import annotations

from typing import Any

from pydicom.dataset import Dataset

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.dicom_results.codes import OWN_SCHEME
from PETAnomalyLib.engine.dicom_results.reading import Reading
from PETAnomalyLib.engine.dicom_results.source import CHARACTER_SET, Source

MANUFACTURER = "PETAnomaly"
_SERIES_OF_OURS = 9000  # beside the PET's own series, whose numbers are small


def identification(reading: Reading, role: str, number: int) -> dict[str, Any]:
    """Keyword arguments of highdicom's constructors.

    Args:
        reading: what the object is about.
        role: `segmentation` or `report`: it has its own series.
        number: of that series among ours.
    """
    source = reading.source
    return {
        "series_instance_uid": reading.uid(f"{role} series"),
        "series_number": _SERIES_OF_OURS + 10 * source.series_number + number,
        "sop_instance_uid": reading.uid(role),
        "instance_number": 1,
        "manufacturer": MANUFACTURER,
        "manufacturer_model_name": reading.detector.model,
        "software_versions": __version__,
        "device_serial_number": reading.detector.sha256,
        "content_date": source.date,
        "content_time": source.time,
        "series_date": source.date,
        "series_time": source.time,
        "specific_character_set": None,  # see `finish`
    }


def coding_scheme() -> Dataset:
    """Where our own codes come from (PS3.3, C.12.1)."""
    item = Dataset()
    item.CodingSchemeDesignator = OWN_SCHEME
    item.CodingSchemeName = "PETAnomaly's own concepts"
    item.CodingSchemeResponsibleOrganization = MANUFACTURER
    return item


def finish(dataset: Dataset, source: Source) -> None:
    """Give an object of highdicom's what it takes from the clock, from the source instead."""
    dataset.InstanceCreationDate, dataset.InstanceCreationTime = source.date, source.time
    for item in dataset.get("ContributingEquipmentSequence", []):
        del item.ContributionDateTime
    # Names are written in the source's own characters; highdicom would refuse unusual sets of them.
    if CHARACTER_SET in source.slices[0]:
        dataset.SpecificCharacterSet = source.slices[0].SpecificCharacterSet
    if source.anonymous:
        dataset.PatientIdentityRemoved = "YES"
        dataset.DeidentificationMethod = "PETAnomaly --anonymous"
