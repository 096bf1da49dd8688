"""Whether a CT's numbers are HU: soft tissue near 0 where the PET shows a body, air far below."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.frame.doubt import Doubt

_HINT = "Give the CT in Hounsfield units, of the same examination."
_BIN_HU = 25.0
# Muscle and organs lie at 20 to 80 HU, fat at -120 to -70; which of them is the mode depends on the
# patient. Measured on 12 real crops and 300 phantoms: -113 to 62.
_TISSUE_HU = (-200.0, 200.0)
_AIR_HU = -500.0  # a couch and blankets raise the median around a body, never so far


def tissue_mode(hu: NDArray[np.floating]) -> float:
    """The most frequent HU, to the middle of a bin of 25, of any number of values."""
    counts, edges = np.histogram(hu, np.arange(-3100.0, 3100.0, _BIN_HU))
    return float(edges[int(counts.argmax())] + _BIN_HU / 2)


def unit_doubts(in_body: NDArray[np.floating], outside: NDArray[np.floating]) -> tuple[Doubt, ...]:
    """What speaks against HU.

    Args:
        in_body: values of the CT where it and the PET, or the PET alone, show a body.
        outside: values farther than three centimetres from that.
    """
    doubts = []
    if in_body.size:
        mode = tissue_mode(in_body)
        if not _TISSUE_HU[0] <= mode <= _TISSUE_HU[1]:
            words = (
                f"Most of the CT has {mode:.0f} HU where the PET shows the body; soft tissue has 0 "
                "to 80 HU and fat -100."
            )
            doubts.append(Doubt(words, _HINT, True))
    if outside.size and float(np.median(outside)) > _AIR_HU:
        words = f"The CT has {np.median(outside):.0f} HU around the body, where air has -1000."
        doubts.append(Doubt(words, _HINT, False))
    return tuple(doubts)
