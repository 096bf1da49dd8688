"""Programs of the system that some tests use as they are: archives, validators."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

EVERYTHING = "PETANOMALY_TEST_EVERYTHING"
"""Set by `make test-all`, where what is missing is a failure and not skipped."""


def program(name: str, package: str) -> str:
    """Path of a program; without it the test is skipped, or fails where everything must run.

    Args:
        name: as it is called.
        package: of Debian, see Testing/system_libraries.sh.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        missing(f"{name} is not installed (Debian: {package})")
    return found


def file(path: Path, package: str) -> Path:
    """A file of a package; see `program`."""
    if not path.exists():
        missing(f"{path} is not there (Debian: {package})")
    return path


def missing(what: str) -> NoReturn:
    """Skip the test, or let it fail where everything must run."""
    if os.environ.get(EVERYTHING):
        pytest.fail(f"{what}; sh Testing/system_libraries.sh programs installs it")
    pytest.skip(what)
