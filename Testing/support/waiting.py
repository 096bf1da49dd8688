"""Waiting for what happens in other processes, with the event loop running; and seeing them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import qt


def waitFor(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Let the event loop run until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        qt.QCoreApplication.processEvents()
        time.sleep(0.005)


def processesThatMention(word: str) -> list[int]:
    """The processes, zombies and this one apart, whose command line contains the word."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        with contextlib.suppress(OSError):
            if word.encode() in (entry / "cmdline").read_bytes():
                found.append(int(entry.name))
    return found
