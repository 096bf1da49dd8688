"""The engine's events (`engine/runtime/events.py`), read from the bytes of a pipe."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any

REQUIRED_KEYS = {
    "process": ("group",),  # the watchdog's: what to kill
    "stage": ("name", "label"),
    "progress": ("fraction",),
    "log": ("level", "message"),
    "result": ("dir",),
    "error": ("kind", "message"),
}


class LineSplitter:
    r"""Bytes in, lines out, at any boundary: UTF-8 with replacement, ended by \n, \r or both."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")
        self._rest = ""

    def feed(self, data: bytes) -> list[str]:
        """The lines that are complete now, without empty ones."""
        text = self._rest + self._decoder.decode(data)
        *lines, self._rest = re.split(r"[\r\n]", text)
        return [line for line in lines if line.strip()]

    def finish(self) -> list[str]:
        """The last line, when nothing ended it."""
        last = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        return [last] if last.strip() else []


def parseEvent(line: str) -> dict[str, Any] | None:
    """The event of a line, None for a line that is none (or one we do not know)."""
    if not line.startswith("{"):
        return None
    try:
        event = json.loads(line)
    except ValueError:
        return None
    keys = REQUIRED_KEYS.get(str(event.get("event")))
    if keys is None or not all(key in event for key in keys):
        return None
    if event["event"] == "progress" and not isinstance(event["fraction"], (int, float)):
        return None
    return event
