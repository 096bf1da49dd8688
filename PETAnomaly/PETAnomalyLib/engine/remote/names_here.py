"""What the other computer says of the study's files, with the names that they have here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from PETAnomalyLib.engine.study.input_path import shown


class NamesHere:
    """Puts the paths of this computer in place of those of the other one.

    Args:
        inputs: `pet`, `ct`, `organs` -> image file or folder here.
        sent: the same -> its name below the folder of the run there, see `study_files`.
    """

    def __init__(self, inputs: Mapping[str, Path], sent: Mapping[str, str]) -> None:
        self._inputs, self._sent = inputs, sent
        self._there: dict[str, str] = {}

    def lie_in(self, folder: Any) -> None:
        """Told of the folder that the files lie in there; what is no absolute path is none."""
        if not isinstance(folder, str) or not PurePosixPath(folder).name or folder[0] != "/":
            return
        for kind, path in self._inputs.items():
            self._there[f"{folder}/{self._sent[kind]}"] = shown(path)
            if self._sent[kind] != kind:  # what lies beside the file
                self._there.setdefault(f"{folder}/{kind}", shown(path.parent))

    def said(self, words: str) -> str:
        """The same sentence with the paths of here."""
        for there in sorted(self._there, key=len, reverse=True):
            words = words.replace(there, self._there[there])
        return words
