"""Processes for which permissions count, also where the tests run as root."""

from __future__ import annotations

import os
import shutil

import pytest


def without_privilege(command: list[str]) -> list[str]:
    """The command, run so that a folder with mode 000 is closed to it; skips where it can't be."""
    if os.name == "nt":
        pytest.skip("permissions of POSIX")
    if os.geteuid() != 0:
        return command
    if shutil.which("setpriv") is None:
        pytest.skip("giving up root's privileges needs setpriv")
    less = "-dac_override,-dac_read_search,-fowner"
    return ["setpriv", f"--bounding-set={less}", f"--inh-caps={less}", *command]
