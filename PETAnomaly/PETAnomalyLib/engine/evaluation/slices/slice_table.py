"""A table of papers 2 to 4 with ours beside it: figures, paired tests, and the files they go to.

`<name>.md` is for people, `<name>.csv` has one line a figure, `<name>.json` everything: the values
of each study, the tests, thresholds and the hashes of the models.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.evaluation.comparison import Comparison, Estimate, Measured
from PETAnomalyLib.engine.evaluation.slices.paper_rows import Key, Printed, TableRow
from PETAnomalyLib.engine.evaluation.slices.resampling import compared
from PETAnomalyLib.engine.evaluation.tables import write_table


@dataclass(frozen=True)
class Figure:
    """One number of ours, and the paper's.

    Attributes:
        row: of the table: the paper's name, or what plain intensity it is.
        part, heads, measure: what it is of.
        ours: None where we have none.
        spread: standard deviation, of a mean that has one.
        paper: None where the paper has none.
    """

    row: str
    part: str
    heads: str
    measure: str
    ours: Estimate | None
    spread: float | None
    paper: Printed | None


@dataclass(frozen=True)
class Claim:
    """What a paper says of the order of its models.

    Attributes:
        row: its name in the table.
        place: `first` or `last`.
        key: by which figure.
        over: the other row, of a claim about two; "": about all.
    """

    row: str
    place: str
    key: Key
    over: str = ""


@dataclass(frozen=True)
class Judged:
    """A claim on our heads.

    Attributes:
        claim: the paper's.
        holds: whether the row has that place here, too.
        tests: of the row against each other model that it is about.
    """

    claim: Claim
    holds: bool
    tests: list[Comparison]


@dataclass
class SliceTable:
    """Everything that is found.

    Attributes:
        name: `table2`, `table3` or `table4`.
        rows: models, in the order of the paper.
        normative: names of the rows of Z-scores by norms of healthy heads.
        plain: names of the rows of plain intensity.
        ways: (part, heads) -> row -> its measures.
        spreads: (part, heads, measure) -> row -> standard deviation.
        facts: what else belongs into the JSON file.
    """

    name: str
    rows: list[TableRow]
    normative: list[str] = field(default_factory=list)
    plain: list[str] = field(default_factory=list)
    ways: dict[tuple[str, str], dict[str, Measured]] = field(default_factory=dict)
    spreads: dict[Key, dict[str, float]] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def add(self, part: str, heads: str, row: str, found: Measured, **spreads: float) -> None:
        """Enter a row's measures of a part, and the spreads of some of them."""
        self.ways.setdefault((part, heads), {})[row] = found
        for measure, spread in spreads.items():
            self.spreads.setdefault((part, heads, measure), {})[row] = spread

    def figure(self, row: str, key: Key) -> Figure:
        """One number."""
        part, heads, measure = key
        found = self.ways.get((part, heads), {}).get(row)
        of_paper = next((r for r in self.rows if r.name == row), None)
        return Figure(
            row,
            *key,
            ours=None if found is None else found.estimates.get(measure),
            spread=self.spreads.get(key, {}).get(row),
            paper=None if of_paper is None else of_paper.printed(key),
        )

    def judge(self, claims: Sequence[Claim]) -> list[Judged]:
        """Those claims whose row, and another one, has a figure here."""
        found = []
        for claim in claims:
            values = self._values_of([row.name for row in self.rows], claim.key)
            if claim.over:
                two = (claim.row, claim.over)
                values = {n: v for n, v in values.items() if self._paper_name(n) in two}
            rows = [name for name in values if self._paper_name(name) == claim.row]
            if not rows or len(values) < 2:
                continue
            best = max if claim.place == "first" else min
            row = best(rows, key=values.__getitem__)
            found.append(
                Judged(
                    claim,
                    best(values, key=values.__getitem__) == row,
                    [self.test(claim.key, row, other) for other in values if other != row],
                )
            )
        return found

    def best_against_plain(self, key: Key) -> list[Comparison]:
        """The best model by a figure, Z-scores included, against each row of plain intensity."""
        values = self._values_of([*(row.name for row in self.rows), *self.normative], key)
        if not values:
            return []
        best = max(values, key=values.__getitem__)
        return [self.test(key, best, plain) for plain in self.plain]

    def test(self, key: Key, first: str, second: str) -> Comparison:
        """Two rows by one figure."""
        part, heads, measure = key
        return compared(measure, first, second, self.ways[part, heads])

    def normative_row(self, row: str) -> str:
        """The row of a model's Z-scores by its norms of healthy heads."""
        return _once(self.normative, f"{row}, Z-score")

    def plain_row(self, name: str) -> str:
        """A row of plain intensity."""
        return _once(self.plain, name)

    def _values_of(self, rows: Sequence[str], key: Key) -> dict[str, float]:
        part, heads, measure = key
        found = self.ways.get((part, heads), {})
        return {
            row: found[row].estimates[measure].value
            for row in rows
            if row in found and measure in found[row].estimates
        }

    def _paper_name(self, name: str) -> str:
        row = next(row for row in self.rows if row.name == name)
        return "" if row.paper is None else row.paper.name


def _once(names: list[str], name: str) -> str:
    if name not in names:
        names.append(name)
    return name


def write(
    found: SliceTable,
    markdown: str,
    judged: Sequence[Judged],
    against_plain: Mapping[str, Sequence[Comparison]],
    out: Path,
) -> None:
    """The three files into a folder, made if it is missing."""
    out.mkdir(parents=True, exist_ok=True)
    (out / f"{found.name}.md").write_text(markdown, encoding="utf-8")
    keys = dict.fromkeys(
        (part, heads, measure)
        for (part, heads), rows in found.ways.items()
        for one in rows.values()
        for measure in one.estimates
    )
    keys.update(dict.fromkeys(k for r in found.rows if r.paper for k in r.paper.figures))
    names = dict.fromkeys([*(row.name for row in found.rows), *found.normative, *found.plain])
    figures = [
        figure
        for key in keys
        for name in names
        if (figure := found.figure(name, key)).ours is not None or figure.paper is not None
    ]
    whole = {
        "models": {
            row.name: {"name": row.model.name, "sha256": row.model.sha256}
            for row in found.rows
            if row.model is not None
        },
        **found.facts,
        "figures": [asdict(figure) for figure in figures],
        "claims": [asdict(one) for one in judged],
        "against_plain": {
            heads: [asdict(test) for test in tests] for heads, tests in against_plain.items()
        },
    }
    text = json.dumps(whole, indent=2)
    (out / f"{found.name}.json").write_text(text + "\n", encoding="utf-8")
    columns = ["row", "part", "heads", "measure", "value", "low", "high", "spread", "paper",
               "paper_spread"]  # fmt: skip
    write_table(
        out / f"{found.name}.csv",
        columns,
        [
            [one.row, one.part, one.heads, one.measure,
             *((None, None, None) if one.ours is None
               else (one.ours.value, one.ours.low, one.ours.high)),
             one.spread,
             *((None, None) if one.paper is None else (one.paper.value, one.paper.spread))]
            for one in figures
        ],
    )  # fmt: skip
