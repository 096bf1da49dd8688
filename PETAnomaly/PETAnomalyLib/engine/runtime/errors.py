"""The errors a user can meet, each with its exit code, its cause and its remedy.

Everything that a user can get wrong raises `PETAnomalyError` or one of its kinds; the command line
turns it into one `error` event and the exit code below. Any other exception is a bug (exit code 1).
"""

from __future__ import annotations


class PETAnomalyError(Exception):
    """Something the user can act on.

    Args:
        message: what was wrong and where, one sentence.
        hint: what to do about it, one sentence.

    Attributes:
        kind: a stable word for programs, written into the `error` event.
        exit_code: what the command line exits with.
    """

    kind = "input"
    exit_code = 2

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(PETAnomalyError):
    """An image, a folder, a setting or a bundle that cannot be used as it is."""


class BundleError(PETAnomalyError):
    """A pretrained model folder that is incomplete, changed, unknown or hostile."""

    kind = "bundle"


class OutOfMemoryError(PETAnomalyError):
    """Memory ran out on the graphics card and again after falling back."""

    kind = "memory"
    exit_code = 3


class Cancelled(PETAnomalyError):  # noqa: N818 - it is an outcome, not a fault
    """The user, or the program that started this one, asked it to stop."""

    kind = "cancelled"
    exit_code = 4


class StudiesFailedError(PETAnomalyError):
    """Some studies of a cohort failed; the others are done."""

    kind = "cohort"
    exit_code = 5
