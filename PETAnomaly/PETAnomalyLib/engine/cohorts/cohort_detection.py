"""`petanomaly detect --cohort`: every study of a cohort, one result folder each.

    OUT/<study>/     the result of each, as `detect` writes it
    OUT/studies.csv  one row a study        OUT/findings.csv  the findings of all
    OUT/index.html   both, for a browser    OUT/.studies/     what is known of each, see `record.py`

What is there already of the same inputs, model and settings is kept. A study that fails is a row.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine import families  # noqa: F401 - enters every family, in workers too
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.cohorts.index_page import write_index
from PETAnomalyLib.engine.cohorts.kept import is_result_of
from PETAnomalyLib.engine.cohorts.listing import ListedStudy, list_studies, part_of
from PETAnomalyLib.engine.cohorts.record import (
    DONE,
    FAILED,
    WAITING,
    Record,
    StudyRow,
    read_record,
    write_record,
)
from PETAnomalyLib.engine.cohorts.tables import write_tables
from PETAnomalyLib.engine.detection_settings import DetectionSettings, require_device, resolve
from PETAnomalyLib.engine.families.loaded_model import model_of_process
from PETAnomalyLib.engine.runtime.errors import (
    Cancelled,
    InputError,
    PETAnomalyError,
    StudiesFailedError,
)
from PETAnomalyLib.engine.runtime.json_file import read_json
from PETAnomalyLib.engine.runtime.known_error import as_known
from PETAnomalyLib.engine.runtime.output import require_writable
from PETAnomalyLib.engine.runtime.reporter import QuietReporter, Reporter, SilentReporter
from PETAnomalyLib.engine.runtime.worker_pool import (
    WORKER_NUMBER,
    Cluster,
    WorkerLostError,
    for_each,
)
from PETAnomalyLib.engine.study.disclosure import Disclosure

SECONDS_BETWEEN_TABLES = 10.0
"""The tables are written anew at most this often while the cohort is worked on."""


@dataclass(frozen=True)
class Job:
    """All that the detection of one study needs, in whatever process.

    Attributes:
        study: which.
        bundle: the model, verified.
        out: the cohort's folder.
        settings: for `detect`.
    """

    study: ListedStudy
    bundle: Bundle
    out: Path
    settings: DetectionSettings

    @property
    def folder(self) -> Path:
        """Of the study's result."""
        return self.out / self.study.name

    def record(self, row: StudyRow) -> Record:
        """A row, and of what it was made."""
        asked = json.loads(json.dumps({**asdict(self.settings), "model": self.bundle.name}))
        return Record(row, self.study.fingerprint(), asked, self.bundle.sha256)

    def kept(self) -> StudyRow | None:
        """The row of a result that is there already, of the same inputs, model and settings."""
        known = read_record(self.out, self.study.name)
        if known is None or known.row.state != DONE or not known.is_of_same(self.record(known.row)):
            return None
        report = self.folder / "report.json"
        return known.row if is_result_of(report, self.bundle, self.settings) else None


class _Part(QuietReporter):
    """One study of several, in this process: its progress is a part of the whole's."""

    def __init__(self, reporter: Reporter, number: int, count: int) -> None:
        super().__init__(reporter)
        self._number, self._count = number, count

    def progress(self, fraction: float) -> None:
        """See `Reporter`."""
        self._reporter.progress((self._number + min(1.0, fraction)) / self._count)


def detect_cohort(
    cohort: Path,
    out: Path,
    settings: DetectionSettings,
    reporter: Reporter,
    workers: int | Cluster = 1,
    shard: tuple[int, int] = (1, 1),
) -> list[StudyRow]:
    """Detect in every study of a cohort and write its tables.

    Args:
        cohort: see `list_studies`.
        out: where the results go.
        settings: for `detect`; a time budget is that of each study.
        reporter: told of the progress; asked whether to stop.
        workers: processes that work on one study each at the same time; 1: this one. Or a cluster.
        shard: I and N: of the whole cohort every N-th study from the I-th on; others do the rest.

    Returns:
        A row for every study of the shard.

    Raises:
        InputError, BundleError: an unusable cohort, model, setting or folder.
        StudiesFailedError: some studies failed; the others are done, the tables say which.
        Cancelled: the run was asked to stop; what is done is kept.
    """
    bundle = find_bundle(settings.model)
    if bundle.modality != "PT":
        raise InputError(
            f"The model '{bundle.name}' is of MR ({bundle.contrast}), and a cohort is of PET "
            "studies.",
            "Give each MR with --mr, or choose a model of PET such as pet-phantom.",
        )
    resolve(settings, bundle)
    require_device(settings.device)
    reporter.stage("list", "Looking for the studies of the cohort")
    studies, notes = list_studies(cohort, settings.anonymous)
    told = Disclosure([cohort], settings.anonymous)
    for note in notes:
        reporter.log("warning", told.sentence(note))
    require_writable(out / "studies.csv")
    jobs = [Job(study, bundle, out, settings) for study in part_of(studies, *shard)]
    tables = _Tables(out, studies)
    todo = []
    for job in jobs:
        row = job.kept()
        if row is None:
            todo.append(job)
        else:
            tables.add(row)
    try:
        _do(todo, workers, reporter, tables)
    except Cancelled as stopped:
        hint = "The studies that are done are kept: the same command goes on from there."
        raise Cancelled(stopped.message, hint) from stopped
    finally:
        tables.write()
    rows = [tables.rows[job.study.name] for job in jobs]
    reporter.progress(1.0)
    reporter.result(out)
    failed = sum(row.state == FAILED for row in rows)
    if failed:
        raise StudiesFailedError(
            f"{failed} of {len(rows)} studies failed.",
            f"{out / 'studies.csv'} says why; the same command tries them again.",
        )
    return rows


def _do(todo: Sequence[Job], workers: int | Cluster, reporter: Reporter, tables: _Tables) -> None:
    finished: list[StudyRow] = []

    def say() -> None:
        size = workers if isinstance(workers, int) else workers.size
        done, failed = tables.count(DONE), tables.count(FAILED)
        running = min(size, len(todo) - len(finished))
        reporter.stage("detect", f"{done} studies done, {failed} failed, {running} running")

    def on_result(_: int, row: StudyRow) -> None:
        finished.append(row)
        tables.add(row)
        if row.state == FAILED:
            reporter.log("warning", f"{row.study}: {row.error}")
        tables.write_now_and_then()
        say()

    def on_lost(number: int, error: WorkerLostError) -> StudyRow:
        return _failed(todo[number], error, None)

    say()
    if not todo:
        return
    if isinstance(workers, int):
        workers = min(workers, len(todo))
    arguments: list[tuple[Any, ...]] = [(job,) for job in todo]
    if workers == 1:  # elsewhere `for_each` asks whether to stop
        arguments = [(job, _Part(reporter, n, len(todo))) for n, job in enumerate(todo)]
    for_each(detect_one, arguments, workers, reporter, (0.0, 1.0), on_result, on_lost)


def detect_one(job: Job, reporter: Reporter | None = None) -> StudyRow:
    """Detect in one study, in whatever process, and keep what came of it.

    Args:
        job: which study.
        reporter: told of the progress, asked whether to stop.

    Raises:
        Cancelled: the run shall stop; nothing of the study is left.
    """
    began = time.perf_counter()
    try:
        _detect(job, reporter or SilentReporter())
        row = _row_of(job.folder, job.study)
    except Cancelled:
        raise
    except Exception as error:  # a study that fails is a row, whatever it fails of
        return _failed(job, as_known(error), round(time.perf_counter() - began, 1))
    write_record(job.out, job.record(row))
    return row


def _failed(job: Job, error: PETAnomalyError, seconds: float | None) -> StudyRow:
    """The row of a study that failed, which is kept."""
    study = job.study
    told = Disclosure(study.given, job.settings.anonymous)
    words = told.sentence(f"{error.message} {error.hint}".strip())
    row = StudyRow(study.patient, study.name, FAILED, seconds=seconds, error=words)
    write_record(job.out, job.record(row))
    return row


def _detect(job: Job, reporter: Reporter) -> None:
    study = job.study
    if study.problem or study.pet is None:
        raise InputError(study.problem, "Name its images in a CSV list.")
    if job.bundle.ct == "required" and study.ct is None and study.ct_problem:
        raise InputError(study.ct_problem, "Name its images in a CSV list.")
    from PETAnomalyLib.engine.detection import detect

    ct = study.ct if job.bundle.ct == "required" else None
    settings = replace(job.settings, device=_own_device(job.settings.device))
    model = model_of_process(job.bundle.path, job.bundle.sha256)
    detect(study.pet, ct, job.folder, settings, reporter, model)


def _own_device(asked: str) -> str:
    """One graphics card a worker, where there are several of both."""
    worker = os.environ.get(WORKER_NUMBER)
    if worker is None or asked not in ("auto", "cuda"):
        return asked
    import torch

    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return f"cuda:{int(worker) % cards}" if cards > 1 else asked


def _row_of(folder: Path, study: ListedStudy) -> StudyRow:
    report = read_json(folder / "report.json")
    found = report["findings"]
    return StudyRow(
        study.patient,
        study.name,
        DONE,
        seconds=round(sum(report["seconds"].values()), 1),
        tmtv_ml=found["tmtv_ml"],
        tlg_g=found["tlg_g"],
        findings=found["count"],
        warnings=" ".join(report["warnings"]),
    )


class _Tables:
    """The cohort's tables, of what this process and others have done."""

    def __init__(self, out: Path, studies: Sequence[ListedStudy]) -> None:
        self._out = out
        self._studies = studies
        self.rows: dict[str, StudyRow] = {}
        self._written = time.monotonic()

    def add(self, row: StudyRow) -> None:
        """A study that is done, or failed."""
        self.rows[row.study] = row

    def count(self, state: str) -> int:
        """How many are in a state."""
        return sum(row.state == state for row in self.rows.values())

    def write_now_and_then(self) -> None:
        """Write, unless that was done a moment ago."""
        if time.monotonic() - self._written >= SECONDS_BETWEEN_TABLES:
            self.write()

    def write(self) -> None:
        """Write; once more where others have added to it in the meantime."""
        while True:
            rows = self._all()
            write_tables(self._out, rows)
            write_index(self._out, rows)
            if self._all() == rows:
                break
        self._written = time.monotonic()

    def _all(self) -> list[StudyRow]:
        """Of every study: what this process has done, else what another says, else waiting."""
        return [self.rows.get(study.name) or self._of_others(study) for study in self._studies]

    def _of_others(self, study: ListedStudy) -> StudyRow:
        known = read_record(self._out, study.name)
        return known.row if known else StudyRow(study.patient, study.name, WAITING)
