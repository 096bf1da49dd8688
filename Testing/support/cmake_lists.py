"""What the CMake lists install, and what they miss."""

from __future__ import annotations

import re
from pathlib import Path

from repository import MODULE


def listed(name: str, file: Path = MODULE / "CMakeLists.txt") -> list[str]:
    """The words of a `set(NAME ...)`."""
    found = re.search(rf"set\({name}\s+(.*?)\)", file.read_text(encoding="utf-8"), re.DOTALL)
    assert found, name
    return [word.replace("${MODULE_NAME}", "PETAnomaly") for word in found.group(1).split()]


def missing_from_cmake(module: Path) -> list[str]:
    """Files below a module's folder that its lists do not name, or name though they are not there.

    Args:
        module: the folder that holds PETAnomaly.py and its CMakeLists.txt.
    """
    files = [path for path in module.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    there = {
        path.relative_to(module).as_posix()
        for path in files
        if path.name != "CMakeLists.txt"
        and path.parent.suffix != ".egg-info"  # pip's, where it was installed with -e
    }
    lists = module / "CMakeLists.txt"
    scripts, others = (
        set(listed(name, lists)) for name in ("MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES")
    )
    of_python = {name for name in there if name.endswith(".py")}
    return sorted((of_python ^ scripts) | ((there - of_python) ^ others))
