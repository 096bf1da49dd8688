"""DICOM files of a volume, put into a folder of an errand's own."""

from __future__ import annotations

import os
import shutil
from pathlib import Path


def linkOrCopy(source: Path, target: Path) -> None:
    """A hard link costs nothing; across disks, or where links are not allowed, a copy."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
