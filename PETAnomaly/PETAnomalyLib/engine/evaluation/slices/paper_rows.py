"""Rows of a paper's table, and which of our models stands in which.

A row names the family whose model it is, and the sizes in its manifest that make it that one: data
of the papers, in `paper2_figures.py` to `paper4_figures.py`. Nothing here knows a family.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from PETAnomalyLib.engine.bundles.bundle import Bundle

Key = tuple[str, str, str]
"""Part of the table, heads, measure."""


@dataclass(frozen=True)
class Printed:
    """A figure as a paper prints it: value, and the spread where it gives one."""

    value: float
    spread: float | None = None
    digits: int = 4

    def __str__(self) -> str:
        texts = [
            f"{part:.{self.digits}f}" for part in (self.value, self.spread) if part is not None
        ]
        return " ± ".join(texts)


@dataclass(frozen=True)
class PaperRow:
    """One row.

    Attributes:
        name: as the paper has it.
        family: of ours that is the same model; "" where there is none.
        sizes: of its networks, that the model of this row has; of several rows of a family the one
            that fits is taken, and the first where none does.
        figures: what the paper gives.
        size: the row's sizes in words, where the paper has several of them.
    """

    name: str
    family: str = ""
    sizes: Mapping[str, Any] = field(default_factory=dict)
    figures: Mapping[Key, Printed] = field(default_factory=dict)
    size: str = ""


@dataclass(frozen=True)
class TableRow:
    """One row of our table.

    Attributes:
        name: the paper's, with the model's where several have it; the model's where none has.
        model: ours; None where none was given.
        paper: the paper's row; None where it has none.
    """

    name: str
    model: Bundle | None
    paper: PaperRow | None

    def printed(self, key: Key) -> Printed | None:
        """The paper's figure."""
        return None if self.paper is None else self.paper.figures.get(key)


def rows_of(
    models: Sequence[Bundle], main: Sequence[PaperRow], others: Sequence[PaperRow] = ()
) -> list[TableRow]:
    """The rows of a table, in the order of the paper, then models that it does not have.

    Args:
        models: in the order in which they shall stand within a row of the paper.
        main: the rows of the table; each stands there, with a model or without.
        others: of the same paper's other tables, that a model may be instead.
    """
    rows: list[TableRow] = []
    taken = [_row_of(model, [*main, *others]) for model in models]
    families = dict.fromkeys(row.family or row.name for row in main)
    for family in families:
        of_paper = [row for row in main if (row.family or row.name) == family]
        ours = [(model, row) for model, row in zip(models, taken) if row and row.family == family]
        rows += [TableRow(row.name, model, row) for model, row in ours]
        if not ours:
            rows += [TableRow(row.name, None, row) for row in of_paper]
    rows += [TableRow(model.name, model, None) for model, row in zip(models, taken) if row is None]
    return told_apart(rows)


def told_apart(rows: Sequence[TableRow]) -> list[TableRow]:
    """Rows of several models that would have one name, with the models' names."""
    twice = Counter(row.name for row in rows if row.model)
    return [
        TableRow(f"{row.name}: {row.model.name}", row.model, row.paper)
        if row.model and row.paper and twice[row.name] > 1
        else row
        for row in rows
    ]


def row_of_these_sizes(model: Bundle, rows: Sequence[PaperRow]) -> PaperRow | None:
    """The row of a model of just these sizes."""
    sizes: dict[str, Any] = {}
    for part in model.healer.values():
        sizes.update(part if isinstance(part, Mapping) else {})
    fitting = [
        row
        for row in rows
        if row.family == model.healer["family"]
        and row.sizes
        and all(sizes.get(name) == value for name, value in row.sizes.items())
    ]
    return next(iter(fitting), None)


def _row_of(model: Bundle, rows: Sequence[PaperRow]) -> PaperRow | None:
    family = [row for row in rows if row.family and row.family == model.healer["family"]]
    return row_of_these_sizes(model, rows) or next(iter(family), None)
