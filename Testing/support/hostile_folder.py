"""A folder in which somebody has left Python files that say so when they are run."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# What Python's own start takes from the path, before a program has its first line.
_BEFORE_ANY_PROGRAM = {
    "abc", "codecs", "encodings", "io", "os", "site", "sitecustomize", "usercustomize", "stat",
    "posixpath", "ntpath", "genericpath",
}  # fmt: skip
_BEFORE_MINUS_M = {
    "runpy", "importlib", "warnings", "contextlib", "collections", "keyword", "operator",
    "reprlib", "functools", "types", "traceback", "pkgutil", "linecache", "tokenize", "textwrap",
}  # fmt: skip
_PACKAGES = {
    "numpy", "scipy", "torch", "monai", "SimpleITK", "pydicom", "PIL", "safetensors", "nibabel",
    "lightning_fabric", "packaging", "tensorboard", "pip",
}  # fmt: skip


class HostileFolder:
    """Every module of the standard library and every package of ours, each leaving a mark."""

    def __init__(self, folder: Path, by_module: bool = True) -> None:
        """Write the files.

        Args:
            folder: which is made.
            by_module: leave out what `python -m` imports before the module that it shall run.
        """
        self.path = folder
        self._marks = folder.with_name(folder.name + "-marks")
        folder.mkdir()
        left_out = _BEFORE_ANY_PROGRAM | (_BEFORE_MINUS_M if by_module else set())
        names = {name for name in sys.stdlib_module_names if not name.startswith("_")}
        for name in (names | _PACKAGES | {"__future__"}) - left_out - set(sys.builtin_module_names):
            (folder / f"{name}.py").write_text(
                f"with open({str(self._marks)!r}, 'a') as marks:\n"
                f"    marks.write({name!r} + ' ')\n"
                f"raise ImportError('the hostile {name} was imported')\n"
            )

    def marks(self) -> str:
        """The names of those that were run."""
        return self._marks.read_text() if self._marks.exists() else ""

    def environment(self, python_path: str) -> dict[str, str]:
        """The environment of a process that shall be led astray."""
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONSAFEPATH"}
        return {**kept, "PYTHONPATH": python_path, "PYTHONDONTWRITEBYTECODE": "1"}
