"""The engine's events (`engine/runtime/events.py`), read from the bytes of a pipe.

Into the same pipe writes whatever the engine loads: a line is an event only when it is one to the
last key, and never the cause of an exception.
"""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

LONGEST_LINE = 1 << 20  # characters; nobody says more at once
LONGEST_SECONDS = 1e9

TEXTS = {
    "stage": ("name", "label"),
    "log": ("level", "message"),
    "result": ("dir",),
    "error": ("kind", "message"),
}
"""Event -> those of its keys that are text; beside these there is `progress`."""


class LineSplitter:
    r"""Bytes in, lines out, at any boundary: UTF-8 with replacement, ended by \n, \r or both."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now, without empty ones; one without an end is cut."""
        text = self._rest + self._decoder.decode(data)
        *lines, self._rest = re.split(r"[\r\n]", text)
        if len(self._rest) > LONGEST_LINE:
            lines.append(self._rest)
            self._rest = ""
        return [line for line in lines if line.strip()]

    def finish(self) -> list[str]:
        """The last line, when nothing ended it."""
        last = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        return [last] if last.strip() else []


def parseEvent(line: str) -> dict[str, Any] | None:
    """The event of a line: `progress` with a `fraction` from 0 to 1 and `eta_s`, None where it is
    not known; the others with their `TEXTS`, an `error` with a `hint`. None for any other line.
    """
    event = parseObject(line)
    kind = event.get("event")
    if kind == "progress":
        fraction = numberIn(event.get("fraction"), 1.0)
        rest = numberIn(event.get("eta_s"), LONGEST_SECONDS)
        return None if fraction is None else {"event": kind, "fraction": fraction, "eta_s": rest}
    if not isinstance(kind, str) or kind not in TEXTS:
        return None
    texts = {key: event.get(key) for key in TEXTS[kind]}
    if not all(isinstance(text, str) for text in texts.values()):
        return None
    if kind == "error":
        hint = event.get("hint")
        texts["hint"] = hint if isinstance(hint, str) else ""
    return {"event": kind, **texts}


def groupOf(line: str) -> int | None:
    """What the watchdog says can be killed: its group (POSIX) or process (Windows)."""
    event = parseObject(line)
    group = event.get("group")
    if event.get("event") != "process" or type(group) is not int:
        return None
    return group if 1 < group < 1 << 32 else None


def parseObject(line: str) -> dict[str, Any]:
    """The JSON object that a line is; empty for any other line."""
    if not line.startswith("{"):
        return {}
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def numberIn(value: Any, highest: float) -> float | None:
    """A number from 0 to `highest`; None for anything else, such as NaN."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if 0 <= value <= highest else None
