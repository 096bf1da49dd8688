"""Whether an error is that of a Python package which is there and cannot be used.

As where the folder on PYTHONPATH holds somebody's own `numpy.py`, or where a shared library that a
package needs is gone: such packages raise whatever they like.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType, TracebackType

_OURS = "PETAnomalyLib"


@dataclass(frozen=True)
class BrokenPackage:
    """A package that cannot be used.

    Attributes:
        name: as it is imported.
        reason: what it raised, one line.
        file: where.
    """

    name: str
    reason: str
    file: str


def broken_package(error: BaseException) -> BrokenPackage | None:
    """The package whose import failed, or which lacks what every version has; None if neither."""
    lines = str(error).strip().splitlines()
    reason = f"{type(error).__name__}: {lines[0] if lines else ''}"[:300].rstrip(": .")
    lacking = getattr(error, "obj", None) if isinstance(error, AttributeError) else None
    if isinstance(lacking, ModuleType):
        name = lacking.__name__.split(".")[0]
        file = getattr(lacking, "__file__", None) or "no file"
        return None if name == _OURS else BrokenPackage(name, reason, file)
    steps = list(_steps(error))
    ours = [n for n, step in enumerate(steps) if _package_of(step) == _OURS]
    if not ours or _imported_at(steps[ours[-1]]) in ("", _OURS):
        return None
    # The import that failed: the deepest module that was being read, or was not found by it.
    reading = [n for n in range(ours[-1], len(steps)) if n == ours[-1] or _is_module(steps[n])][-1]
    step = steps[reading]
    name = (_imported_at(step) if step is steps[-1] else "") or _package_of(step)
    if name == _OURS:
        name = _imported_at(step)
    if isinstance(error, SyntaxError) and error.filename:
        file = error.filename
    elif reading == ours[-1]:
        file = getattr(sys.modules.get(name), "__file__", None) or "no file"
    else:
        file = step.tb_frame.f_code.co_filename
    return BrokenPackage(name, reason, file)


def _steps(error: BaseException) -> Iterator[TracebackType]:
    step = error.__traceback__
    while step is not None:
        yield step
        step = step.tb_next


def _package_of(step: TracebackType) -> str:
    return str(step.tb_frame.f_globals.get("__name__", "")).split(".")[0]


def _is_module(step: TracebackType) -> bool:
    return step.tb_frame.f_code.co_name == "<module>"


def _imported_at(step: TracebackType) -> str:
    """The package that a frame was importing; empty if it was doing anything else."""
    name = ""
    for instruction in dis.get_instructions(step.tb_frame.f_code):
        if instruction.opname == "IMPORT_NAME":
            name = str(instruction.argval).split(".")[0]
        if instruction.offset == step.tb_lasti:
            return name if instruction.opname in ("IMPORT_NAME", "IMPORT_FROM") else ""
    return ""
