"""`index.html` of a cohort: one page that a browser opens from the disk, without a network.

A table of all studies that sorts and filters, with each study's picture, what was said of it and
links to its files. The rows stand in the page itself: without scripts they can be read as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from html import escape
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from PETAnomalyLib.engine.cohorts.record import DONE, FAILED, WAITING, StudyRow
from PETAnomalyLib.engine.runtime.output import write_whole
from PETAnomalyLib.engine.runtime.printable import printable

PAGE = "index.html"
_FILES = ("findings.csv", "report.json", "segmentation.seg.nrrd")


class _Column(NamedTuple):
    """A column of the table.

    Attributes:
        title: its heading.
        is_number: sorted as numbers.
        value: of a row, as it is shown and sorted.
    """

    title: str
    is_number: bool
    value: Callable[[StudyRow], str]


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{value:.{digits}f}"


_COLUMNS = (
    _Column("Patient", False, lambda row: row.patient),
    _Column("Study", False, lambda row: row.study),
    _Column("State", False, lambda row: row.state),
    _Column("Findings", True, lambda row: _number(row.findings, 0)),
    _Column("TMTV (ml)", True, lambda row: _number(row.tmtv_ml, 1)),
    _Column("TLG (g)", True, lambda row: _number(row.tlg_g, 1)),
    _Column("Seconds", True, lambda row: _number(row.seconds, 0)),
    _Column("What was said", False, lambda row: row.error or row.warnings),
)


def write_index(out: Path, rows: Sequence[StudyRow]) -> None:
    """Write the page.

    Args:
        out: the cohort's folder.
        rows: of all its studies.
    """
    count = Counter(row.state for row in rows)
    states = [state for state in (DONE, FAILED, WAITING) if count[state]]
    write_whole(
        out / PAGE,
        _TEMPLATE.format(
            style=_STYLE,
            script=_SCRIPT,
            summary=", ".join(f"{count[state]} {state}" for state in states),
            states="".join(f'<option value="{s}">{s} ({count[s]})</option>' for s in states),
            headings="".join(_heading(column) for column in _COLUMNS),
            rows="\n".join(map(_row, rows)),
        ),
    )


def _heading(column: _Column) -> str:
    title = escape(column.title)
    return f'<th scope="col"{_kind(column)}><button type="button">{title}</button></th>'


def _kind(column: _Column) -> str:
    return ' class="number"' if column.is_number else ""


def _row(row: StudyRow) -> str:
    cells = "".join(f"<td{_kind(column)}>{_text(column.value(row))}</td>" for column in _COLUMNS)
    return f'<tr class="{row.state}"><td>{_picture(row)}</td>{cells}<td>{_links(row)}</td></tr>'


def _picture(row: StudyRow) -> str:
    if row.state != DONE:
        return ""
    place = escape(f"{quote(row.study)}/overview.png")
    return f'<a href="{place}"><img src="{place}" alt="overview" loading="lazy"></a>'


def _links(row: StudyRow) -> str:
    if row.state != DONE:
        return ""
    folder = quote(row.study)
    links = [("folder", f"{folder}/"), *((name, f"{folder}/{name}") for name in _FILES)]
    return " ".join(f'<a href="{escape(place)}">{escape(name)}</a>' for name, place in links)


def _text(value: str) -> str:
    return escape(printable(value))


# Nothing is loaded but pictures beside the page: a patient's name in the table can do nothing.
_TEMPLATE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; img-src 'self' file:; style-src 'unsafe-inline';
 script-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width">
<title>PETAnomaly: {summary}</title>
<style>{style}</style>
</head>
<body>
<h1>Studies <small>{summary}</small></h1>
<p class="tools">
<input id="words" type="search" placeholder="patient, study, words of a warning ..."
 aria-label="Show the rows with these words">
<select id="state" aria-label="State"><option value="">all states</option>{states}</select>
<span id="shown" role="status"></span>
<a href="studies.csv">studies.csv</a> <a href="findings.csv">findings.csv</a>
</p>
<table>
<thead><tr><th scope="col"></th>{headings}<th scope="col">Files</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
<footer>Anomalies are no diagnosis. For research use only.</footer>
<script>{script}</script>
</body>
</html>
"""

_STYLE = """
:root { color-scheme: light dark; font: 15px/1.45 system-ui, sans-serif; }
body { margin: 1.5rem; }
h1 { font-size: 1.3rem; margin: 0 0 .8rem; }
small, footer { font-size: .85rem; font-weight: normal; opacity: .7; }
.tools { display: flex; flex-wrap: wrap; gap: .7rem; align-items: center; }
.tools input { flex: 0 1 24rem; }
.tools input, .tools select { font: inherit; padding: .3rem .5rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .45rem .6rem; }
tr { border-bottom: 1px solid color-mix(in srgb, currentcolor 18%, transparent); }
thead th { position: sticky; top: 0; background: Canvas; white-space: nowrap; }
th button { all: unset; cursor: pointer; font-weight: 600; }
th button:focus-visible { outline: 2px solid Highlight; outline-offset: 2px; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.failed td:nth-child(4) { font-weight: 600; color: #c0392b; }
.waiting { opacity: .6; }
td:nth-child(9) { max-width: 34rem; overflow-wrap: anywhere; }
td img { width: 150px; height: 100px; object-fit: contain; background: #111; }
footer { margin-top: 1rem; }
"""

_SCRIPT = """
"use strict";
const table = document.querySelector("table"), body = table.tBodies[0];
const rows = Array.from(body.rows, element => ({
  element,
  state: element.className,
  cells: Array.from(element.cells, cell => cell.textContent),
}));
for (const row of rows) row.text = row.cells.join(" ").toLowerCase();
const words = document.getElementById("words"), state = document.getElementById("state");
const names = new Intl.Collator(undefined, {numeric: true, sensitivity: "base"});

function filter() {
  const wanted = words.value.toLowerCase().split(/\\s+/).filter(word => word);
  let count = 0;
  for (const row of rows) {
    const fits = (!state.value || row.state === state.value)
      && wanted.every(word => row.text.includes(word));
    row.element.hidden = !fits;
    count += fits;
  }
  document.getElementById("shown").textContent = `${count} of ${rows.length} studies`;
}

function sort(heading) {
  const column = heading.cellIndex, isNumber = heading.classList.contains("number");
  const now = heading.getAttribute("aria-sort");
  // The largest first, names from A; the other way round at the second click.
  const descending = now ? now === "ascending" : isNumber;
  for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", descending ? "descending" : "ascending");
  rows.sort((one, two) => {
    const a = one.cells[column], b = two.cells[column];
    if (!a || !b) return !a - !b; // what is not known comes last
    const order = isNumber ? a - b : names.compare(a, b);
    return descending ? -order : order;
  });
  body.append(...rows.map(row => row.element));
}

words.addEventListener("input", filter);
state.addEventListener("input", filter);
for (const button of table.tHead.querySelectorAll("button"))
  button.addEventListener("click", () => sort(button.parentElement));
filter();
"""
