"""Which contrast an MR is of, where its headers or its file's name say so."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

CONTRASTS = ("T1w", "T2w", "FLAIR")
"""What a model of brain MR may be of."""

WITH_AGENT = "T1c"

# In this order: "t2_flair" is a FLAIR, "t1ce" has contrast agent.
_NAMES = (
    ("FLAIR", re.compile(r"flair|(?<![a-z0-9])t2f(?![a-z0-9])")),
    (WITH_AGENT, re.compile(r"(?<![a-z0-9])t1[\W_]?w?[\W_]?(c|ce|gd|ks|post)(?![a-z0-9])")),
    ("T1w", re.compile(r"(?<![a-z0-9])t1([\W_]?w|n)?(?![a-z0-9])|mp2?rage|bravo")),
    ("T2w", re.compile(r"(?<![a-z0-9])t2([\W_]?w)?(?![a-z0-9])")),
)


def contrast_of_name(text: str) -> str:
    """The contrast that the name of a file or a series tells, or "".

    Args:
        text: such as "sub-01_FLAIR.nii.gz" or "t1_mprage_sag".
    """
    small = text.lower()
    return next((contrast for contrast, pattern in _NAMES if pattern.search(small)), "")


def contrast_of_header(header: Dataset) -> str:
    """The contrast of an MR series, from how it was acquired, else from its name, or "".

    An inversion recovery whose inversion time is near the null of CSF is a FLAIR; a long echo
    time makes T2 weighting, a short one with a short repetition time or an inversion T1 weighting
    (E. M. Haacke et al., Magnetic Resonance Imaging, 2nd ed. 2014, chapter 15).
    """
    if header.get("ContrastBolusAgent"):
        return WITH_AGENT if _weighting(header) in ("T1w", "") else _weighting(header)
    return _weighting(header) or contrast_of_name(str(header.get("SeriesDescription", "")))


def _weighting(header: Dataset) -> str:
    inversion, echo, repetition = (
        _milliseconds(header, name) for name in ("InversionTime", "EchoTime", "RepetitionTime")
    )
    if echo == 0.0:
        return ""
    if inversion >= 1600.0 and repetition >= 4000.0:
        return "FLAIR"
    if echo >= 60.0:
        return "T2w"
    if echo <= 30.0 and (0.0 < repetition <= 1000.0 or inversion > 0.0):
        return "T1w"
    return ""


def _milliseconds(header: Dataset, name: str) -> float:
    try:
        return float(header.get(name) or 0.0)
    except (TypeError, ValueError):
        return 0.0
