"""Sweeps: the papers' grids, and a small one that is trained, interrupted and gone on with."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import sweep
from PETAnomalyLib.engine.runtime.errors import Cancelled, InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from repository import TESTING
from slice_networks import SMALL
from tiny_bundle import FRAME, INTENSITY, write_tiny_study
from tiny_training import Interrupted

SWEEPS = TESTING / "experiments" / "sweeps"
COLUMNS, ROWS, _ = FRAME["size_voxels"]


def sizes_of(points: list[sweep.Point], model: str) -> list[tuple[Any, ...]]:
    return [tuple(point.sizes.values()) for point in points if point.model == model]


def test_paper_3s_latent_sizes_are_all_there() -> None:
    points = sweep.read_sweep(SWEEPS / "paper3.json")
    assert sizes_of(points, "vae") == [(32,), (64,), (128,), (256,)]
    edges = (32, 64, 128, 256)
    assert sizes_of(points, "vqvae") == [(a, b) for a in edges for b in edges]
    assert sizes_of(points, "vqgan") == [(a, b) for a in edges[1:] for b in edges[1:]]
    assert len({point.name for point in points}) == len(points)


def test_paper_2s_tables_7_and_8_have_no_12_layers_with_patches_of_16_and_4_heads() -> None:
    points = sweep.read_sweep(SWEEPS / "paper2.json")
    every = {(a, b, c) for a in (8, 12) for b in (8, 16) for c in (4, 8)}
    assert set(sizes_of(points, "dc-tae")) == every - {(12, 16, 4)}
    assert sizes_of(points, "h-tae-s") == [(8, 4, 4), (8, 4, 8)]


@pytest.mark.parametrize("name", ["paper2", "paper3"])
def test_every_point_of_a_paper_is_a_configuration(name: str, tmp_path: Path) -> None:
    """They are checked before the first is trained: the cohort is asked for only then."""
    points = sweep.read_sweep(SWEEPS / f"{name}.json")
    with pytest.raises(InputError, match="cohort"):
        sweep.run_sweep(points, tmp_path / "none", tmp_path / "out", None, SilentReporter())


def write_sweep(folder: Path, **changes: Any) -> Path:
    section = {"sizes": {**SMALL["vae"], "size": [ROWS, COLUMNS]}, "steps": 2, "batch": 2}
    base = {"frame": FRAME, "intensity": INTENSITY, "vae": section}
    (folder / "vae.json").write_text(json.dumps(base))
    part = {"stage": "vae", "configuration": "vae.json", "grid": {"code": [3, 7]}, **changes}
    path = folder / "sweep.json"
    path.write_text(json.dumps({"small": part}))
    return path


@pytest.mark.slow
def test_a_small_sweep_is_trained_and_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PETAnomalyLib.engine.training.checkpoint.SAVE_EVERY", 1)
    scans, out = tmp_path / "scans", tmp_path / "out"
    for patient, seed in (("a", 3_000_001), ("b", 3_000_003)):
        write_tiny_study(scans / patient / "0", seed=seed)
    points = sweep.read_sweep(write_sweep(tmp_path))
    first = out / "small-code-3" / "weights.safetensors"
    with pytest.raises(Cancelled):  # while the second is trained
        sweep.run_sweep(points, scans, out, None, StopsAt(first))
    assert [row["sizes"] for row in written(out)] == ["code 3"]
    trained_at = first.stat().st_mtime_ns
    sweep.run_sweep(points, scans, out, None, SilentReporter())
    rows = written(out)
    assert first.stat().st_mtime_ns == trained_at
    assert [(row["model"], row["sizes"], row["steps"]) for row in rows] == [
        ("small", "code 3", "2"), ("small", "code 7", "2"),
    ]  # fmt: skip
    # Two matrices to the code with their biases, and one from it.
    cells = (ROWS // 4) * (COLUMNS // 4) * SMALL["vae"]["narrow"]
    more = int(rows[1]["parameters"]) - int(rows[0]["parameters"])
    assert more == (7 - 3) * (3 * cells + 2)
    for row in rows:
        log = (out / f"small-{row['sizes'].replace(' ', '-')}" / "log.jsonl").read_text()
        errors = [json.loads(line).get("validation_error") for line in log.splitlines()]
        assert float(row["validation_error"]) in errors
    assert (out / "sweep.md").read_text().count("\n") == 4


class StopsAt(SilentReporter):
    """Asks to stop as soon as a file is there."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self._file, self._stop = file, Interrupted(after=0)

    def check_cancelled(self) -> None:
        if self._file.exists():
            self._stop.check_cancelled()


def written(out: Path) -> list[dict[str, str]]:
    with (out / "sweep.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"grid": {"code": 3}}, "grid"),
        ({"points": [{"code": 3}]}, "points"),
        ({"grid": {"depth": [3]}}, "depth"),
        ({"grid": {"code": [0]}}, "code"),
        ({"stage": "none"}, "stage"),
        ({"steps": 3}, "steps"),
    ],
)
def test_a_sweep_that_cannot_be_trained_is_refused_by_key(
    changes: dict[str, Any], named: str, tmp_path: Path
) -> None:
    path = write_sweep(tmp_path, **changes)
    with pytest.raises(InputError, match=named):
        sweep.run_sweep(sweep.read_sweep(path), tmp_path, tmp_path / "out", None, SilentReporter())
