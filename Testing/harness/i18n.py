"""The module ``slicer.i18n``: the bench speaks English, so every text is its own translation."""

from __future__ import annotations

from pathlib import Path

__all__ = ["getContext", "tr", "translate"]


def translate(_context: str, text: str) -> str:
    return text


def getContext(sourceFile: str) -> str:
    path = Path(sourceFile)
    inPackage = (path.parent / "__init__.py").is_file()
    return f"{path.parent.name}.{path.stem}" if inPackage else path.stem


def tr(text: str) -> str:
    return text
