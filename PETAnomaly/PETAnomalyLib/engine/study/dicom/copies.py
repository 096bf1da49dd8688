"""Which files are second copies of a slice, and which merely share its SOP Instance UID."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pydicom

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.tags import text
from PETAnomalyLib.engine.study.input_path import open_input, shown

_MEANING = ("ImagePositionPatient", "ImageOrientationPatient", "RescaleSlope", "RescaleIntercept")


class Copies:
    """Asked file by file; only files that share a UID are read whole.

    Attributes:
        copies: how many files were copies.
        namesakes: how many shared the UID of another and were not.
    """

    def __init__(self) -> None:
        self.copies = 0
        self.namesakes = 0
        self._first: dict[str, Path] = {}
        self._contents: dict[str, set[bytes]] = {}

    def is_copy(self, path: Path, instance: str) -> bool:
        """Whether a file with this UID, place and pixels was asked about before.

        Raises:
            InputError: it shares its UID with another and is truncated or unreadable.
        """
        if not instance:
            return False
        first = self._first.setdefault(instance, path)
        if first is path:
            return False
        if instance not in self._contents:
            self._contents[instance] = {_content(first)}
        content = _content(path)
        if content in self._contents[instance]:
            self.copies += 1
            return True
        self._contents[instance].add(content)
        self.namesakes += 1
        return False


def _content(path: Path) -> bytes:
    """A hash of where the slice lies and what its pixels are worth."""
    try:
        with open_input(path) as file:
            header = pydicom.dcmread(file, force=True)
        pixels = header.get("PixelData") or b""
        meaning = "\n".join(text(header, keyword) for keyword in _MEANING)
        return hashlib.sha256(meaning.encode("utf-8", "replace") + b"\n" + bytes(pixels)).digest()
    except InputError:
        raise
    except Exception as error:  # damaged files make pydicom raise errors of every kind
        raise InputError(
            f"The DICOM file {shown(path)} is truncated or unreadable.",
            "Copy or export the series again.",
        ) from error
