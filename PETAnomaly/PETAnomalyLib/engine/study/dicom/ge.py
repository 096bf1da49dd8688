"""What GE says in private attributes (creator GEMS_PETD_01) about the times of a scan."""

from __future__ import annotations

from PETAnomalyLib.engine.study.dicom.private_time import PrivateTime

SCAN_START = PrivateTime(
    "GE's private scan date and time (0009,100D)", 0x0009, "GEMS_PETD_01", 0x0D, "GE"
)
ADMINISTRATION = PrivateTime(
    "GE's private administration date and time (0009,103B)", 0x0009, "GEMS_PETD_01", 0x3B, "GE"
)
