"""What a finding is, in codes: the same in the Slicer segmentation and in DICOM objects."""

from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """A coded concept, as DICOM's Code Sequence Macro has it (PS3.3, 8.8)."""

    value: str
    scheme: str
    meaning: str


# An altered structure and a mass, not a neoplasm, since nothing is proven.
CATEGORY = Code("49755003", "SCT", "Morphologically Altered Structure")
TYPE = Code("4147007", "SCT", "Mass")
