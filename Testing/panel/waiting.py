"""Waiting for what happens in other processes, with the event loop running."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import qt


def waitFor(condition: Callable[[], Any], seconds: float = 20.0) -> None:
    """Let the event loop run until the condition holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        qt.QCoreApplication.processEvents()
        time.sleep(0.005)
