"""The files below a folder, and which of them are DICOM."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pydicom

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.regular_file import open_regular
from PETAnomalyLib.engine.study.dicom.tags import text
from PETAnomalyLib.engine.study.input_path import open_input, shown

MEDIA_DIRECTORY = "1.2.840.10008.1.3.10"
_ENDINGS = (".dcm", ".ima")


def is_dicom(path: Path) -> bool:
    """Whether a file starts like DICOM: with its preamble, its meta header alone, or (older
    files) group 0008."""
    try:
        with open_regular(path) as file:
            return _starts_like_dicom(file)
    except (OSError, ValueError):
        return False


def is_media_directory(path: Path) -> bool:
    """Whether a file is a DICOMDIR, which stands for the folder that it lies in."""
    if path.name.upper() == "DICOMDIR":
        return True
    try:
        with open_regular(path) as file:
            header = pydicom.dcmread(
                file, stop_before_pixels=True, force=True, specific_tags=["Modality"]
            )
            return text(header.file_meta, "MediaStorageSOPClassUID") == MEDIA_DIRECTORY
    except Exception:  # damaged files make pydicom raise errors of every kind
        return False


def read_index(path: Path, keywords: list[str]) -> pydicom.Dataset | None:
    """Some attributes of a DICOM object; None for other files and for media directories.

    Raises:
        InputError: the file cannot be read, is none although its name says so, or begins as DICOM
            and breaks off: a slice would be missing silently.
    """
    with open_input(path) as file:
        if not _starts_like_dicom(file):
            if path.suffix.lower() in _ENDINGS:
                raise _broken(path)
            return None
        file.seek(128)
        has_preamble = file.read(4) == b"DICM"
        file.seek(0)
        try:
            header: pydicom.Dataset = pydicom.dcmread(
                file, stop_before_pixels=True, force=True, specific_tags=keywords
            )
        except Exception:  # damaged files make pydicom raise errors of every kind
            header = pydicom.Dataset()
    if text(header, "Modality") or text(header, "SOPClassUID"):
        return header
    meta = getattr(header, "file_meta", None) or pydicom.Dataset()
    if not has_preamble or text(meta, "MediaStorageSOPClassUID") == MEDIA_DIRECTORY:
        return None
    raise _broken(path)


def files_below(folder: Path, deep: bool, notes: list[str]) -> Iterator[Path]:
    """Visible regular files in a stable order: the same folder always gives the same answer.

    Links to folders are followed, each folder once.

    Args:
        folder: where to look.
        deep: with all subfolders.
        notes: what was passed over is added here, for the user.

    Raises:
        InputError: the folder itself cannot be read, or a link leads nowhere.
    """
    unreadable: list[OSError] = []
    seen: set[tuple[int, int]] = set()
    others = 0
    for directory, names, files in os.walk(folder, onerror=unreadable.append, followlinks=True):
        place = Path(directory).stat()
        if (place.st_dev, place.st_ino) in seen:
            names[:] = []
            continue
        seen.add((place.st_dev, place.st_ino))
        names[:] = sorted(n for n in names if not n.startswith((".", "__MACOSX"))) if deep else []
        for name in sorted(files):
            path = Path(directory) / name
            if name.startswith(".") or name.upper() == "DICOMDIR":
                continue
            if _is_regular(path):
                yield path
            else:
                others += 1
    if unreadable and Path(unreadable[0].filename) == folder:
        raise InputError(
            f"The folder {shown(folder)} cannot be read: {unreadable[0].strerror}.",
            "Check who may read it.",
        ) from unreadable[0]
    if unreadable:
        named = ", ".join(
            f"{shown(Path(error.filename))} ({error.strerror})" for error in unreadable[:3]
        )
        notes.append(
            f"{len(unreadable)} folders cannot be read, and slices in them are missing: {named}"
            + (", ..." if len(unreadable) > 3 else ".")
        )
    if others:
        notes.append(
            f"{others} pipes, sockets or devices in {shown(folder)} were passed over unopened."
        )


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except OSError as error:
        why = "it is a link that leads nowhere" if path.is_symlink() else error.strerror
        raise InputError(
            f"{shown(path)} cannot be read: {why}. A slice may be missing.",
            "Fetch or copy the file, or take it out of the folder.",
        ) from error


def _starts_like_dicom(file: BinaryIO) -> bool:
    start = file.read(132)
    if start[128:132] == b"DICM" or start[:2] == b"\x08\x00":
        return True
    return start[:4] == b"\x02\x00\x00\x00" and start[4:6] == b"UL"


def _broken(path: Path) -> InputError:
    return InputError(
        f"The DICOM file {shown(path)} is truncated or unreadable.",
        "Copy or export the series again.",
    )
