"""Body build."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.random_numbers import stream, within


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
    def female(self) -> bool:
        """Whether the patient has a female body."""
        return self.sex == "F"


def draw_build(seed: int) -> Build:
    """The build of a seed: adults of 18 to 89 years, BMI 16 to 45."""
    rng = stream(seed, "build")
    female = bool(rng.random() < 0.5)
    height = float(np.clip(rng.normal(163 if female else 176, 7), 145, 200))
    bmi = float(np.clip(rng.normal(26, 4.5) + (rng.exponential(3.5) - 1.5), 16, 45))
    visceral = max(0.0, (bmi - 21) / 15) * rng.uniform(0.4, 1.2) * (0.7 if female else 1.1)
    lean = within(rng, 0.92 if female else 1.0, 0.06) * (0.85 + 0.15 * bmi / 26)
    return Build(
        sex="F" if female else "M",
        height_cm=round(height, 1),
        weight_kg=round(bmi * (height / 100) ** 2, 1),
        age=int(rng.integers(18, 90)),
        arms=str(rng.choice(["up", "down", "crossed"], p=[0.68, 0.2, 0.12])),
        shoulders=within(rng, 0.92 if female else 1.0, 0.035),
        hips=within(rng, 1.04 if female else 1.0, 0.03),
        fat_mm=max(4.0, (3 + 1.5 * (bmi - 17)) * rng.uniform(0.8, 1.2) * (1.2 if female else 0.85)),
        visceral=float(visceral),
        muscle=lean,
    )
