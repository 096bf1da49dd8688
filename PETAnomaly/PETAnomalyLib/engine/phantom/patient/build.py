"""Body build: size, fat and where it lies, muscle, age."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.random_numbers import stream, within

YOUNGEST, OLDEST = 18, 89
HEIGHT_CM = {"F": (163.5, 6.8), "M": (177.0, 7.2)}  # mean and SD of Europeans
BMI = {"F": (26.3, 5.2), "M": (26.9, 4.4)}  # log-normal; likewise
LEAN_FAT_MM = 40.0  # subcutaneous fat at the flank of a body that is half fat


@dataclass(frozen=True)
class Build:
    """Body build.

    Attributes:
        sex: "F" or "M".
        height_cm, weight_kg, age: of the patient; age in years.
        arms: "up", "down" or "crossed" over the belly.
        shoulders, hips: widths, of the reference person's.
        fat_mm: subcutaneous fat at the flank.
        visceral: how much the belly's fat widens it; 0 lean, 1 and more obese.
        muscle: thickness of limbs and trunk muscles, of the reference person's.
    """

    sex: str
    height_cm: float
    weight_kg: float
    age: int
    arms: str
    shoulders: float
    hips: float
    fat_mm: float
    visceral: float
    muscle: float

    @property
    def bmi(self) -> float:
        """Body mass index, kg/m²."""
        return self.weight_kg / (self.height_cm / 100) ** 2

    @property
    def surface_m2(self) -> float:
        """Body surface by Mosteller, m²."""
        return float(np.sqrt(self.height_cm * self.weight_kg / 3600))

    @property
    def female(self) -> bool:
        """Whether the patient has a female body."""
        return self.sex == "F"


def draw_build(seed: int) -> Build:
    """The build of a seed: adults of 18 to 89 years, all ages alike, BMI 16 to 46."""
    rng = stream(seed, "build")
    female = bool(rng.random() < 0.5)
    sex = "F" if female else "M"
    height = float(np.clip(rng.normal(*HEIGHT_CM[sex]), 145, 202))
    mean, sd = BMI[sex]
    bmi = float(np.clip(mean * np.exp(rng.normal(0, sd / mean) - 0.5 * (sd / mean) ** 2), 16, 46))
    age = int(rng.integers(YOUNGEST, OLDEST + 1))
    fat = fat_share(bmi, age, female)
    inside = float(rng.uniform(0, 1))  # of the fat that can be in the belly or under the skin
    belly = max(0.0, (bmi - 20.5) / 15) * (0.5 + 0.7 * inside) * (0.65 + 0.35 * age / 53)
    # Muscle is lost from about 45 years on, some 0.4 % a year; heavy people have more.
    lean = within(rng, 0.92 if female else 1.0, 0.055) * (0.85 + 0.15 * bmi / 26)
    return Build(
        sex=sex,
        height_cm=round(height, 1),
        weight_kg=round(bmi * (height / 100) ** 2, 1),
        age=age,
        arms=str(rng.choice(["up", "down", "crossed"], p=[0.68, 0.2, 0.12])),
        shoulders=within(rng, 0.92 if female else 1.0, 0.035),
        hips=within(rng, 1.04 if female else 1.0, 0.03),
        fat_mm=max(4.0, LEAN_FAT_MM * fat / (1 - fat) * (1.14 - 0.28 * inside)),
        visceral=belly * (0.75 if female else 1.15),
        muscle=lean * (1 - 0.004 * max(0, age - 45)),
    )


def fat_share(bmi: float, age: int, female: bool) -> float:
    """Fat of the body's mass (Deurenberg 1991), 0.08 to 0.6."""
    percent = 1.2 * bmi + 0.23 * age - (0.0 if female else 10.8) - 5.4
    return float(np.clip(percent, 8, 60)) / 100
