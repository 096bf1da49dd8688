"""The data file that a header of its own names."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.input_path import open_input, shown

_PIECE = 1 << 16


def open_beside(header: Path, named: str, files: ExitStack) -> BinaryIO:
    """Open the data of a detached header; they lie in the header's own folder.

    Names elsewhere would make a volume of any file of this computer; patterns and lists of files
    are a format string and a path each for whoever wrote the header.

    Args:
        header: the header's file.
        named: what it says.
        files: closes the data.

    Raises:
        InputError: no plain name, or no readable file.
    """
    plain = named[2:] if named.startswith("./") else named
    is_list = plain.split(" ")[0] == "LIST"
    if plain in ("", ".", "..") or is_list or any(sign in plain for sign in '/\\:%\0"'):
        raise InputError(
            f"{shown(header)} names its data {named[:80]!r}: not the name of one file beside it.",
            "Save it as one file (.nrrd or .mha).",
        )
    try:
        return files.enter_context(open_input(header.parent / plain))
    except InputError as error:
        raise InputError(
            f"The data of {shown(header)} are missing: {error.message}", error.hint
        ) from error


def skip_lines(file: BinaryIO, count: int) -> None:
    """Pass over lines, or to the end of the file where there are fewer."""
    while count > 0:
        piece = file.readline(_PIECE)
        if not piece:
            return
        count -= piece.endswith(b"\n")
