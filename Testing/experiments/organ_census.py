"""Do phantoms have the organs that people have? Every organ's volume, SUV and HU over many seeds.

    python Testing/experiments/organ_census.py [--seeds 200] [--first 0] [--processes 2]
        [--out FILE]

Each patient is painted whole, from soles to vertex, without lesions and scanner, and each organ is
measured on the canvas (`measured_organs.py`). Beside it stand the published range and its sources
(`engine/phantom/patient/published.py`). A patient whose condition or variant alters an organ does
not count for it: a stimulated marrow is not a normal one. HU are those without gas and oral
contrast medium in the bowel, skin, calcified vessel walls and fatty livers. Marrow is that of
vertebrae, which the literature measures. Prints Markdown; `--out` writes it into a file, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from measured_organs import Measured, Numbers, measure
from PETAnomalyLib.engine.evaluation.tables import table
from PETAnomalyLib.engine.phantom.organs import Organ, organ_name
from PETAnomalyLib.engine.phantom.patient.published import PUBLISHED, Published
from PETAnomalyLib.engine.phantom.patient.ranges import Range
from PETAnomalyLib.engine.phantom.patient.references import cited
from PETAnomalyLib.engine.runtime.console import ConsoleReporter
from PETAnomalyLib.engine.runtime.worker_pool import for_each

FAR = 3.0  # standard deviations


def take(seeds: Sequence[int], processes: int) -> list[Measured]:
    """The organs of many patients."""
    jobs = [(seed,) for seed in seeds]
    return for_each(measure, jobs, processes, ConsoleReporter(), (0.0, 1.0))


@dataclass(frozen=True)
class Row:
    """One organ's quantity: what is published, and what phantoms have.

    Attributes:
        organ: its code.
        who: "men", "women" or "all".
        known: the published range.
        values: one a phantom.
        kept: painted of what was drawn, means over phantoms; NaN where nothing was drawn.
    """

    organ: Organ
    who: str
    known: Range
    values: Numbers
    kept: float

    @property
    def off(self) -> float:
        """How far the phantoms' mean is from the published one, in its standard deviations."""
        return float(self.values.mean() - self.known.mean) / self.known.sd

    @property
    def far(self) -> float:
        """Share of phantoms beyond the mean ± 3 standard deviations."""
        return float(np.mean(np.abs(self.values - self.known.mean) > FAR * self.known.sd))


def volumes(patients: Sequence[Measured]) -> Iterator[Row]:
    """Of every organ with a published volume, men and women."""
    for organ, known in PUBLISHED.items():
        for who, sex in (("men", "M"), ("women", "F")):
            found = known.volume(sex)
            of_sex = [p for p in patients if p.sex == sex and np.isfinite(p.drawn_ml[organ])]
            if found and of_sex:
                values = np.nan_to_num(np.array([p.volume_ml[organ] for p in of_sex]))
                drawn = np.array([p.drawn_ml[organ] for p in of_sex])
                yield Row(organ, who, found, values, float((values / drawn).mean()))


def averages(patients: Sequence[Measured], what: str) -> Iterator[Row]:
    """Of every organ's "suv", "hu" without contrast medium, or "enhanced" hu with it."""
    if what == "suv":
        counted = list(patients)
    else:
        counted = [p for p in patients if p.contrast == (what == "enhanced")]
    for organ, known in PUBLISHED.items():
        values = np.array([p.suv[organ] if what == "suv" else p.hu[organ] for p in counted])
        values = values[np.isfinite(values)]
        found = enhanced(known) if what == "enhanced" else getattr(known, what)
        if values.size and found:
            yield Row(organ, "all", found, values, float("nan"))


def enhanced(known: Published) -> Range | None:
    """Attenuation with contrast medium: the native one and what is added."""
    if known.enhancement is None:
        return None
    spread = float(np.hypot(known.hu.sd, known.enhancement.sd))
    sources = dict.fromkeys([*cited(known.hu.source), *cited(known.enhancement.source)])
    return Range(known.hu.mean + known.enhancement.mean, spread, "; ".join(sources))


def report(patients: Sequence[Measured]) -> str:
    """The tables, Markdown."""
    columns = ["organ", "", "published", "phantoms", "beyond 3 SD", "kept", "source"]
    rows = [
        [organ_name(row.organ), row.who, _range(row.known, 1), _measured(row, 1),
         _percent(row.far), _percent(row.kept), row.known.source]
        for row in volumes(patients)
    ]  # fmt: skip
    sections = ["**Volumes, ml**", table(columns, rows)]
    for what, title, digits in (
        ("suv", "**Uptake, mean SUVbw**", 2),
        ("hu", "**Attenuation without contrast medium, HU**", 0),
        ("enhanced", "**Attenuation in the portal venous phase, HU**", 0),
    ):
        rows = [
            [organ_name(row.organ), _range(row.known, digits), _measured(row, digits),
             _percent(row.far), row.known.source]
            for row in averages(patients, what)
        ]  # fmt: skip
        columns = ["organ", "published", "phantoms", "beyond 3 SD", "source"]
        sections += [title, table(columns, rows)]
    masses = np.array([p.mass_kg / p.weight_kg for p in patients])
    means = np.array([p.mean_suv for p in patients])
    sections.append(
        f"{len(patients)} phantoms. Mean (standard deviation). *Kept*: painted of the drawn "
        f"volume. The painted bodies weigh {masses.mean():.2f} ({masses.std():.2f}) of the "
        f"patients' weight, and hold {means.mean():.2f} ({means.std():.2f}) of what was injected."
    )
    return "\n\n".join(section.rstrip("\n") for section in sections)


def _range(known: Range, digits: int) -> str:
    return f"{known.mean:.{digits}f} ({known.sd:.{digits}f})"


def _measured(row: Row, digits: int) -> str:
    return f"{row.values.mean():.{digits}f} ({row.values.std():.{digits}f})"


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0], allow_abbrev=False)
    parser.add_argument("--seeds", type=int, default=200, help="patients")
    parser.add_argument("--first", type=int, default=0, help="the first one's seed")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--out", type=Path, metavar="FILE")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    text = report(take(seeds, options.processes))
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
