"""What a PET series' headers give: its SUVbw factor, or the refusal in words."""

from __future__ import annotations

import pytest
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.units import suvbw_conversion
from pydicom.dataset import Dataset


def factor(*headers: Dataset) -> float:
    """SUVbw (g/ml) of a value of 1."""
    return suvbw_conversion(headers).factor


def refusal(*headers: Dataset) -> str:
    """The message of a refusal, which must come with a hint."""
    with pytest.raises(InputError) as raised:
        suvbw_conversion(headers)
    assert raised.value.hint
    return raised.value.message


def with_private(header: Dataset, group: int, creator: str, values: dict[int, str]) -> Dataset:
    """The header with text in private attributes: element within the creator's block -> value."""
    block = header.private_block(group, creator, create=True)
    for element, value in values.items():
        block.add_new(element, "LO", value)
    return header
