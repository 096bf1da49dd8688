"""A run's curves: `log.jsonl`, `curves.png`, TensorBoard; and a progress bar for who is waiting."""

from __future__ import annotations

import json

import torch
from lightning_fabric.loggers import TensorBoardLogger
from torch import Tensor

from PETAnomalyLib.engine.runtime.output import write_whole
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.curves import draw_curves, entries
from PETAnomalyLib.engine.training.processes import mean


class RunLog:
    """Writes the curves and reports the progress of one run.

    `log.jsonl` has one line for every step, and one more for every validation. A run that goes on
    from a checkpoint takes back what was written after it: these steps are done again.
    """

    def __init__(self, run: Run, reporter: Reporter) -> None:
        self._run = run
        self._reporter = reporter
        self._path = run.folder / "log.jsonl"
        self._writes = run.fabric.is_global_zero
        if self._writes:
            self._keep_up_to(run.step)
            self._file = self._path.open("a", encoding="utf-8")
            self._board = TensorBoardLogger(
                run.folder, name="", version="tensorboard", purge_step=run.step + 1
            )

    def _keep_up_to(self, step: int) -> None:
        if not self._path.exists():
            return
        kept = [line for line, entry in entries(self._path) if entry["step"] <= step]
        write_whole(self._path, "".join(kept))

    def step(self, **values: Tensor) -> None:
        """One optimisation step's figures, the mean over all processes."""
        own = torch.stack([value.detach().float() for value in values.values()])
        means = mean(self._run.fabric, own)
        self._write(dict(zip(values, means.tolist())))
        self._reporter.progress(self._run.progress())

    def validation(self, **values: float) -> None:
        """Figures on the held-out studies; also said aloud."""
        self._write(values)
        words = ", ".join(f"{name.replace('_', ' ')} {value:.4g}" for name, value in values.items())
        self._reporter.log("info", f"step {self._run.step}: {words}")
        if self._writes:
            self._board.experiment.flush()
            draw_curves(self._path, self._run.folder / "curves.png")

    def _write(self, values: dict[str, float]) -> None:
        if not self._writes:
            return
        entry = {"step": self._run.step, "seconds": round(self._run.seconds, 1), **values}
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
        self._board.log_metrics(values, self._run.step)
