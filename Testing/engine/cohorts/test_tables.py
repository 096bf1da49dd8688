"""The findings of a cohort in one table: where studies say a site, so does it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PETAnomalyLib.engine.cohorts.record import DONE, StudyRow
from PETAnomalyLib.engine.cohorts.tables import write_tables
from PETAnomalyLib.engine.findings.measures import Finding, write_csv

FINDING = Finding(1, 9.0, 5.0, 7.0, 2.0, 10.0, 0.0, 0.0, 0.0, 3.0, 2.0, False)


@pytest.mark.parametrize("sites", [("left thorax", ""), ("", ""), None])
def test_sites_of_the_studies_are_those_of_the_cohort(
    tmp_path: Path, sites: tuple[str, str] | None
) -> None:
    names = ("one", "two")
    for index, name in enumerate(names):
        (tmp_path / name).mkdir()
        further = None if sites is None else {"site": [sites[index]]}
        write_csv(tmp_path / name / "findings.csv", [FINDING], further)
    write_tables(tmp_path, [StudyRow("p", name, DONE) for name in names])
    with (tmp_path / "findings.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["study"] for row in rows] == list(names)
    assert [row.get("site") for row in rows] == list(sites or (None, None))
