"""Which files a study is made of, and what they are called on the way to another computer."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.dicom_files import is_dicom, is_media_directory
from PETAnomalyLib.engine.study.image_file import image_suffix
from PETAnomalyLib.engine.study.input_path import is_folder, shown

_PHANTOM = ("SEG.nii.gz", "description.json")  # its lesions are drawn into the picture


@dataclass(frozen=True)
class StudyFiles:
    """What is sent.

    Attributes:
        files: name there, with / between folders -> path here.
        inputs: `pet`, `ct`, `organs`, or `mr`, `mask` -> the name of a file or a folder among them.
    """

    files: dict[str, Path]
    inputs: dict[str, str]


def study_files(inputs: Mapping[str, Path]) -> StudyFiles:
    """The files of a study, each below a folder called as its option, and else named as here.

    Args:
        inputs: the options of `detect` -> their image file or folder.

    Raises:
        InputError: nothing is there, or a name is not UTF-8.
    """
    files: dict[str, Path] = {}
    names = {}
    for kind, path in inputs.items():
        found, names[kind] = _files(kind, path)
        files.update(found)
    kind = "mr" if "mr" in inputs else "pet"
    image = inputs[kind]
    beside = {f"{kind}/{name}": image.with_name(name) for name in _PHANTOM}
    is_phantom = kind == "mr" or image.name == "SUV.nii.gz"
    if is_phantom and all(path.is_file() for path in beside.values()):
        files.update(beside)
    return StudyFiles(files, names)


def _files(kind: str, path: Path) -> tuple[dict[str, Path], str]:
    if is_folder(path):
        found = {f"{kind}/{file.relative_to(path).as_posix()}": file for file in _below(path)}
        return _named(found), kind
    beside = _beside(path)
    return _named({f"{kind}/{name}": file for name, file in beside.items()}), f"{kind}/{path.name}"


def _beside(path: Path) -> dict[str, Path]:
    """A file with those that are read with it: the data of a header, notes, the rest of a series.

    Names are relative to the file's folder.
    """
    suffix, folder = image_suffix(path), path.parent
    if is_media_directory(path) or (not suffix and is_dicom(path)):
        return {file.relative_to(folder).as_posix(): file for file in _below(folder)}
    stem = f"{path.name[: -len(suffix)]}." if suffix else path.name
    return {path.name: path} | {
        file.name: file
        for file in folder.iterdir()
        if suffix and file.name.startswith(stem) and not image_suffix(file) and file.is_file()
    }


def _below(folder: Path) -> list[Path]:
    return [
        file
        for place, _folders, names in os.walk(folder)
        for file in (Path(place) / name for name in sorted(names))
        if file.is_file()
    ]


def _named(found: dict[str, Path]) -> dict[str, Path]:
    for name, path in found.items():
        if name != shown(Path(name)):
            raise InputError(
                f"{shown(path)} cannot be sent: its name is not UTF-8.", "Give it another name."
            )
    return found
