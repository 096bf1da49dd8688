"""What Siemens says in private attributes (creator SIEMENS MED PT) about decay correction."""

from __future__ import annotations

from PETAnomalyLib.engine.study.dicom.private_time import PrivateTime

DECAY_CORRECTION = PrivateTime(
    "Siemens' private decay correction date and time (0071,1022)",
    0x0071,
    "SIEMENS MED PT",
    0x22,
    "SIEMENS",
)
