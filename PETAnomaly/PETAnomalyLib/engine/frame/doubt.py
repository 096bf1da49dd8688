"""What speaks against a study's fit to its model, or against a CT's to its PET."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PETAnomalyLib.engine.runtime.errors import InputError

_ANYWAY = "'petanomaly detect --anyway', or the panel under Advanced, goes on all the same."


@dataclass(frozen=True)
class Doubt:
    """One thing that does not fit.

    Attributes:
        message: what, in a sentence.
        hint: what to do, or what to look at.
        refused: nothing sensible can come of it, unless the user knows better.
    """

    message: str
    hint: str
    refused: bool


def spoken(doubts: Sequence[Doubt], anyway: bool) -> tuple[str, ...]:
    """The doubts as warnings.

    Args:
        doubts: the plainest first.
        anyway: the user goes on after any refusal.

    Raises:
        InputError: one of them is refused, and not `anyway`.
    """
    for doubt in doubts:
        if doubt.refused and not anyway:
            raise InputError(doubt.message, f"{doubt.hint} {_ANYWAY}")
    return tuple(f"{doubt.message} {doubt.hint}".rstrip() for doubt in doubts)
