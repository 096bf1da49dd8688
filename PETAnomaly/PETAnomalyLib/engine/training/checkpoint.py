"""Checkpoints: everything a training run needs to go on as if it had not stopped."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric

from PETAnomalyLib.engine.runtime.errors import Cancelled, InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.checkpoint_file import read_checkpoint, write_checkpoint
from PETAnomalyLib.engine.training.processes import largest
from PETAnomalyLib.engine.training.study_stream import StudyStream

SAVE_EVERY = 50  # steps: a kill costs a minute or two of training on two cores
WARM_UP = 50  # steps


@dataclass
class Run:
    """Where a run writes, how far it is, and when it ends.

    Attributes:
        folder: RUN of the command line.
        steps: steps the learning-rate schedule is laid out for.
        minutes: stop after this time in all sessions together, None for no limit.
        fabric: the processes that share the run; the first alone writes.
        stream: of the studies that are trained on; None: they are those that the stage is given.
        step: optimisation steps done.
        seconds: trained in all sessions, as of the last step.
    """

    folder: Path
    steps: int
    minutes: float | None
    fabric: Fabric
    stream: StudyStream | None = None
    step: int = 0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self._started = time.monotonic()

    def advance(self) -> None:
        """A step is done.

        The clock is read here and nowhere else, so that all processes see the same progress.
        """
        self.step += 1
        seconds = time.monotonic() - self._started
        self.seconds = largest(self.fabric, seconds)

    def progress(self) -> float:
        """0 at the start, 1 when the steps or the minutes are used up."""
        by_step = self.step / self.steps
        if self.minutes is None:
            return min(1.0, by_step)
        return min(1.0, max(by_step, self.seconds / (60.0 * self.minutes)))

    def set_learning_rate(
        self,
        optimizer: torch.optim.Optimizer,
        base: float,
        gamma: float | None = None,
        epochs: float = 0.0,
    ) -> None:
        """Linear warm-up to `base`, then a cosine to zero over the run.

        With `gamma` (paper 5, appendix) `base` times that for each of the epochs that are over.
        """
        if gamma is not None:
            for group in optimizer.param_groups:
                group["lr"] = base * gamma ** int(epochs)
            return
        cosine = 0.5 * (1.0 + float(np.cos(np.pi * self.progress())))
        for group in optimizer.param_groups:
            group["lr"] = base * min(1.0, (self.step + 1) / WARM_UP) * cosine

    def look_ahead(self, batch: int, mine: range) -> None:
        """See `StudyStream`; nothing where there is none."""
        if self.stream is not None:
            self.stream.look_ahead(self.step, batch, mine)

    def check_cancelled(self, reporter: Reporter) -> None:
        """Stop all processes when one is asked to: none is left waiting for another.

        Raises:
            Cancelled: in every process.
        """
        asked = None
        try:
            reporter.check_cancelled()
        except Cancelled as error:
            asked = error
        if largest(self.fabric, float(asked is not None)):
            raise asked or Cancelled("Another process of this training was asked to stop.")

    def is_checkpoint_due(self) -> bool:
        """Whether to save after the step just done."""
        return self.step % SAVE_EVERY == 0 or self.progress() >= 1.0

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def save(self, state: dict[str, Any]) -> None:
        """Write the checkpoint: tensors and plain values, nested."""
        if self.fabric.is_global_zero:
            write_checkpoint(self.checkpoint, self.step, self.seconds, state)

    def resume(self) -> dict[str, Any]:
        """Read the checkpoint back; where there is none yet, the run begins: an empty state.

        Raises:
            InputError: it is damaged, or holds what could run code.
        """
        for abandoned in self.folder.glob("checkpoint.*.partial"):  # by a kill
            abandoned.unlink(missing_ok=True)
        if not self.checkpoint.exists():
            return {}
        self.step, self.seconds, state = read_checkpoint(self.checkpoint)
        self._started = time.monotonic() - self.seconds
        return state

    @contextmanager
    def restoring(self) -> Iterator[None]:
        """Put what `resume` gave back into networks and optimizers within.

        Raises:
            InputError: it does not fit them.
        """
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise InputError(
                f"{self.checkpoint} is not of this run ({type(error).__name__}: {reason})",
                "remove it to begin again, or put a copy back",
            ) from error
