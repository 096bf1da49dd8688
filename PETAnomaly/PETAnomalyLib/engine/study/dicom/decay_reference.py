"""The instant that a PET series with Decay Correction START is corrected to.

Vendor-neutral QIBA rules (RSNA QIBA FDG-PET/CT profile, appendix G): the series time unless it is
later than an acquisition (then the series was written afterwards), else GE's private scan time,
else the earliest acquisition. Attributes: PS3.3 C.8.9.1, C.8.9.2.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.ge import ge_scan_time
from PETAnomalyLib.engine.study.dicom.moment import Moment, date_time_parts, moment_of
from PETAnomalyLib.engine.study.dicom.tags import tag_name, text


def decay_reference(headers: Sequence[Dataset]) -> tuple[Moment, str, list[str]]:
    """The instant, which attribute gave it in words, and warnings.

    Args:
        headers: one dataset a slice, all of one series.

    Raises:
        InputError: no attribute says when the scan began, or one is malformed.
    """
    series = _earliest(headers, "SeriesDate", "SeriesTime")
    acquisition = _earliest(headers, "AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime")
    if series is not None and acquisition is not None and acquisition.since(series) >= 0:
        return series, "series date and time", _ge_disagreement(headers[0], series)
    if series is not None and acquisition is None:
        note = (
            f"{tag_name('AcquisitionTime')} is missing: the series time {series} is taken as the "
            "start of the scan without a check that it is not later."
        )
        return series, "series date and time", [note]
    scan, creator_present = ge_scan_time(headers[0])
    if scan is not None:
        notes = [] if creator_present else [_no_creator("(0009,100D)", "GEMS_PETD_01")]
        return scan, "GE private scan date and time (0009,100D)", notes
    if acquisition is not None:
        why = "missing" if series is None else f"{series}, later than the acquisition"
        note = (
            f"{tag_name('SeriesTime')} is {why}: values are taken as decay-corrected to the "
            f"earliest acquisition, {acquisition}."
        )
        return acquisition, "earliest acquisition date and time", [note]
    raise InputError(
        "The start of the scan is unknown: "
        f"{tag_name('SeriesDate')}, {tag_name('SeriesTime')}, {tag_name('AcquisitionDate')} and "
        f"{tag_name('AcquisitionTime')} are missing or empty.",
        "Export the series again without removing the times.",
    )


def _ge_disagreement(header: Dataset, series: Moment) -> list[str]:
    """GE's own scan time is only consulted for rewritten series; a difference is still told."""
    scan, _ = ge_scan_time(header)
    if scan is None or abs(scan.since(series)) <= 60:
        return []
    return [
        f"GE's private scan time (0009,100D) {scan} differs from the series time {series}, which "
        "is not later than the acquisition and was used."
    ]


def _no_creator(tag: str, creator: str) -> str:
    return (
        f"The private attribute {tag} is read although its creator {creator!r} is missing, because "
        "the manufacturer fits."
    )


def _earliest(
    headers: Sequence[Dataset], day: str, clock: str, stamp: str | None = None
) -> Moment | None:
    moments = []
    for header in headers:
        if text(header, clock):
            moments.append(moment_of(text(header, day), text(header, clock), tag_name(clock)))
        elif stamp and text(header, stamp):
            parts = date_time_parts(text(header, stamp))
            if parts is not None and parts[1]:
                moments.append(moment_of(parts[0], parts[1], tag_name(stamp)))
    dated = [moment for moment in moments if moment.day is not None]
    if dated:
        return min(dated, key=lambda moment: (moment.day, moment.seconds))
    return min(moments, key=lambda moment: moment.seconds, default=None)
