"""JSON objects with one thing changed."""

from __future__ import annotations

import copy
from typing import Any


def changed(whole: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """A copy with the dotted key replaced, or removed where `value` is `...`."""
    whole = copy.deepcopy(whole)
    *path, last = key.split(".")
    place = whole
    for part in path:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return whole
