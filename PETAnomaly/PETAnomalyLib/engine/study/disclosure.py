"""What a result may say of where its study came from: names of folders are patients' names.

Only what lies below a folder that was given, or the name of a file that was, is written down. With
`anonymous` neither is, nor a series' description, UIDs and dates, which lead back to the patient.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.study.input_path import shown

_FREE_TEXT = ("path", "series_description")
_UID = re.compile(r"\b\d+(?:\.\d+){4,}\b")
_DATE = re.compile(r"\b(?:\d{4}-\d\d-\d\d|(?:19|20)\d{6})(?:[ T]?\d\d:?\d\d:?\d\d(?:\.\d+)?)?")
# How `study.dicom.series.Series` is shown.
_SERIES = re.compile(r"'.*?' \((\d+ files), series [^,]*, UID [^)]*\)")
# A folder that is called so names nobody, and sentences say these words for their own sake.
_OUR_WORDS = ("a", "brain", "ct", "head", "image", "in", "mask", "mr", "of", "pet", "series")
_IN_PLACE_OF_A_NAME = "(name left out)"


class Disclosure:
    """What may be said of a study.

    Args:
        given: image files, DICOM folders or files of a series, as the user named them.
        anonymous: no name of a file either.
    """

    def __init__(self, given: Sequence[Path], anonymous: bool = False) -> None:
        self.anonymous = anonymous
        self._given = [Path(path) for path in given]

    def description(self, description: dict[str, Any]) -> dict[str, Any]:
        """A study's description, JSON-able: paths are made relative, or left out."""
        return {
            name: self._value(name, value)
            for name, value in description.items()
            if not self.anonymous or not _leads_back(name, value)
        }

    def sentence(self, text: str) -> str:
        """A warning, without the folders that it names."""
        for given in self._given:
            folder = given if given.is_dir() else given.parent
            spellings = _spellings(folder)
            if self.anonymous:
                text = _without_names(text, given, folder, spellings)
            for spelling in spellings:
                text = _without_folder(text, spelling)
        if self.anonymous:
            text = _SERIES.sub(r"(\1)", text)
            text = _DATE.sub("(date left out)", _UID.sub("(UID left out)", text))
        return text

    def title(self, pet: Path, model: str) -> str:
        """The heading of a study's picture."""
        if self.anonymous:
            return model
        return f"{'DICOM' if pet.is_dir() else shown(Path(pet.name))} - {model}"

    def model_path(self, path: Path) -> str:
        """Where a model lies: below the user's home, whose name is the user's, from there."""
        if self.anonymous:
            return path.name
        home = Path(os.path.expanduser("~"))  # noqa: PTH111 - never fails
        return f"~/{path.relative_to(home).as_posix()}" if home in path.parents else str(path)

    def _value(self, name: str, value: Any) -> Any:
        if isinstance(value, dict):
            return self.description(value)
        if name == "path":
            return self._path(str(value))
        return self.sentence(value) if isinstance(value, str) else value

    def _path(self, text: str) -> str:
        for given in self._given:
            if text == shown(given):
                return "." if given.is_dir() else shown(Path(given.name))
        return self.sentence(text)


def _leads_back(name: str, value: Any) -> bool:
    if name in _FREE_TEXT:
        return True
    return isinstance(value, str) and bool(_UID.search(value) or _DATE.search(value))


def _spellings(folder: Path) -> list[str]:
    """How messages write a folder, the longest first; without those that name nothing."""
    without_dots = os.path.abspath(folder)  # noqa: PTH100 - not `resolve`: links stay
    forms = {str(folder), str(folder.absolute()), without_dots, str(folder.resolve())}
    forms |= {shown(Path(form)) for form in forms}
    return sorted(forms - {os.curdir, os.pardir, os.sep}, key=len, reverse=True)


def _without_folder(text: str, spelling: str) -> str:
    """Where it stands as a path of its own: a folder "in" is no part of "brain"."""
    whole = rf"(?<!\w){re.escape(spelling)}"
    text = re.sub(whole + re.escape(os.sep), "", text)
    if spelling.lower() in _OUR_WORDS:
        return text
    return re.sub(whole + r"(?!\w)", "the folder", text)


def _without_names(text: str, given: Path, folder: Path, spellings: list[str]) -> str:
    for name in _names_below(given, folder):
        for spelling in spellings:
            text = text.replace(spelling + os.sep + name, _IN_PLACE_OF_A_NAME)
        if "." in name:  # also by itself; "PET" may be a word
            text = text.replace(name, _IN_PLACE_OF_A_NAME)
    return text


def _names_below(given: Path, folder: Path) -> list[str]:
    """Of what may have been read, relative to the folder, the longest first."""
    if not given.is_dir():
        names = [path.name for path in folder.iterdir()]
    else:
        names = [
            os.path.relpath(os.path.join(place, name), folder)  # noqa: PTH118
            for place, folders, files in os.walk(folder)
            for name in (*folders, *files)
        ]
    return sorted({*names, *(shown(Path(name)) for name in names)}, key=len, reverse=True)
