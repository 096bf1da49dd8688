"""What GE says in private attributes about the time of a scan."""

from __future__ import annotations

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.moment import Moment, date_time_parts, moment_of
from PETAnomalyLib.engine.study.dicom.tags import private_text, text


def ge_scan_time(header: Dataset) -> tuple[Moment | None, bool]:
    """Scan date and time (0009,100D), None when absent; and whether its creator vouches for it.

    Raises:
        InputError: it is there but is no date and time.
    """
    found = private_text(header, 0x0009, "GEMS_PETD_01", 0x0D)
    if found is None:
        return None, False
    if not found.creator_present and not text(header, "Manufacturer").upper().startswith("GE"):
        return None, False
    parts = date_time_parts(found.value)
    if parts is None or not parts[1]:
        raise InputError(
            f"GE's private scan date and time (0009,100D) is {found.value!r}, not a date and time.",
            "Correct the attribute in the DICOM files.",
        )
    return moment_of(parts[0], parts[1], "(0009,100D)"), found.creator_present
