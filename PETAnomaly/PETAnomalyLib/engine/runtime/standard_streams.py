"""Standard input, output and error, whatever the starter made of them.

Closed ones (`>&-`, a batch system) are opened on the null device: otherwise the first file that is
opened takes the number, and what is printed goes into it. Full ones are left behind at the end.
"""

from __future__ import annotations

import contextlib
import os
import sys

_NUMBERS = {"stdin": 0, "stdout": 1, "stderr": 2}


def open_standard_streams() -> None:
    """Open those that are closed: nothing is read, and what is written is dropped."""
    for name, number in _NUMBERS.items():
        try:
            os.fstat(number)
        except OSError:
            if os.open(os.devnull, os.O_RDWR) == number:  # the lowest number that is free
                os.set_inheritable(number, True)  # as the standard streams are
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            stream = open(number, mode, encoding="utf-8", errors="replace", closefd=False)  # noqa: SIM115
            setattr(sys, name, stream)


def leave_standard_streams() -> None:
    """Drop what can't be written any more.

    Otherwise the interpreter tries again as it ends, complains, and changes the exit code to 120.
    """
    for name in ("stdout", "stderr"):
        with contextlib.suppress(OSError, ValueError):  # ValueError: it is closed
            try:
                getattr(sys, name).flush()
            except OSError:
                _drop(_NUMBERS[name])
                getattr(sys, name).flush()


def _drop(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, number)
    os.close(nowhere)
