"""Who the patient is: body build, pose and how avidly each organ takes up FDG, drawn by seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas import SPACING_MM, Pose, rotation_matrix, stream


@dataclass(frozen=True)
class Build:
    """Body build. `fat_mm` is the subcutaneous fat at the flank, `visceral` widens the abdomen."""

    sex: str
    height_cm: float
    weight_kg: float
    arms: str
    age: int
    shoulders: float
    hips: float
    fat_mm: float
    visceral: float

    @property
    def bmi(self) -> float:
        """Body mass index, kg/m²."""
        return self.weight_kg / (self.height_cm / 100) ** 2

    @property
    def female(self) -> bool:
        """Whether the patient has a female body."""
        return self.sex == "F"


@dataclass(frozen=True)
class Uptake:
    """Mean SUV (g/ml) of the organs before the scanner blurs them; ranges from FDG-PET practice."""

    liver: float
    blood: float
    spleen: float
    lung: float
    muscle: float
    fat: float
    marrow: float
    kidney: float
    urine_kidney: float
    urine_bladder: float
    brain: float
    myocardium: float
    bowel: float
    stomach: float
    gland: float


@dataclass
class Patient:
    """A patient to be painted.

    `variants` collects the physiological uptake that was painted, `benign_findings` the masses
    without uptake (site, diameter_mm).
    """

    seed: int
    build: Build
    uptake: Uptake
    pose: Pose
    contrast: bool
    variants: list[str] = field(default_factory=list)
    benign_findings: list[dict[str, Any]] = field(default_factory=list)

    def stream(self, name: str) -> Generator:
        """The random numbers of one part of this patient."""
        return stream(self.seed, name)


def _normal(rng: Generator, mean: float, sd: float, low: float, high: float) -> float:
    return float(np.clip(rng.normal(mean, sd), low, high))


def _build(rng: Generator) -> Build:
    female = bool(rng.random() < 0.5)
    height = _normal(rng, 163 if female else 176, 7.5, 150, 195)
    bmi = _normal(rng, 26, 5, 17, 40)
    visceral = max(0.0, (bmi - 21) / 15) * rng.uniform(0.4, 1.2) * (0.7 if female else 1.1)
    return Build(
        sex="F" if female else "M",
        height_cm=round(height, 1),
        weight_kg=round(bmi * (height / 100) ** 2, 1),
        arms="down" if rng.random() < 0.25 else "up",
        age=int(rng.integers(18, 90)),
        shoulders=_normal(rng, 0.92 if female else 1.0, 0.035, 0.8, 1.1),
        hips=_normal(rng, 1.04 if female else 1.0, 0.03, 0.9, 1.15),
        fat_mm=max(4.0, (3 + 1.5 * (bmi - 17)) * rng.uniform(0.8, 1.2) * (1.2 if female else 0.85)),
        visceral=float(visceral),
    )


def _uptake(rng: Generator) -> Uptake:
    liver = _normal(rng, 2.35, 0.3, 1.6, 3.2)
    blood = float(np.clip(liver * rng.normal(0.68, 0.06), 1.2, 2.1))
    heart = rng.random()
    if heart < 0.3:
        myocardium = blood * rng.uniform(0.8, 1.3)
    elif heart < 0.6:
        myocardium = rng.uniform(2, 5)
    else:
        myocardium = rng.uniform(5, 14)
    return Uptake(
        liver=liver,
        blood=blood,
        spleen=liver * rng.normal(0.85, 0.07),
        lung=_normal(rng, 0.48, 0.05, 0.38, 0.62),
        muscle=_normal(rng, 0.78, 0.08, 0.58, 0.95),
        fat=_normal(rng, 0.28, 0.04, 0.2, 0.36),
        marrow=_normal(rng, 1.45, 0.28, 1.0, 2.2) * (1.7 if rng.random() < 0.08 else 1.0),
        kidney=_normal(rng, 3.1, 0.4, 2.4, 4.2),
        urine_kidney=float(np.exp(rng.uniform(np.log(5), np.log(25)))),
        urine_bladder=float(np.exp(rng.uniform(np.log(5), np.log(60)))),
        brain=_normal(rng, 8.5, 1.5, 6, 12),
        myocardium=float(myocardium),
        bowel=_normal(rng, 1.4, 0.3, 1.0, 2.2),
        stomach=_normal(rng, 1.8, 0.5, 1.2, 3.5),
        gland=_normal(rng, 2.0, 0.6, 1.2, 4.0),
    )


def _pose(rng: Generator, build: Build) -> Pose:
    size = build.height_cm / 170.0
    breadth = np.sqrt(size) * (0.95 if build.female else 1.0)
    scale = np.array(
        [breadth * rng.normal(1, 0.025), breadth * rng.normal(1, 0.025), size * rng.normal(1, 0.01)]
    )
    bottom, top = rng.uniform(-185, -115), rng.uniform(650, 715)
    tilt = np.clip(rng.normal(0, [2.0, 1.5, 2.0]), -5, 5)
    return Pose(
        scale=scale,
        rotation=rotation_matrix(tilt),
        offset_mm=np.array([rng.normal(0, 9), rng.normal(-5, 14), 0.0]),
        bottom_mm=float(bottom),
        slices=int(np.clip(round((top - bottom) * scale[2] / SPACING_MM[2]), 220, 320)),
    )


def draw_patient(seed: int) -> Patient:
    """The patient of a seed: the same numbers give the same patient, on every machine."""
    build = _build(stream(seed, "build"))
    return Patient(
        seed=seed,
        build=build,
        uptake=_uptake(stream(seed, "uptake")),
        pose=_pose(stream(seed, "pose"), build),
        contrast=bool(stream(seed, "contrast").random() < 0.55),
    )
