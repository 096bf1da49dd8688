"""Tables 2 to 4 for people: parts with the paper's figures beside ours, and the tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from PETAnomalyLib.engine.evaluation.comparison import Comparison
from PETAnomalyLib.engine.evaluation.slices.heads import IN_WORDS
from PETAnomalyLib.engine.evaluation.slices.paper_rows import TableRow
from PETAnomalyLib.engine.evaluation.slices.slice_table import Figure, Judged, SliceTable
from PETAnomalyLib.engine.evaluation.tables import p_value, table, with_interval


class Column(NamedTuple):
    """A column of a part: ours, and the paper's beside it where it has one."""

    title: str
    measure: str
    has_paper: bool = True


def part_as_markdown(
    found: SliceTable,
    part: str,
    heads: str,
    columns: Sequence[Column],
    extra: Mapping[str, Sequence[str]] | None = None,
) -> str:
    """The rows of a part that have a figure, the paper's in columns of their own.

    Args:
        found: the table.
        part, heads: of it.
        columns: measures.
        extra: title of a further column -> its texts, in the order of the table's rows.
    """
    extra = extra or {}
    titles = ["Approach", *extra]
    for column in columns:
        titles += [column.title, "paper"] if column.has_paper else [column.title]
    further_rows = [*found.normative, *found.plain]
    rows = [*found.rows, *(TableRow(name, None, None) for name in further_rows)]
    lines, last = [], ""
    for number, row in enumerate(rows):
        cells, has_any = [], False
        for column in columns:
            key = (part, heads, column.measure)
            figure, printed = found.figure(row.name, key), row.printed(key)
            has_any |= figure.ours is not None or printed is not None
            cells.append(_ours(figure))
            if column.has_paper:
                cells.append("" if printed is None else str(printed))
        if has_any:
            further = [texts[number] if number < len(texts) else "" for texts in extra.values()]
            # Of several rows of one name that the paper has, each has its own figures.
            lines.append([row.name if row.name != last else "", *further, *cells])
            last = row.name
    return table(titles, lines)


def claims_as_markdown(judged: Sequence[Judged]) -> str:
    """What the paper says, whether it holds here, and the tests."""
    if not judged:
        return "The models that the paper's claims are about were not given.\n"
    lines = []
    for one in judged:
        part, heads, measure = one.claim.key
        place = f"before {one.claim.over}" if one.claim.over else one.claim.place
        said = f"{one.claim.row} {place}: {part}, {in_words(heads)}, {measure}"
        for number, test in enumerate(one.tests):
            lines.append([
                said if number == 0 else "",
                ("holds" if one.holds else "does not hold") if number == 0 else "",
                f"{test.first} - {test.second}", *_tested(test),
            ])  # fmt: skip
    return table(["the paper says", "here", "tested", *_TESTED], lines)


def against_plain_as_markdown(tests: Mapping[str, Sequence[Comparison]]) -> str:
    """The best model of each kind of heads against plain intensity.

    Args:
        tests: heads -> `best_against_plain`.
    """
    lines = [
        [in_words(heads), test.first, test.second, *_tested(test)]
        for heads, some in tests.items()
        for test in some
    ]
    return table(["heads", "best model", "against", *_TESTED], lines)


def in_words(heads: str) -> str:
    """A kind of heads for people."""
    return IN_WORDS.get(heads, heads)


def _ours(figure: Figure) -> str:
    if figure.ours is None:
        return "-"
    text = with_interval(figure.ours)
    return text if figure.spread is None else f"{text} ± {figure.spread:.3f}"


_TESTED = ("difference", "mean of heads", "p")


def _tested(test: Comparison) -> tuple[str, str, str]:
    """Pixels pooled, and the heads' own values, which p is of: both may differ in sign."""
    own = f"{test.mean_difference:+.3f}" if test.studies else ""
    return _difference(test), own, p_value(test.p)


def _difference(test: Comparison) -> str:
    interval = "" if test.low is None else f" ({test.low:+.3f} to {test.high:+.3f})"
    return f"{test.difference:+.3f}{interval}"
