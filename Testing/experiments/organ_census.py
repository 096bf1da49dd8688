"""Do phantoms have the organs that people have? Every organ's volume, SUV and HU over many seeds.

    python Testing/experiments/organ_census.py [--seeds 200] [--first 0] [--processes 2]
        [--out FILE]

Each patient is painted whole, from soles to vertex, without lesions and scanner, and each organ is
measured on the canvas. Beside it stand the published range and its sources
(`engine/phantom/patient/published.py`). A patient whose condition or variant alters an organ does
not count for it: a stimulated marrow is not a normal one. HU are those of patients without contrast
medium, without gas and oral contrast medium in the bowel, skin, calcified vessel walls and fatty
livers. Marrow is that of vertebrae, which the literature measures.
Prints Markdown; `--out` writes it into a file, too.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PETAnomalyLib.engine.phantom.canvas.canvas import VOXEL_ML
from PETAnomalyLib.engine.phantom.organs import Organ, organ_name
from PETAnomalyLib.engine.phantom.patient.patient import (
    SOLES_MM,
    VERTEX_MM,
    Patient,
    draw_patient,
)
from PETAnomalyLib.engine.phantom.patient.published import PUBLISHED
from PETAnomalyLib.engine.phantom.patient.ranges import Range
from PETAnomalyLib.engine.phantom.study import paint_patient
from PETAnomalyLib.engine.runtime.console import ConsoleReporter
from PETAnomalyLib.engine.runtime.worker_pool import for_each

BEYOND_MM = 30.0  # of air above the vertex and below the soles
FAR = 3.0  # standard deviations
ORGANS = len(Organ)
Numbers = NDArray[np.float64]

TISSUE_HU: dict[Organ, tuple[float, float]] = {
    Organ.OESOPHAGUS: (-300.0, 150.0),
    Organ.STOMACH: (-300.0, 150.0),
    Organ.SMALL_BOWEL: (-300.0, 150.0),
    Organ.COLON: (-300.0, 150.0),
    Organ.FAT: (-200.0, -60.0),
}
"""What is thinner or denser is gas or oral contrast medium, and skin, not the organ."""
CALCIFIED = Organ.VESSEL_WALL  # its plaques; the wall itself is thinner than a voxel

ALTERED: dict[Organ, Callable[[Patient], bool]] = {
    Organ.MARROW: lambda p: p.conditions.stimulated_marrow > 1,
    Organ.SPLEEN: lambda p: p.conditions.no_spleen or p.conditions.stimulated_marrow > 1,
    Organ.KIDNEY: lambda p: p.conditions.missing_kidney != 0 or p.conditions.transplant != 0,
    Organ.GALLBLADDER: lambda p: p.conditions.no_gallbladder,
    Organ.THYROID: lambda p: p.conditions.thyroiditis > 0,
    Organ.VESSEL_WALL: lambda p: p.conditions.vasculitis > 1,
    Organ.SMALL_BOWEL: lambda p: p.conditions.metformin or p.conditions.stoma != 0,
    Organ.COLON: lambda p: p.conditions.metformin or p.conditions.stoma != 0,
    Organ.MUSCLE: lambda p: p.conditions.exercised != "",
    Organ.TONGUE: lambda p: p.conditions.exercised == "chewing",
    Organ.FLOOR_OF_MOUTH: lambda p: p.conditions.exercised == "chewing",
    Organ.LUNG: lambda p: sum(p.conditions.effusion_ml) + sum(p.conditions.atelectasis) > 0,
    Organ.VISCERAL_FAT: lambda p: p.conditions.ascites_ml > 0,
}

VERTEBRAE_MM = (25.0, 85.0, 520.0)  # body x to either side, body z from and to

VARIANTS: dict[Organ, frozenset[str]] = {
    Organ.VOCAL_CORDS: frozenset({"vocal cord palsy", "vocal cords", "larynx"}),
    Organ.TONSIL: frozenset({"asymmetric tonsils", "tonsils"}),
    Organ.PAROTID: frozenset({"sialadenitis"}),
    Organ.SUBMANDIBULAR_GLAND: frozenset({"sialadenitis"}),
    Organ.THYROID: frozenset({"thyroid"}),
    Organ.LUNG: frozenset({"emphysema"}),
    Organ.STOMACH: frozenset({"stomach wall", "hiatal hernia"}),
    Organ.SMALL_BOWEL: frozenset({"diffuse bowel uptake"}),
    Organ.COLON: frozenset({"diffuse bowel uptake"}),
    Organ.GALLBLADDER: frozenset({"gallstones", "hot bile", "gallbladder wall"}),
    Organ.ADRENAL: frozenset({"adrenal"}),
    Organ.UTERUS: frozenset({"fibroid uterus"}),
    Organ.OVARY: frozenset({"ovary", "ovarian cyst"}),
    Organ.PROSTATE: frozenset({"prostate focus"}),
    Organ.TESTIS: frozenset({"testes"}),
}
"""Variants that were painted and are not the normal organ."""


@dataclass(frozen=True)
class Measured:
    """One patient's organs, by `Organ` code; NaN where there is none or a condition alters it.

    Attributes:
        sex: "F" or "M".
        volume_ml, suv, hu: of the whole organ; HU only without contrast medium.
        drawn_ml, drawn_suv, drawn_hu: what the patient's was drawn as; no volume is published of
            fat and the like.
        mass_kg: of all painted voxels, by their HU; `weight_kg`: what it should be.
        mean_suv: over the body; 1 if nothing is excreted and the weight is right.
    """

    sex: str
    volume_ml: Numbers
    suv: Numbers
    hu: Numbers
    drawn_ml: Numbers
    drawn_suv: Numbers
    drawn_hu: Numbers
    mass_kg: float
    weight_kg: float
    mean_suv: float


def whole(patient: Patient) -> Patient:
    """The patient in a scan from below the soles to above the vertex, so that organs are whole."""
    bottom, top = SOLES_MM - BEYOND_MM, VERTEX_MM + BEYOND_MM
    pose = patient.pose
    length = float((top - bottom) * pose.scale[2])
    # The middle of the scan stays where it was.
    offset = pose.offset_mm + (pose.length_mm - length) / 2 * pose.rotation[2] * [1, 1, 0]
    pose = replace(pose, bottom_mm=bottom, length_mm=length, offset_mm=offset)
    return replace(patient, pose=pose)


def altered(patient: Patient, organ: Organ) -> bool:
    """Whether a condition or a variant makes this organ of a painted patient no normal one."""
    conditions = ALTERED.get(organ)
    if conditions is not None and conditions(patient):
        return True
    return not VARIANTS.get(organ, frozenset()).isdisjoint(patient.variants)


def measure(seed: int) -> Measured:
    """The organs of the patient of a seed."""
    patient = whole(draw_patient(seed))
    canvas, _ = paint_patient(patient)
    organs = canvas.organ.ravel()
    count = np.bincount(organs, minlength=ORGANS).astype(float)
    absent = count == 0
    count[absent] = np.nan
    suv = np.bincount(organs, canvas.suv.ravel(), ORGANS) / count
    hu = np.bincount(organs, canvas.hu.ravel(), ORGANS) / count
    for organ, (thinnest, densest) in TISSUE_HU.items():
        inside = canvas.hu[canvas.organ == organ]
        inside = inside[(inside > thinnest) & (inside < densest)]
        hu[organ] = inside.mean() if inside.size else np.nan
    hu[CALCIFIED] = np.nan
    aside, low, high = VERTEBRAE_MM
    vertebrae = (canvas.organ == Organ.MARROW) & (np.abs(canvas.x) < aside)
    vertebrae &= (canvas.z > low) & (canvas.z < high)
    suv[Organ.MARROW] = canvas.suv[vertebrae].mean()
    hu[Organ.MARROW] = canvas.hu[vertebrae].mean()
    if "fatty liver" in patient.variants:
        hu[Organ.LIVER] = np.nan
    volume = count * VOXEL_ML
    drawn, drawn_suv, drawn_hu = (np.full(ORGANS, np.nan) for _ in range(3))
    for organ, known in PUBLISHED.items():
        if known.volume(patient.build.sex):
            drawn[organ] = patient.volume_ml(organ)
        drawn_suv[organ], drawn_hu[organ] = patient.suv(organ), patient.hu(organ)
        if altered(patient, organ):
            for numbers in (volume, suv, hu, drawn):
                numbers[organ] = np.nan
    body = canvas.organ > 0
    return Measured(
        sex=patient.build.sex,
        volume_ml=volume,
        suv=suv,
        hu=np.full(ORGANS, np.nan) if patient.conditions.contrast else hu,
        drawn_ml=drawn,
        drawn_suv=drawn_suv,
        drawn_hu=drawn_hu,
        mass_kg=float((1 + canvas.hu[body].clip(-1000, 1200) / 1000).sum() * VOXEL_ML / 1000),
        weight_kg=patient.build.weight_kg,
        mean_suv=float(canvas.suv[body].sum() * VOXEL_ML / 1000 / patient.build.weight_kg),
    )


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
    """Of every organ's "suv" or "hu"."""
    for organ, known in PUBLISHED.items():
        values = np.array([getattr(p, what)[organ] for p in patients])
        values = values[np.isfinite(values)]
        if values.size:
            yield Row(organ, "all", getattr(known, what), values, float("nan"))


def report(patients: Sequence[Measured]) -> str:
    """The tables, Markdown."""
    lines = ["**Volumes, ml**", "", *_head("organ | | published | phantoms | beyond 3 SD | kept")]
    for row in volumes(patients):
        lines.append(
            f"| {organ_name(row.organ)} | {row.who} | {_range(row.known, 1)} | "
            f"{_measured(row, 1)} | {_percent(row.far)} | {_percent(row.kept)} | "
            f"{row.known.source} |"
        )
    for what, title, digits in (
        ("suv", "**Uptake, mean SUVbw**", 2),
        ("hu", "**Attenuation without contrast medium, HU**", 0),
    ):
        lines += ["", title, "", *_head("organ | published | phantoms | beyond 3 SD")]
        for row in averages(patients, what):
            lines.append(
                f"| {organ_name(row.organ)} | {_range(row.known, digits)} | "
                f"{_measured(row, digits)} | {_percent(row.far)} | {row.known.source} |"
            )
    masses = np.array([p.mass_kg / p.weight_kg for p in patients])
    means = np.array([p.mean_suv for p in patients])
    lines += [
        "",
        f"{len(patients)} phantoms. Mean (standard deviation). *Kept*: painted of the drawn "
        f"volume. The painted bodies weigh {masses.mean():.2f} ({masses.std():.2f}) of the "
        f"patients' weight, and hold {means.mean():.2f} ({means.std():.2f}) of what was injected.",
    ]
    return "\n".join(lines)


def _head(columns: str) -> list[str]:
    names = f"| {columns} | source |"
    return [names, "|---" * (names.count("|") - 1) + "|"]


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
