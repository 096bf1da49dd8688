"""A tiny cohort and tiny configurations of every training stage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.runtime.errors import Cancelled
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from tiny_bundle import AUTOENCODER, FRAME, INTENSITY, PERFORMER, VQGAN, write_tiny_study

SECTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "pet-vqgan": (
        "vqgan",
        {"modality": "pet", "sizes": VQGAN, "steps": 6, "batch": 2, "crop": 16},
    ),
    "ct-vqgan": (
        "vqgan",
        {"modality": "ct", "sizes": VQGAN, "steps": 3, "batch": 2, "crop": 16},
    ),
    "transformer": (
        "transformer",
        {
            "pet_vqgan": "pet-vqgan",
            "ct_vqgan": "ct-vqgan",
            "sizes": PERFORMER,
            "steps": 6,
            "hidden_share": 0.3,
            "masking_rounds": [0.3, 0.7],
            "masking_threshold": 0.05,
        },
    ),
    "autoencoder": ("autoencoder", {"sizes": AUTOENCODER, "steps": 6, "batch": 1}),
}

# What the settings of an export say of the model in words.
EXPORT_METADATA = dict.fromkeys(
    (
        "version", "task", "description", "authors", "copyright", "license", "intended_use",
        "data_source",
    ),
    "test",
) | {"name": "tiny"}  # fmt: skip


class Interrupted(SilentReporter):
    """Stops the run after a number of questions whether to."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self._left = after

    def check_cancelled(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise Cancelled("stopped by the test")


def write_tiny_cohort(folder: Path, first: Path) -> Path:
    """Two patients, of whom the first has the study `first`; returns the folder."""
    (folder / "patient-1").mkdir(parents=True)
    (folder / "patient-1" / "0").symlink_to(first, target_is_directory=True)
    write_tiny_study(folder / "patient-2" / "0", seed=3_000_003)
    return folder


def configuration(folder: Path, name: str, **changes: Any) -> Path:
    """The configuration file of a stage, with changes to its section."""
    stage, section = SECTIONS[name]
    path = folder / f"{name}.json"
    path.write_text(
        json.dumps({"frame": FRAME, "intensity": INTENSITY, stage: {**section, **changes}})
    )
    return path


def read_log(run: Path) -> list[dict[str, float]]:
    """The entries of `log.jsonl`, without the clock."""
    entries = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    return [{k: v for k, v in entry.items() if k != "seconds"} for entry in entries]
