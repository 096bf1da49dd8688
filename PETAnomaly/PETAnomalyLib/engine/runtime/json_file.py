"""JSON files read whole: what no parser takes, and what would break it, is one error.

A thousand brackets make Python's own parser raise RecursionError; fewer pass it, and break whoever
writes them out again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.runtime.regular_file import read_regular

MOST_BYTES = 1 << 28
"""Far more than any file of ours: an evaluation of a thousand studies has 20 MB."""

DEEPEST = 32
"""Objects and lists in one another; whoever prints them goes down as deep."""


def read_json(path: Path) -> Any:
    """What a JSON file holds.

    Raises:
        OSError: it is not there, cannot be read, or is no regular file.
        ValueError: it is no UTF-8, no JSON, or nested too deep.
    """
    return parse_json(read_regular(path, MOST_BYTES).decode("utf-8"))


def parse_json(text: str, **how: Any) -> Any:
    """What JSON text holds.

    Args:
        text: of one value.
        how: for `json.loads`.

    Raises:
        ValueError: it is no JSON, or nested too deep.
    """
    try:
        found = json.loads(text, **how)
    except RecursionError as error:
        raise ValueError(_TOO_DEEP) from error
    _check_depth(found)
    return found


_TOO_DEEP = f"it is nested more than {DEEPEST} deep"


def _check_depth(found: Any) -> None:
    level, depth = [found], 0
    while level:
        if depth > DEEPEST:
            raise ValueError(_TOO_DEEP)
        inner = [value.values() if isinstance(value, dict) else value for value in level
                 if isinstance(value, (dict, list))]  # fmt: skip
        level, depth = [value for values in inner for value in values], depth + 1
