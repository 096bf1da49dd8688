"""JSON that people or other programs wrote, checked key by key. Nothing is evaluated.

Each check names the file and the key, since the reader of the message will open that file.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PETAnomalyLib.engine.runtime.errors import PETAnomalyError


@dataclass(frozen=True)
class Document:
    """The file that a section stands in.

    Attributes:
        name: as messages call it.
        hint: what to do about a key that is wrong.
        error: the kind of error that is raised.
    """

    name: str
    hint: str
    error: type[PETAnomalyError]


class Section:
    """One object of a JSON file, with its place in it.

    Args:
        values: the parsed JSON, of any type.
        document: the file.
        key: where it stands, dotted; empty for the whole file.

    Raises:
        PETAnomalyError: the document's, from every method, where the key is missing or not what it
            must be.
    """

    def __init__(self, values: Any, document: Document, key: str = "") -> None:
        self.document = document
        self.key = key
        if not isinstance(values, dict):
            raise self.error("", "must be an object")
        self.values: dict[str, Any] = values

    def error(self, name: str, wrong: str) -> PETAnomalyError:
        key = ".".join(part for part in (self.key, name) if part) or "(whole file)"
        message = f"{self.document.name}, key {key}: {wrong}."
        # A hostile key must not reach a terminal as control characters.
        printable = "".join(c if c.isprintable() else "?" for c in message)
        return self.document.error(printable, self.document.hint)

    def value(self, name: str) -> Any:
        if name not in self.values:
            raise self.error(name, "is missing")
        return self.values[name]

    def section(self, name: str) -> Section:
        key = ".".join(part for part in (self.key, name) if part)
        return Section(self.value(name), self.document, key)

    def text(self, name: str, longest: int = 20000) -> str:
        value = self.value(name)
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            raise self.error(name, f"must be text of 1 to {longest} characters")
        if not all(c.isprintable() or c in "\n\t" for c in value):
            raise self.error(name, "holds control characters")
        return value

    def choice(self, name: str, known: Sequence[str]) -> str:
        value = self.value(name)
        if not isinstance(value, str) or value not in known:
            raise self.error(name, f"is {shown(value)}; known here: {', '.join(known)}")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        return float(self._bounded(name, self.value(name), low, high))

    def integer(self, name: str, low: int, high: int) -> int:
        value = self._bounded(name, self.value(name), low, high)
        if not isinstance(value, int):
            raise self.error(name, f"is {shown(value)}; it must be a whole number")
        return value

    def integers(self, name: str, least: int, most: int, low: int, high: int) -> tuple[int, ...]:
        values = self._list(name, least, most)
        if any(isinstance(value, float) for value in values):
            raise self.error(name, f"is {shown(values)}; it must hold whole numbers")
        return tuple(int(self._bounded(name, value, low, high)) for value in values)

    def numbers(
        self, name: str, least: int, most: int, low: float, high: float
    ) -> tuple[float, ...]:
        values = self._list(name, least, most)
        return tuple(float(self._bounded(name, value, low, high)) for value in values)

    def _list(self, name: str, least: int, most: int) -> list[Any]:
        values = self.value(name)
        if not isinstance(values, list) or not least <= len(values) <= most:
            count = f"{least}" if least == most else f"{least} to {most}"
            raise self.error(name, f"must be a list of {count} values")
        return values

    def _bounded(self, name: str, value: Any, low: float, high: float) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise self.error(
                name, f"is {shown(value)}; it must be a number from {low:g} to {high:g}"
            )
        return value  # type: ignore[no-any-return]  # int or float, just checked


def shown(value: Any) -> str:
    """A value as a message can carry it: short, and never failing however odd it is."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 1 << 64:
        return "a huge number"
    if isinstance(value, float) and not math.isfinite(value):
        return "not a finite number"
    text = repr(value) if isinstance(value, (str, int, float, type(None))) else type(value).__name__
    return text if len(text) <= 80 else text[:77] + "..."
