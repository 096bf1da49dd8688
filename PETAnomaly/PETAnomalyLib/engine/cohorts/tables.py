"""`studies.csv` and `findings.csv` of a cohort."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path

from PETAnomalyLib.engine.cohorts.record import DONE, StudyRow
from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.engine.frame.region_atlas import COLUMN as SITE
from PETAnomalyLib.engine.runtime.output import write_whole

_OF_FINDING = tuple(one.name for one in fields(Finding))


def write_tables(out: Path, rows: Sequence[StudyRow]) -> None:
    """Write both, whole.

    Args:
        out: the cohort's folder.
        rows: of all its studies.
    """
    columns = [one.name for one in fields(StudyRow)]
    write_whole(out / "studies.csv", _as_csv(columns, [asdict(row) for row in rows]))
    found = [
        {"patient": row.patient, "study": row.study, **finding}
        for row in rows
        if row.state == DONE
        for finding in _findings(out / row.study / "findings.csv")
    ]
    placed = [SITE] if any(SITE in finding for finding in found) else []
    write_whole(out / "findings.csv", _as_csv(["patient", "study", *_OF_FINDING, *placed], found))


def _findings(table: Path) -> list[dict[str, str]]:
    try:
        with table.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except OSError:  # taken away while the cohort is worked on
        return []


def _as_csv(columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()
