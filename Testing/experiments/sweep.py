"""Sizes tried one after another: a paper's tuning grid, trained from one file.

    python Testing/experiments/sweep.py Testing/experiments/sweeps/paper3.json COHORT OUT
        [--minutes M]

`sweeps/paper3.json` has the latent sizes of paper 3 (4.2.2), `sweeps/paper2.json` the layers,
patches and heads of paper 2's tables 7 and 8, both of the papers' own sizes: weeks on a graphics
card. A sweep names stages; each has the configuration that it begins with, its path seen from the
sweep's file, and the network's sizes that change: `grid`, of which every combination is trained,
or `points`, one by one. All must have one frame.

    {"vae": {"stage": "vae", "configuration": "vae.json", "grid": {"code": [32, 64]}}}

Each is trained by what `petanomaly train` calls, at most M minutes, in a folder of its own below
OUT; what is finished is kept, and what was interrupted goes on. `OUT/sweep.csv` and `OUT/sweep.md`
have what has been trained so far: sizes, parameters, least error of held-out slices, steps.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine import families  # noqa: F401 - enters the families
from PETAnomalyLib.engine.bundles.kinds import STAGES
from PETAnomalyLib.engine.evaluation.tables import table
from PETAnomalyLib.engine.families.networks import build_network
from PETAnomalyLib.engine.runtime.console import ConsoleReporter
from PETAnomalyLib.engine.runtime.errors import InputError, PETAnomalyError
from PETAnomalyLib.engine.runtime.json_section import Section
from PETAnomalyLib.engine.runtime.output import write_whole
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.configuration import (
    read_configuration,
    read_section,
    read_stage,
)
from PETAnomalyLib.engine.training.curves import entries
from PETAnomalyLib.engine.training.run import train

COLUMNS = ("model", "sizes", "parameters", "validation_error", "steps")
KEYS = ("stage", "configuration", "grid", "points")


@dataclass(frozen=True)
class Point:
    """One training of a sweep.

    Attributes:
        name: of its run's folder.
        model: its name in the sweep.
        stage: that it trains.
        sizes: those that this sweep changes.
        configuration: the whole of its file.
    """

    name: str
    model: str
    stage: str
    sizes: dict[str, Any]
    configuration: dict[str, Any]


def read_sweep(path: Path) -> list[Point]:
    """All trainings of a sweep, in its order.

    Raises:
        InputError: naming the file and the key.
    """
    sweep = read_section(path)
    points = [point for name in sweep.values for point in _points(path, name, sweep.section(name))]
    if not points:
        raise InputError(f"the sweep {path} has nothing to train", "name a stage and its sizes")
    return points


def _points(path: Path, name: str, part: Section) -> Iterator[Point]:
    unknown = sorted(set(part.values) - set(KEYS))
    if unknown:
        raise part.error(unknown[0][:60], f"is unknown; known here: {', '.join(KEYS)}")
    stage = part.choice("stage", tuple(STAGES))
    base = path.parent / part.text("configuration", 1000)
    configuration = read_configuration(base)
    begun = read_section(base).section(stage).section("sizes").values
    for sizes in _sizes(part):
        words = (f"{key}-{_word(value)}" for key, value in sizes.items())
        section = {**configuration[stage], "sizes": {**begun, **sizes}}
        yield Point("-".join((name, *words)), name, stage, sizes, {**configuration, stage: section})


def _sizes(part: Section) -> list[dict[str, Any]]:
    if ("grid" in part.values) == ("points" in part.values):
        raise part.error("grid", "or `points` must be there, and not both")
    if "grid" in part.values:
        grid = part.section("grid").values
        if not grid or not all(isinstance(values, list) and values for values in grid.values()):
            raise part.error("grid", "must have a list of values for each size")
        return [dict(zip(grid, values)) for values in product(*grid.values())]
    points = part.value("points")
    if not isinstance(points, list) or not all(isinstance(p, dict) and p for p in points):
        raise part.error("points", "must be a list of objects, a value for each size")
    return points


def _word(value: Any) -> str:
    return "x".join(map(str, value)) if isinstance(value, list) else str(value)


def run_sweep(
    points: list[Point], cohort: Path, out: Path, minutes: float | None, reporter: Reporter
) -> list[dict[str, Any]]:
    """Train what is not trained yet; the rows of the table, which is written after each.

    Raises:
        InputError: as `petanomaly train`; of any point, before the first is trained.
    """
    out.mkdir(parents=True, exist_ok=True)
    for point in points:
        write_whole(_file(out, point), json.dumps(point.configuration, indent=2))
        read_stage(_file(out, point), point.stage)
    rows: list[dict[str, Any]] = []
    for number, point in enumerate(points, start=1):
        reporter.log("info", f"{number} of {len(points)}: {point.name}")
        run = out / point.name
        if not (run / "weights.safetensors").exists():
            train(point.stage, cohort, _file(out, point), run, minutes, True, reporter)
        rows.append(_row(point, run))
        _write(rows, out)
    return rows


def _file(out: Path, point: Point) -> Path:
    return out / f"{point.name}.json"


def _row(point: Point, run: Path) -> dict[str, Any]:
    kind = STAGES[point.stage]().network
    network = build_network(kind, point.configuration[point.stage]["sizes"])
    log = [entry for _, entry in entries(run / "log.jsonl")]
    return {
        "model": point.model,
        "sizes": ", ".join(f"{key} {_word(value)}" for key, value in point.sizes.items()),
        "parameters": sum(p.numel() for p in network.parameters()),
        "validation_error": min(e["validation_error"] for e in log if "validation_error" in e),
        "steps": int(max(entry["step"] for entry in log)),
    }


def _write(rows: list[dict[str, Any]], out: Path) -> None:
    with (out / "sweep.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows)
    words = [
        [
            row["model"],
            row["sizes"],
            f"{row['parameters']:,}",
            f"{row['validation_error']:.4g}",
            f"{row['steps']:,}",
        ]
        for row in rows
    ]
    head = ["Model", "Sizes", "Parameters", "Validation error", "Steps"]
    write_whole(out / "sweep.md", table(head, words))


def main() -> None:
    """The whole sweep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("sweep", type=Path)
    parser.add_argument("cohort", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--minutes", type=float, help="of each training at most")
    options = parser.parse_args()
    try:
        points = read_sweep(options.sweep)
        run_sweep(points, options.cohort, options.out, options.minutes, ConsoleReporter())
    except PETAnomalyError as error:
        sys.exit(f"{error} {error.hint or ''}".strip())
    print((options.out / "sweep.md").read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
