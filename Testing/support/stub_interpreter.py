"""Interpreters that are shell scripts."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from PETAnomalyLib.panel.environment.interpreter import Interpreter


def script(path: Path, text: str) -> Interpreter:
    path.write_text("#!/bin/sh\n" + text, encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return Interpreter(str(path), dict(os.environ), foreign=True)
