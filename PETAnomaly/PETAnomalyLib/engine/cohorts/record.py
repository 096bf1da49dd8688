"""What is known of each study of a cohort: a small file each, from which the tables are made.

`OUT/.studies/` holds them. A study's file is written after its result folder is in place, so that
whoever is killed in between does that study again, and several programs can work on one cohort.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.runtime.json_file import read_json
from PETAnomalyLib.engine.runtime.output import write_whole

FOLDER = ".studies"
DONE, FAILED, WAITING = "done", "failed", "waiting"


@dataclass(frozen=True)
class StudyRow:
    """One row of `studies.csv`; the fields are its columns, in this order.

    Attributes:
        patient: as the cohort names it.
        study: its result folder.
        state: done, failed, or waiting for its turn.
        seconds: that the detection took.
        tmtv_ml, tlg_g: totals of the findings, ml and g (SUVbw).
        findings: how many.
        warnings: all that was said, one after the other.
        error: why it failed, and what to do.
    """

    patient: str
    study: str
    state: str
    seconds: float | None = None
    tmtv_ml: float | None = None
    tlg_g: float | None = None
    findings: int | None = None
    warnings: str = ""
    error: str = ""


@dataclass(frozen=True)
class Record:
    """A row, and of what it was made.

    Attributes:
        row: for the tables.
        inputs: the study's fingerprint.
        settings: all that was asked for, JSON-able.
        model: hash of the bundle.
    """

    row: StudyRow
    inputs: str
    settings: dict[str, Any]
    model: str

    def is_of_same(self, other: Record) -> bool:
        """Whether both are of the same inputs, settings and model."""
        mine, others = ((one.inputs, one.settings, one.model) for one in (self, other))
        return mine == others


def write_record(out: Path, record: Record) -> None:
    """Keep what is known of a study."""
    place = _place(out, record.row.study)
    place.parent.mkdir(parents=True, exist_ok=True)
    write_whole(place, json.dumps(asdict(record), indent=1, ensure_ascii=False) + "\n")


def read_record(out: Path, study: str) -> Record | None:
    """What is known of a study; None where nothing is, or where its file is damaged."""
    try:
        found = read_json(_place(out, study))
        row = StudyRow(**{one.name: found["row"][one.name] for one in fields(StudyRow)})
        return Record(row, found["inputs"], found["settings"], found["model"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _place(out: Path, study: str) -> Path:
    # Names of studies may be as long as file systems allow.
    name = hashlib.sha256(study.encode("utf-8", "surrogatepass")).hexdigest()[:24]
    return out / FOLDER / f"{name}.json"
