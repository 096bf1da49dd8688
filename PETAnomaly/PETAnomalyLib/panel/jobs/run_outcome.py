"""How a run of the engine ended, and why, in words for the radiologist."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slicer.i18n import tr as _

CANCELLED_EXIT = 4


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        ok: exit code 0, and what was announced with --out is there.
        cancelled: it was stopped, by `cancel` or from outside.
        exitCode: None when it never started or was killed.
        resultDirectory: what --out named, when ok.
        errorKind, errorMessage, errorHint: for the radiologist, when neither ok nor cancelled.
        logText: everything it said that was no event, for the diagnostics.
        seconds: from start to end.
    """

    ok: bool = False
    cancelled: bool = False
    exitCode: int | None = None
    resultDirectory: Path | None = None
    errorKind: str = ""
    errorMessage: str = ""
    errorHint: str = ""
    logText: str = ""
    seconds: float = 0.0


def outcomeOf(
    exitCode: int | None,
    result: Path | None,
    error: dict[str, Any],
    log: Sequence[str],
    cancelled: bool,
    seconds: float,
) -> RunOutcome:
    """Success is exit code 0 and what --out named.

    Args:
        exitCode: None when the process never started or crashed.
        result: what the run is to leave behind; None when nothing was announced.
        error: its error event; empty when it said none.
        log: its lines that were no events.
        cancelled: it was asked to end.
        seconds: from start to end.
    """
    text = "\n".join(log)
    if cancelled or exitCode == CANCELLED_EXIT:
        return RunOutcome(cancelled=True, exitCode=exitCode, logText=text, seconds=seconds)
    if exitCode == 0 and (result is None or result.exists()):
        return RunOutcome(
            ok=True, exitCode=0, resultDirectory=result, logText=text, seconds=seconds
        )
    said = error or explain(exitCode, log, result)
    return RunOutcome(
        exitCode=exitCode,
        errorKind=str(said.get("kind", "")),
        errorMessage=str(said.get("message", "")),
        errorHint=str(said.get("hint", "")),
        logText=text,
        seconds=seconds,
    )


def resultPath(arguments: list[str]) -> Path | None:
    """What the run is to leave behind: the word after --out."""
    for index, word in enumerate(arguments[:-1]):
        if word == "--out":
            return Path(arguments[index + 1])
    return None


def explain(exitCode: int | None, log: Sequence[str], result: Path | None) -> dict[str, str]:
    """An error for the radiologist where the engine has not said one itself."""
    missing = [re.search(r"No module named '([\w.]+)'", line) for line in log]
    packages = [found.group(1) for found in missing if found]
    if packages:
        return {
            "kind": "environment",
            "message": _("The Python package {package} is missing.").format(package=packages[-1]),
            "hint": _("Click Install under Advanced, or choose another Python there."),
        }
    hint = _("Copy the diagnostics and report them; a second try may work.")
    if exitCode == 0:
        message = _("The engine ended without leaving {folder}.").format(folder=result)
    elif exitCode is None:
        message = _("The engine was killed or crashed, perhaps for want of memory.")
    else:
        message = _("The engine ended unexpectedly (exit code {code}).").format(code=exitCode)
        if log:
            message += f" {log[-1].strip()}"
    return {"kind": "engine", "message": message, "hint": hint}
