"""A Python package as if it were not installed."""

from __future__ import annotations

import sys
from collections.abc import Collection

import pytest


class _Absent:
    """Answers for one package, before all other finders, as Python does where there is none."""

    def __init__(self, package: str) -> None:
        self._package = package

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(".")[0] == self._package:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def make_absent(package: str, users: Collection[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the package be absent until the test ends, without a process of its own.

    Args:
        package: the name that is imported.
        users: modules that import it, directly or not: they are imported anew.
        monkeypatch: takes it all back.
    """
    for name in list(sys.modules):
        if name in users or name.partition(".")[0] == package:
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "meta_path", [_Absent(package), *sys.meta_path])
