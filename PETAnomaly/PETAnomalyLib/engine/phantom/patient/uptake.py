"""How avidly each organ takes up FDG: by uptake time, glucose, body, age and what was drawn.

The logarithm of an organ's SUV is the published one, plus what time, glucose, fat and age change
(`kinetics.py`), plus chance, part of which is the patient's and shared by all organs: liver, spleen
and blood pool go together. The whole has the published mean and spread. The heart has a level of
its pattern, the uterus and the ovaries one of the cycle's phase. Other conditions (stimulated
marrow, thyroiditis, metformin, exercise, vasculitis) come on top, where their organ is painted.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.random_numbers import stream, within
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient import kinetics
from PETAnomalyLib.engine.phantom.patient.build import Build
from PETAnomalyLib.engine.phantom.patient.conditions import Conditions
from PETAnomalyLib.engine.phantom.patient.published import PUBLISHED
from PETAnomalyLib.engine.phantom.patient.ranges import Range
from PETAnomalyLib.engine.phantom.patient.standing import (
    AGE,
    LOG_BMI,
    draw_z,
    log_sd,
    positive,
    standing,
)

# Logarithms of minutes and of glucose over all patients: mean, standard deviation; a test keeps
# them true.
LOG_MINUTES = (4.219, 0.189)
LOG_GLUCOSE = (1.726, 0.191)
BACKGROUND = frozenset(
    {
        Organ.LIVER, Organ.SPLEEN, Organ.BLOOD, Organ.VESSEL_WALL, Organ.LUNG, Organ.MUSCLE,
        Organ.SOFT, Organ.MARROW, Organ.KIDNEY, Organ.PANCREAS, Organ.FAT, Organ.VISCERAL_FAT,
    }
)  # fmt: skip
SHARED, SHARED_ELSEWHERE = 0.7, 0.35  # of chance, in standard deviations: background, others
HEARTS: dict[str, Range] = {
    "low": Range(2.4, 0.5, "consensus"),
    "diffuse": Range(7.8, 2.6, "consensus"),
    "base": Range(3.6, 0.9, "consensus"),
    "lateral": Range(4.2, 1.1, "consensus"),
    "septal": Range(3.6, 0.9, "consensus"),
    "papillary": Range(3.2, 0.8, "consensus"),
    "right": Range(6.5, 1.8, "consensus"),
}
"""Mean SUV of the whole myocardium; "none" has that of the blood pool."""
HOTTEST_HEART = 15.0
PHASES: dict[Organ, dict[str, float]] = {
    Organ.UTERUS: {"menstrual": 1.45, "follicular": 1.05, "ovulatory": 1.2, "luteal": 1.05},
    Organ.OVARY: {"menstrual": 0.95, "follicular": 1.15, "ovulatory": 1.65, "luteal": 1.35},
}
"""Of the mean of all women (Lerman 2004, Kim 2019)."""
AFTER_MENOPAUSE = {Organ.UTERUS: 0.88, Organ.OVARY: 0.79}  # so that this mean is kept
INSULIN = {Organ.LIVER: 0.85, Organ.BLOOD: 0.85, Organ.SPLEEN: 0.85, Organ.LUNG: 0.9,
           Organ.BRAIN: 0.85, Organ.CEREBELLUM: 0.85, Organ.MYOCARDIUM: 1.3}  # fmt: skip
"""What is left for others when insulin drives FDG into the muscles (exercised "all")."""


@dataclass(frozen=True)
class Uptake:
    """The patient's tracer.

    Attributes:
        seed: of the patient.
        minutes: from injection to scan.
        glucose: mmol/l.
        conditions: what changes it.
        build: age, sex and body fat.
    """

    seed: int
    minutes: float
    glucose: float
    conditions: Conditions
    build: Build

    def of(self, organ: Organ) -> float:
        """Mean SUV (g/ml) of an organ of this patient, before the scanner blurs it."""
        return self._values[organ]

    @property
    def tumours(self) -> float:
        """Factor of malignant lesions: of what they take up at 65 minutes and 5.6 mmol/l."""
        late = (self.minutes / kinetics.REFERENCE_MINUTES) ** kinetics.TUMOUR_TIME
        sweet = (self.glucose / kinetics.REFERENCE_GLUCOSE) ** kinetics.TUMOUR_GLUCOSE
        return float(late * sweet)

    @cached_property
    def _values(self) -> dict[Organ, float]:
        patient = float(stream(self.seed, "uptake together").normal())
        values = {organ: self._draw(organ, patient) for organ in PUBLISHED}
        values[Organ.MYOCARDIUM] = self._heart(values[Organ.BLOOD])
        for organ, phases in PHASES.items():
            values[organ] *= phases.get(self.conditions.cycle, AFTER_MENOPAUSE[organ])
        if self.conditions.exercised == "all":
            for organ, factor in INSULIN.items():
                values[organ] *= factor
        values[Organ.MYOCARDIUM] = min(values[Organ.MYOCARDIUM], HOTTEST_HEART)
        return values

    def _draw(self, organ: Organ, patient: float) -> float:
        known = PUBLISHED[organ].suv
        if organ in PHASES:  # the phase is part of the spread
            known = Range(known.mean, 0.8 * known.sd, known.source)
        loadings = self._loadings(organ, log_sd(known))
        rng = stream(self.seed, f"uptake {organ.name}")
        share = SHARED if organ in BACKGROUND else SHARED_ELSEWHERE
        left = np.sqrt(max(0.0, 1 - sum(part**2 for part in loadings.values())))
        chance = share * patient + np.sqrt(1 - share**2) * rng.normal()
        return positive(known, self._part(loadings) + float(left * chance))

    def _loadings(self, organ: Organ, spread: float) -> dict[str, float]:
        """What of the organ's spread time, glucose, fat and age explain, in its own units."""
        stands = {
            "minutes": kinetics.TIME.get(organ, 0.0) * LOG_MINUTES[1],
            "glucose": kinetics.GLUCOSE.get(organ, 0.0) * LOG_GLUCOSE[1],
            "bmi": kinetics.FAT.get(organ, kinetics.ANY_FAT) * LOG_BMI[1],
            "age": kinetics.AGE.get(organ, 0.0) * AGE[1],
        }
        return {name: change / spread for name, change in stands.items() if change}

    def _part(self, loadings: dict[str, float]) -> float:
        stands = standing(self.build)
        z = {
            "minutes": (np.log(self.minutes) - LOG_MINUTES[0]) / LOG_MINUTES[1],
            "glucose": (np.log(self.glucose) - LOG_GLUCOSE[0]) / LOG_GLUCOSE[1],
            "bmi": stands.bmi,
            "age": stands.age,
        }
        return float(sum(loading * z[name] for name, loading in loadings.items()))

    def _heart(self, blood: float) -> float:
        """Mean SUV of the myocardium, by the heart's pattern."""
        if self.conditions.heart == "none":
            return blood * within(stream(self.seed, "heart level"), 1.0, 0.08)
        known = HEARTS[self.conditions.heart]
        loadings = self._loadings(Organ.MYOCARDIUM, log_sd(known))
        z = draw_z(stream(self.seed, "heart level"), self._part(loadings), loadings)
        return positive(known, z)


def draw_uptake(seed: int, build: Build, conditions: Conditions) -> Uptake:
    """The tracer of a seed: 50 to 120 minutes; fasting glucose, one in seven diabetic."""
    rng = stream(seed, "tracer")
    minutes = float(np.clip(rng.normal(66, 11) + (rng.random() < 0.1) * 30, 50, 120))
    fasting = within(rng, 5.4, 0.7)
    diabetic = rng.random() < (0.22 if build.bmi > 30 else 0.12)
    glucose = min(fasting + (rng.exponential(2.4) if diabetic else 0.0), 13.0)
    return Uptake(
        seed=seed,
        minutes=minutes,
        glucose=max(3.5, glucose),
        conditions=conditions,
        build=build,
    )
