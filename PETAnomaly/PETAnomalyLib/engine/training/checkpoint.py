"""Checkpoints: everything a training run needs to go on as if it had not stopped."""

from __future__ import annotations

import os
import random
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from PETAnomalyLib.engine.errors import InputError

SAVE_EVERY = 50  # steps: a kill costs a minute or two of training on two cores


@dataclass
class Run:
    """Where a run writes, how far it is, and when it ends.

    Attributes:
        folder: RUN of the command line.
        step: optimisation steps done.
        steps: steps the learning-rate schedule is laid out for.
        minutes: stop after this time in all sessions together, None for no limit.
        elapsed_s: seconds trained in earlier sessions.
    """

    folder: Path
    steps: int
    minutes: float | None
    step: int = 0
    elapsed_s: float = 0.0

    def __post_init__(self) -> None:
        self.started = time.monotonic()

    def seconds(self) -> float:
        """Seconds trained in all sessions."""
        return self.elapsed_s + time.monotonic() - self.started

    def progress(self) -> float:
        """0 at the start, 1 when the steps or the minutes are used up."""
        by_step = self.step / self.steps
        if self.minutes is None:
            return min(1.0, by_step)
        return min(1.0, max(by_step, self.seconds() / (60.0 * self.minutes)))

    def learning_rate(self, base: float, warmup: int) -> float:
        """Linear warm-up, then a cosine to zero over the run."""
        cosine = 0.5 * (1.0 + float(np.cos(np.pi * self.progress())))
        return base * min(1.0, (self.step + 1) / warmup) * cosine

    def is_checkpoint_due(self) -> bool:
        """Whether to save after the step just done."""
        return self.step % SAVE_EVERY == 0 or self.progress() >= 1.0

    @property
    def checkpoint(self) -> Path:
        return self.folder / "checkpoint.pt"

    def save(self, state: dict[str, Any]) -> None:
        """Write the checkpoint in one move: a kill leaves the one before."""
        partial = self.checkpoint.with_suffix(f".{os.getpid()}.partial")
        torch.save(
            {
                "step": self.step,
                "elapsed_s": self.seconds(),
                "torch_random": torch.get_rng_state(),
                "numpy_random": np.random.get_state(),
                "python_random": random.getstate(),
                **state,
            },
            partial,
        )
        partial.replace(self.checkpoint)

    def resume(self) -> dict[str, Any]:
        """Read the checkpoint back and put the random streams where they were.

        Raises:
            InputError: there is none.
        """
        if not self.checkpoint.exists():
            raise InputError(
                f"nothing to resume: {self.checkpoint} does not exist",
                "leave --resume out to start a new run",
            )
        # Our own file of a moment ago, not a bundle: random states are not tensors.
        state: dict[str, Any] = torch.load(self.checkpoint, weights_only=False)
        self.step, self.elapsed_s = state["step"], state["elapsed_s"]
        torch.set_rng_state(state["torch_random"])
        np.random.set_state(state["numpy_random"])
        random.setstate(state["python_random"])
        return state
