"""Print what phantoms are drawn from, as a Markdown table.

    python docs/tools/phantom_tables.py build|conditions|uptake|scanners|references

`build` counts the first 2000 patients, the others print what stands in the program.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

import numpy as np
from PETAnomalyLib.engine.phantom.organs import organ_name
from PETAnomalyLib.engine.phantom.patient import kinetics
from PETAnomalyLib.engine.phantom.patient.build import draw_build
from PETAnomalyLib.engine.phantom.patient.conditions import (
    EXERCISED,
    HEARTS,
    SHARES,
    draw_conditions,
)
from PETAnomalyLib.engine.phantom.patient.patient import BENT
from PETAnomalyLib.engine.phantom.patient.references import REFERENCES
from PETAnomalyLib.engine.phantom.patient.uptake import HEARTS as LEVELS
from PETAnomalyLib.engine.phantom.patient.uptake import draw_uptake
from PETAnomalyLib.engine.phantom.scanner.scanners import MODELS

PATIENTS = 2000


def build() -> Iterator[str]:
    """Size, age, glucose and uptake time of patients."""
    people = [draw_build(seed) for seed in range(PATIENTS)]
    tracers = [
        draw_uptake(seed, body, draw_conditions(seed, body)) for seed, body in enumerate(people)
    ]
    yield from head("of patients", "women", "men")
    for name, of_body in (
        ("age, years", lambda b: b.age),
        ("height, cm", lambda b: b.height_cm),
        ("weight, kg", lambda b: b.weight_kg),
        ("body mass index, kg/m²", lambda b: b.bmi),
        ("fat under the skin of the flank, mm", lambda b: b.fat_mm),
    ):
        values = [[of_body(b) for b in people if b.sex == sex] for sex in "FM"]
        yield f"| {name} | {spread(values[0])} | {spread(values[1])} |"
    for name, of_tracer in (
        ("uptake time, minutes", lambda t: t.minutes),
        ("glucose, mmol/l", lambda t: t.glucose),
    ):
        values = [[of_tracer(t) for t in tracers if t.build.sex == sex] for sex in "FM"]
        yield f"| {name} | {spread(values[0])} | {spread(values[1])} |"


def spread(values: list[float]) -> str:
    """Mean, and the range of 95 %."""
    low, high = np.percentile(values, [2.5, 97.5])
    digits = 1 if np.mean(values) < 10 else 0
    return f"{np.mean(values):.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def conditions() -> Iterator[str]:
    """How often each condition is drawn and seen."""
    yield from head("condition", "drawn of patients", "values", "in clinics")
    for name, share in SHARES.items():
        values = f"{share.low:g} to {share.high:g}" if share.high else ""
        yield f"| {name} | {100 * share.drawn:.0f} % | {values} | {share.seen} |"
    for pattern, part in HEARTS.items():
        level = LEVELS.get(pattern)
        values = f"SUV {level.mean:g} ± {level.sd:g}" if level else "the blood pool's"
        yield f"| heart: {pattern} | {100 * part:.0f} % | {values} | PMC7408629; Kumar 2014 |"
    for bend in ("scoliosis", "kyphosis"):
        yield f"| {bend} | {100 * BENT:.0f} % | | consensus |"
    for muscles, part in EXERCISED.items():
        if muscles:
            yield f"| muscles at work: {muscles} | {100 * part:.0f} % | | consensus |"


def uptake() -> Iterator[str]:
    """What changes organs' uptake together."""
    yield from head(
        "organ", "60 to 120 minutes", "5 to 8 mmol/l", "BMI 22 to 33", "a decade of age"
    )
    named = {*kinetics.TIME, *kinetics.GLUCOSE, *kinetics.FAT, *kinetics.AGE}
    for organ in sorted(named):
        yield (
            f"| {organ_name(organ)} | {change(2, kinetics.TIME.get(organ, 0))} | "
            f"{change(8 / 5, kinetics.GLUCOSE.get(organ, 0))} | "
            f"{change(33 / 22, kinetics.FAT.get(organ, kinetics.ANY_FAT))} | "
            f"{change(np.e, 10 * kinetics.AGE.get(organ, 0))} |"
        )
    yield f"| all others | | | {change(33 / 22, kinetics.ANY_FAT)} | |"
    yield (
        f"| malignant lesions | {change(2, kinetics.TUMOUR_TIME)} | "
        f"{change(8 / 5, kinetics.TUMOUR_GLUCOSE)} | | |"
    )


def change(ratio: float, exponent: float) -> str:
    """In percent, of what goes with the ratio to this power."""
    return f"{100 * (ratio**exponent - 1):+.0f} %" if exponent else ""


def scanners() -> Iterator[str]:
    """Scanners and their usual reconstructions."""
    yield from head("scanner", "drawn", "voxels, mm", "resolution, mm", "resolution recovery",
                    "time of flight")  # fmt: skip
    total = sum(model.share for model in MODELS)
    for model in MODELS:
        x, _, z = model.spacing_mm
        low, high = model.fwhm_mm
        yield (
            f"| {model.name} | {100 * model.share / total:.0f} % | {x:g} x {x:g} x {z:g} | "
            f"{low:g} to {high:g} | {100 * model.recovery:.0f} % | "
            f"{'yes' if model.time_of_flight else 'no'} |"
        )


def references() -> Iterator[str]:
    """The names that stand beside numbers."""
    yield from head("name", "work")
    for name, work in sorted(REFERENCES.items()):
        yield f"| {name} | {work} |"


def head(*columns: str) -> Iterator[str]:
    """A table's first two lines."""
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"


TABLES: dict[str, Callable[[], Iterator[str]]] = {
    table.__name__: table for table in (build, conditions, uptake, scanners, references)
}

if __name__ == "__main__":
    print("\n".join(TABLES[sys.argv[1]]()))
