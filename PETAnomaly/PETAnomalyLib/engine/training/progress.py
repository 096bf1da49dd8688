"""A run's curve: one JSON line a step in `log.jsonl`, and a progress bar for the person waiting."""

from __future__ import annotations

import json

from PETAnomalyLib.engine.events import Reporter
from PETAnomalyLib.engine.training.checkpoint import Run


class RunLog:
    """Writes the curve and reports the progress of one run."""

    def __init__(self, run: Run, reporter: Reporter) -> None:
        self._run = run
        self._reporter = reporter
        self._file = (run.folder / "log.jsonl").open("a", encoding="utf-8")

    def step(self, **values: float) -> None:
        """One optimisation step's losses."""
        self._write(values)
        self._reporter.progress(self._run.progress())

    def validation(self, **values: float) -> None:
        """Figures on the held-out studies; also said aloud."""
        self._write(values)
        words = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in values.items())
        self._reporter.log("info", f"step {self._run.step}: {words}")

    def _write(self, values: dict[str, float]) -> None:
        entry = {"step": self._run.step, "seconds": round(self._run.seconds(), 1), **values}
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
