"""Regular files only: a named pipe, a socket or a device would be waited for, or never end."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import BinaryIO


def open_regular(path: Path) -> BinaryIO:
    """Open a file to read its bytes, from the start.

    Raises:
        OSError: it is not there, cannot be read, or is no regular file.
    """
    # O_NONBLOCK: a named pipe that nobody writes into opens at once, and is then refused.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, most: int) -> bytes:
    """The whole of a file of at most `most` bytes.

    Raises:
        OSError: it is not there, cannot be read, is no regular file or is larger.
    """
    with open_regular(path) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise OSError(errno.EINVAL, f"it is larger than {most} bytes", str(path))
    return content
