"""What is particular about a patient: variants, diseases that are not cancer, surgery, devices.

How often each is drawn is said beside it: oftener than in a clinic where it is rare there, so that
a network sees hundreds of each.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.phantom.canvas.random_numbers import stream
from PETAnomalyLib.engine.phantom.patient.build import Build


@dataclass(frozen=True)
class Conditions:
    """What was drawn; sides are +1 for the patient's left, -1 for the right, 0 for none.

    Attributes:
        contrast: contrast medium in the vessels at CT, portal venous phase.
        diagnostic_ct: else a low-dose CT.
        missing_kidney: side without a kidney.
        transplant: side of the pelvis with a transplanted kidney.
        hip_prosthesis: side.
        pacemaker: side of the chest.
        port: side of the chest, with a catheter to the superior vena cava.
        stoma: side of the belly.
        no_gallbladder, no_spleen: taken out.
        effusion_ml: pleural, right and left, 0 for none.
        atelectasis: share of the lower lobe that has collapsed, right and left.
        ascites_ml: 0 for none.
        heart: "none", "low", "diffuse", "base", "lateral", "septal", "papillary" or "right".
        stimulated_marrow: factor of the marrow's uptake, 1 for none; the spleen follows.
        exercised: muscles that worked: "", "limbs", "neck", "all" (insulin) or "chewing".
        brown_fat: SUV of active brown fat, 0 for none.
        thyroiditis: SUV of a diffusely inflamed thyroid, 0 for none.
        vasculitis: factor of the walls of large vessels, 1 for none.
        extravasation: side of the injection whose tracer lies beside the vein.
        metformin: bowel with diffuse intense uptake.
        degenerative: number of degenerative joints and discs with uptake.
        cycle: phase of women before menopause, "menstrual", "follicular", "ovulatory" or "luteal";
            "" of others.
    """

    contrast: bool
    diagnostic_ct: bool
    missing_kidney: int
    transplant: int
    hip_prosthesis: int
    pacemaker: int
    port: int
    stoma: int
    no_gallbladder: bool
    no_spleen: bool
    effusion_ml: tuple[float, float]
    atelectasis: tuple[float, float]
    ascites_ml: float
    heart: str
    stimulated_marrow: float
    exercised: str
    brown_fat: float
    thyroiditis: float
    vasculitis: float
    extravasation: int
    metformin: bool
    degenerative: int
    cycle: str


HEARTS = {"none": 0.2, "low": 0.2, "diffuse": 0.3, "base": 0.08, "lateral": 0.1, "septal": 0.04,
          "papillary": 0.04, "right": 0.04}  # fmt: skip
PHASES = {"menstrual": 5 / 28, "follicular": 8 / 28, "ovulatory": 3 / 28, "luteal": 12 / 28}
MENOPAUSE_YEARS = 51


def draw_conditions(seed: int, build: Build) -> Conditions:
    """The conditions of a seed."""

    def side(name: str, share: float) -> int:
        rng = stream(seed, name)
        return int(rng.choice([-1, 1])) if rng.random() < share else 0

    def value(name: str, share: float, low: float, high: float, otherwise: float) -> float:
        rng = stream(seed, name)
        drawn = float(np.exp(rng.uniform(np.log(low), np.log(high))))
        return drawn if rng.random() < share else otherwise

    def pair(name: str, share: float, low: float, high: float) -> tuple[float, float]:
        return value(f"{name} right", share, low, high, 0.0), value(f"{name} left", share, low,
                                                                    high, 0.0)  # fmt: skip

    rng = stream(seed, "conditions")
    old = build.age / 60
    diagnostic = bool(rng.random() < 0.55)
    contrast = diagnostic and bool(rng.random() < 0.85)
    no_gallbladder, no_spleen = bool(rng.random() < 0.08), bool(rng.random() < 0.02)
    heart = str(rng.choice(list(HEARTS), p=list(HEARTS.values())))
    exercised = str(rng.choice(["", "limbs", "neck", "all", "chewing"],
                               p=[0.86, 0.05, 0.04, 0.02, 0.03]))  # fmt: skip
    phase = str(rng.choice(list(PHASES), p=list(PHASES.values())))
    cool = 0.16 if build.bmi < 25 and build.age < 50 else 0.04
    return Conditions(
        contrast=contrast,
        diagnostic_ct=diagnostic,
        missing_kidney=side("missing kidney", 0.03),
        transplant=side("transplant", 0.03),
        hip_prosthesis=side("hip prosthesis", min(0.05 * old, 0.08)),
        pacemaker=side("pacemaker", min(0.04 * old, 0.06)),
        port=side("port", 0.1),
        stoma=side("stoma", 0.03),
        no_gallbladder=no_gallbladder,
        no_spleen=no_spleen,
        effusion_ml=pair("effusion", 0.05, 60, 1200),
        atelectasis=pair("atelectasis", 0.08, 0.05, 0.5),
        ascites_ml=value("ascites", 0.04, 150, 3000, 0.0),
        heart=heart,
        stimulated_marrow=value("stimulated marrow", 0.07, 1.5, 3.0, 1.0),
        exercised=exercised,
        brown_fat=value("brown fat", cool, 2.0, 14.0, 0.0),
        thyroiditis=value("thyroiditis", 0.05, 2.5, 9.0, 0.0),
        vasculitis=value("vasculitis", 0.04, 1.4, 2.6, 1.0),
        extravasation=side("extravasation", 0.08),
        metformin=bool(stream(seed, "metformin").random() < 0.08),
        degenerative=int(stream(seed, "degenerative").poisson(max(0.2, 2.2 * (old - 0.4)))),
        cycle=phase if build.female and build.age < MENOPAUSE_YEARS else "",
    )
