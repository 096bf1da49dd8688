"""A file written where the radiologist wants it, and whether it was."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _


def isWritten(path: Path, write: Callable[[Path], None], refusal: str) -> bool:
    """Write a file, and say that it is there, or why it is not.

    Args:
        path: where.
        write: does it; an OSError of its own is what is said.
        refusal: translated, with `{path}` and `{why}`.
    """
    try:
        write(path)
    except OSError as error:
        slicer.util.errorDisplay(refusal.format(path=path, why=error.strerror or error))
        return False
    slicer.util.showStatusMessage(_("Written: {path}").format(path=path), 5000)
    return True
