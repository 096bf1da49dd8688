"""Names that stand for themselves on every file system: of bundles, and of the files in them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
# https://learn.microsoft.com/windows/win32/fileio/naming-a-file: devices, whatever the ending.
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


def is_portable(name: str) -> bool:
    """Whether a file or folder of this name can be made everywhere and is then called so.

    Windows drops a dot at the end, and takes some names for devices.
    """
    return bool(_NAME.fullmatch(name)) and not name.endswith(".") and not _DEVICE.fullmatch(name)


def safe_path(text: Any) -> PurePosixPath | None:
    """`text` as a path inside the bundle, or None: no root, drive, backslash, `..`, hidden part."""
    if not isinstance(text, str) or len(text) > 200:
        return None
    return PurePosixPath(text) if all(map(is_portable, text.split("/"))) else None
