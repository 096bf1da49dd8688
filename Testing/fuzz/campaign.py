"""Case after case, each read in a process that may crash, hang or swallow memory."""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from fuzz.case import Array, Case, Special
from fuzz.dicom_files import dicom_cases
from fuzz.judgement import MOST_CPU_S, MOST_MEMORY_MB, fault
from fuzz.meta_image_files import meta_image_cases
from fuzz.nifti_files import nifti_cases
from fuzz.nrrd_files import nrrd_cases

_DRAWN_A_SEED = 10
TESTING = Path(__file__).resolve().parents[1]
_STUCK_S = 3.0
_POLL_S = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 2**20

IMAGE_FILES = st.one_of(nifti_cases(), nifti_cases(), nrrd_cases(), meta_image_cases())
_ALL = st.one_of(IMAGE_FILES, dicom_cases(), dicom_cases())


@dataclass(frozen=True)
class Finding:
    """A fault, and the first case that showed it."""

    fault: str
    seed: int
    number: int
    case: Case
    trace: str

    @property
    def kind(self) -> tuple[str, str]:
        """The same for the same fault of the same format."""
        return self.case.story[0].split(",")[0], self.fault

    def __str__(self) -> str:
        told = "; ".join(self.case.story)
        return (
            f"{self.kind[0]}: {self.fault}\n  --seed {self.seed} --case {self.number}, read as "
            f"{self.case.way}: {told[:400]!r}" + (f"\n{self.trace}" if self.trace else "")
        )


class Campaign:
    """Reads cases and keeps what it finds: the first of each kind, and how many there were.

    Args:
        checkout: whose engine reads; None: ITK alone.

    Attributes:
        findings: the first of each kind.
        counts: of each kind.
        cases: how many were read.
        refused: how many of them were refused.
    """

    def __init__(self, checkout: Path | None) -> None:
        self.findings: dict[tuple[str, str], Finding] = {}
        self.counts: dict[tuple[str, str], int] = {}
        self.cases = self.refused = 0
        self._checkout = checkout
        self._scratch = Path(tempfile.mkdtemp(prefix="petanomaly-fuzz-"))
        self._worker: subprocess.Popen[str] | None = None

    def __enter__(self) -> Campaign:
        return self

    def __exit__(self, *_: object) -> None:
        self._end_worker()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def run(self, of_seed: int, until: float, only: int | None = None) -> None:
        """The cases of one seed.

        Args:
            of_seed: the same seed gives the same cases.
            until: no case is begun after this moment of `time.monotonic`.
            only: read this one alone.
        """
        for number, case in enumerate(cases(of_seed)):
            if time.monotonic() > until:
                return
            if only in (None, number):
                self.read(case, of_seed, number)

    def read(self, case: Case, of_seed: int, number: int) -> Finding | None:
        """Let one case be read and judged."""
        answer, values = self._answer(case)
        self.cases += 1
        self.refused += answer["end"] == "refused"
        wrong = answer.get("fault") or fault(case, answer, values)
        if not wrong:
            return None
        finding = Finding(wrong, of_seed, number, case, _detail(answer))
        self.findings.setdefault(finding.kind, finding)
        self.counts[finding.kind] = self.counts.get(finding.kind, 0) + 1
        return finding

    def _answer(self, case: Case) -> tuple[dict[str, Any], Array | None]:
        folder = self._scratch / "case"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "inside").mkdir(parents=True)
        path = case.write(folder / "inside")
        stored = self._scratch / "values.npy"
        grid = None if case.grid is None else (case.grid[0].tolist(), list(case.grid[1]))
        request = {"path": str(path), "way": case.way, "values": str(stored), "grid": grid}
        answer = self._ask(request)
        return answer, np.load(stored) if answer["end"] == "read" else None

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """The worker's answer, or `fault`, where there is none, after which a new one begins."""
        worker = self._worker = self._worker or self._begin_worker()
        assert worker.stdin is not None
        assert worker.stdout is not None
        worker.stdin.write(json.dumps(request) + "\n")
        worker.stdin.flush()
        watch = _Watch(worker.pid)
        while not select.select([worker.stdout], [], [], _POLL_S)[0]:
            wrong = watch.fault()
            if wrong:
                self._end_worker()
                return {"end": "killed", "fault": wrong}
        line = worker.stdout.readline()
        if line:
            answer: dict[str, Any] = json.loads(line)
            return answer
        code = worker.wait()
        self._end_worker()
        return {"end": "crashed", "fault": f"crashes natively, {-code}"}

    def _begin_worker(self) -> subprocess.Popen[str]:
        search = os.pathsep.join([str(TESTING), str(TESTING / "support")])
        self._worker = subprocess.Popen(
            [sys.executable, "-m", "fuzz.worker", str(self._checkout or "")],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            text=True, env={**os.environ, "PYTHONPATH": search, "OMP_NUM_THREADS": "1"},
        )  # fmt: skip
        return self._worker

    def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is None:
            return
        worker.kill()
        worker.wait()
        for pipe in (worker.stdin, worker.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _detail(answer: dict[str, Any]) -> str:
    return str(answer.get("trace") or answer.get("message") or "")


class _Watch:
    """Tells from outside when a process takes too much, or waits for what never comes."""

    def __init__(self, process: int) -> None:
        self._process = process
        self._memory_mb, self._cpu_s, _ = self._look()
        self._moved, self._last_cpu_s = time.monotonic(), self._cpu_s

    def fault(self) -> str:
        memory_mb, cpu_s, state = self._look()
        now = time.monotonic()
        if cpu_s > self._last_cpu_s or state == "R":  # on a busy machine it may wait its turn
            self._moved, self._last_cpu_s = now, cpu_s
        if memory_mb - self._memory_mb > MOST_MEMORY_MB:
            return f"takes more than {MOST_MEMORY_MB:g} MB"
        if cpu_s - self._cpu_s > 2 * MOST_CPU_S:
            return f"takes more than {MOST_CPU_S:g} s"
        return "waits for ever" if now - self._moved > _STUCK_S else ""

    def _look(self) -> tuple[float, float, str]:
        """Memory, processor time and state (proc(5), stat)."""
        stat = Path(f"/proc/{self._process}/stat").read_text().rpartition(")")[2].split()
        return int(stat[21]) * _PAGE_MB, (int(stat[11]) + int(stat[12])) / _TICKS, stat[0]


def cases(of_seed: int, kinds: st.SearchStrategy[Case] = _ALL) -> Iterator[Case]:
    """The cases of a seed, the same in the same order in every process that has imported the same:
    Hypothesis draws constants that stand in the modules around it, too.

    It begins with two simple cases, which come again with most seeds; from the eleventh on it
    repeats parts of earlier ones.
    """
    drawn: list[Case] = []

    @seed(of_seed)
    @settings(
        max_examples=_DRAWN_A_SEED,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(kinds)
    def draw(case: Case) -> None:
        drawn.append(case)

    draw()
    yield from drawn[2:]


def keep(finding: Finding, folder: Path) -> None:
    """Store a finding's files, but for what is no regular one, and its story."""
    place = folder / f"{finding.seed}-{finding.number}"
    regular = {
        name.replace("../", "outside/"): content
        for name, content in finding.case.files.items()
        if not isinstance(content, Special)
    }
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    Case((), regular, ".", "", finding.case.truth).write(place)
    (place / "finding.txt").write_text(str(finding), encoding="utf-8", errors="backslashreplace")
