"""A detection that was cut for time: as one with fewer samples, and said to be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection import detect
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.runtime.reporter import SilentReporter

NEVER_LONG_ENOUGH, LONG = 0.001, 3600.0


@pytest.fixture
def found(tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path) -> Any:
    def run(name: str, kind: str = "pet", **settings: Any) -> Path:
        chosen = DetectionSettings(model=str(tiny_bundles[kind].path), device="cpu", **settings)
        return detect(tiny_study / "SUV.nii.gz", None, tmp_path / name, chosen, SilentReporter())

    return run


def files(folder: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in folder.iterdir() if p.name != "report.json"}


def report(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "report.json").read_text()))


@pytest.mark.slow
def test_a_run_that_was_cut_equals_one_with_as_few_samples(found: Any) -> None:
    cut = found("cut", samples=6, time_budget=NEVER_LONG_ENOUGH)
    asked = found("asked", samples=4)
    assert files(cut) == files(asked)
    said = report(cut)
    assert (said["healing"]["samples"], said["healing"]["samples_left_out"]) == (4, 2)
    assert said["settings"]["samples"] == 6
    assert said["settings"]["time_budget"] == NEVER_LONG_ENOUGH
    (warning,) = [one for one in said["warnings"] if "samples were drawn" in one]
    assert "Only 4 of 6" in warning
    assert "--samples 4" in warning
    assert any("the fewest that are drawn" in one for one in said["warnings"])


@pytest.mark.slow
def test_a_run_with_time_enough_is_as_without_a_limit(found: Any) -> None:
    limited, free = found("limited", samples=5, time_budget=LONG), found("free", samples=5)
    assert files(limited) == files(free)
    assert report(limited)["healing"] == report(free)["healing"]
    assert report(limited)["healing"]["samples_left_out"] == 0
    assert report(limited)["warnings"] == report(free)["warnings"]


def test_a_model_with_one_reconstruction_has_nothing_to_leave_out(found: Any) -> None:
    said = report(found("ae", kind="autoencoder", time_budget=NEVER_LONG_ENOUGH))
    assert not [one for one in said["warnings"] if "samples" in one]
