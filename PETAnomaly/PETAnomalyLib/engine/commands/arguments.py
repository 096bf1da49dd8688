"""What the values on the command line must be. Each complaint says what is allowed."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.bundles.kinds import SCORERS
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.output import require_outside_models, require_utf8

COHORT = "DIR/<patient>/<study>/{SUV,CTres,SEG}.nii.gz, an nnU-Net folder or a CSV list"
EVENTS = "tell progress as JSON lines on stdout"
"""The forms of a cohort, for help texts."""

Subcommands = Any  # argparse keeps the type of its subparsers to itself


def path(text: str) -> Path:
    """A path that is not empty."""
    if not text.strip():
        raise argparse.ArgumentTypeError("the path is empty")
    return Path(text)


def new_path(text: str) -> Path:
    """A place to write to, in no model; ITK ends the process where a name is not UTF-8."""
    place = path(text)
    try:
        require_utf8(place)
        require_outside_models(place)
    except InputError as error:
        raise argparse.ArgumentTypeError(error.message) from error
    return place


def whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    """A whole number from `lowest` to `highest`."""

    def check(text: str) -> int:
        if not re.fullmatch(r"[+-]?\d+", text) or not lowest <= int(text) <= highest:
            raise argparse.ArgumentTypeError(
                f"{text!r} is not a whole number from {lowest} to {highest}"
            )
        return int(text)

    return check


def number(lowest: float = -math.inf, highest: float = math.inf) -> Callable[[str], float]:
    """A finite number from `lowest` to `highest`."""
    limits = {
        (False, False): "",
        (True, False): f" of at least {lowest:g}",
        (False, True): f" of at most {highest:g}",
        (True, True): f" from {lowest:g} to {highest:g}",
    }[math.isfinite(lowest), math.isfinite(highest)]

    def check(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not (math.isfinite(value) and lowest <= value <= highest):
            raise argparse.ArgumentTypeError(f"{text!r} is not a number{limits}")
        return value

    return check


def scorer(text: str) -> str:
    """The name of a scorer."""
    if text not in SCORERS:
        raise argparse.ArgumentTypeError(
            f"there is no scorer {text!r}; there are {', '.join(SCORERS)}"
        )
    return text


def device(text: str) -> str:
    """`auto`, `cpu`, `cuda`, `cuda:` and a number, or `mps`. Whether it is there shows later."""
    if not re.fullmatch(r"auto|cpu|mps|cuda(:\d{1,3})?", text):
        raise argparse.ArgumentTypeError(
            f"there is no device {text!r}; there are auto, cpu, cuda, cuda:0, cuda:1 ..., mps"
        )
    return text


def shard(text: str) -> tuple[int, int]:
    """`I/N`: the I-th of N parts, counted from 1."""
    found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
    if found and 1 <= int(found[1]) <= int(found[2]):
        return int(found[1]), int(found[2])
    raise argparse.ArgumentTypeError(
        f"{text!r} is not I/N with I from 1 to N, as 3/20 for the third of twenty parts"
    )
