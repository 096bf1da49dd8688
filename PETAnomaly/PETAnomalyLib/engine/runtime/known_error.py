"""What an exception means to the user: every one becomes a `PETAnomalyError`, at worst a bug."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import sys
import traceback
from importlib.machinery import ModuleSpec

from PETAnomalyLib.engine.runtime.broken_package import broken_package
from PETAnomalyLib.engine.runtime.errors import (
    Cancelled,
    InputError,
    OutOfMemoryError,
    PETAnomalyError,
)

DISK_FULL = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})


class MissingPackageError(PETAnomalyError):
    """A Python package that the command needs is not installed, or cannot be used."""

    kind = "missing-package"


def require_package(module: str, package: str, what_for: str, remedy: str) -> ModuleSpec:
    """Where a package lies, which is not imported; refused before minutes are spent.

    Args:
        module: as it is imported.
        package: as people call it.
        what_for: a clause, such as "whose template brain phantoms are made of".
        remedy: the command that installs it.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:
        found = None
    if found is None:
        raise MissingPackageError(
            f"The Python package {package}, {what_for}, is not installed in {sys.executable}.",
            f"Install it there with: {remedy}",
        )
    return found


class BugError(PETAnomalyError):
    """Something that this program should have foreseen."""

    kind = "bug"
    exit_code = 1


def as_known(error: BaseException) -> PETAnomalyError:
    """The error as one of those that a user can understand; of a bug, the traceback is printed."""
    for explain in (_itself, _full_disk, _absent_package, _memory, _broken_package, _place):
        known = explain(error)
        if known is not None:
            return known
    with contextlib.suppress(OSError):  # stderr is full
        traceback.print_exception(type(error), error, error.__traceback__, file=sys.stderr)
    return BugError(
        f"This is a bug in petanomaly: {type(error).__name__}: {error}.",
        "Please report it with the traceback that stands on stderr (in Slicer: in the log).",
    )


def _itself(error: BaseException) -> PETAnomalyError | None:
    if isinstance(error, KeyboardInterrupt):
        return Cancelled("Stopped on request.")
    return error if isinstance(error, PETAnomalyError) else None


def _full_disk(error: BaseException) -> PETAnomalyError | None:
    if not isinstance(error, OSError) or error.errno not in DISK_FULL:
        return None
    where = f" ({os.fsdecode(error.filename)})" if error.filename else ""
    return InputError(
        f"The disk is full{where}.", "Free some space or write to another disk, then try again."
    )


def _absent_package(error: BaseException) -> PETAnomalyError | None:
    if not isinstance(error, ModuleNotFoundError):
        return None
    package, _, part = str(error.name).partition(".")
    if package == "PETAnomalyLib" or (part and package in sys.modules):
        return None
    remedy = "setup_torch.py" if package == "torch" else f"pip install {package}"
    return MissingPackageError(
        f"The Python package {package} is not installed in {sys.executable}.",
        f"Install it there with: {remedy}",
    )


def _memory(error: BaseException) -> PETAnomalyError | None:
    # Libraries written in C++ say so in words only.
    text = str(error).lower()
    phrases = ("out of memory", "can't allocate memory", "failed to allocate memory", "bad_alloc")
    if not isinstance(error, MemoryError) and not any(phrase in text for phrase in phrases):
        return None
    return OutOfMemoryError(
        f"The computer's memory is not enough: {error or 'out of memory'}.",
        "Close other programs, or choose fewer samples and decodes.",
    )


def _broken_package(error: BaseException) -> PETAnomalyError | None:
    package = broken_package(error)
    if package is None:
        return None
    return MissingPackageError(
        f"The Python package {package.name} cannot be used by {sys.executable}: {package.reason} "
        f"({package.file}).",
        f"Install it anew, or take the folder of {package.file} off PYTHONPATH if it is none of "
        "its files.",
    )


def _place(error: BaseException) -> PETAnomalyError | None:
    """Whatever the file system refuses by name is for the user to put right."""
    if not isinstance(error, OSError) or error.filename is None:
        return None
    return InputError(
        f"{os.fsdecode(error.filename)} cannot be read or written: "
        f"{error.strerror or type(error).__name__}.",
        "Check its name, and who may read and write it.",
    )
