"""What is particular about a patient: variants, diseases that are not cancer, surgery, devices.

`SHARES` says how often each is drawn, oftener than in a clinic where it is rare there, so that a
network sees hundreds of each; and how often clinics see it (names: `references.py`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

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


@dataclass(frozen=True)
class Share:
    """How often a condition is drawn, and how often it is seen.

    Attributes:
        drawn: share of the patients (of those with the age, sex or scan for it).
        low, high: of what is drawn log-uniformly; both 0 where nothing is.
        seen: in clinics, in words, with its source.
    """

    drawn: float
    low: float
    high: float
    seen: str


SHARES: dict[str, Share] = {
    "missing kidney": Share(0.03, 0, 0, "agenesis 0.1 %, nephrectomy oftener (consensus)"),
    "transplant": Share(0.03, 0, 0, "below 1 % (consensus)"),
    "hip prosthesis": Share(0.05, 0, 0, "2.3 % from 50 years on, 5 % at 80 (Kremers 2015)"),
    "pacemaker": Share(0.04, 0, 0, "2 to 3 % of the old (consensus)"),
    "port": Share(0.14, 0, 0, "37 % of patients with cancer (Ports)"),
    "stoma": Share(0.03, 0, 0, "a few % (consensus)"),
    "no gallbladder": Share(0.09, 0, 0, "about 10 % of adults (consensus)"),
    "no spleen": Share(0.02, 0, 0, "below 1 % (consensus)"),
    "effusion": Share(0.05, 60, 1200, "some 10 % with cancer, ml a side (consensus)"),
    "atelectasis": Share(0.08, 0.05, 0.5, "dependent lung of the old, of the lobe (consensus)"),
    "ascites": Share(0.04, 150, 3000, "a few %, ml (consensus)"),
    "stimulated marrow": Share(0.07, 1.5, 3.0, "after growth factors, factor (consensus)"),
    "brown fat": Share(0.06, 2.0, 14.0, "3.6 % (PMC5594988), SUV; women 7.5 % (Cypess 2009)"),
    "thyroiditis": Share(0.05, 2.5, 9.0, "2 to 3 %, SUV (consensus)"),
    "vasculitis": Share(0.04, 1.4, 2.6, "atheroma oftener, factor (consensus)"),
    "extravasation": Share(0.08, 0, 0, "10.5 % (Osman 2011)"),
    "metformin": Share(0.08, 0, 0, "intense bowel in 11 % of the healthy (Yasuda 1998)"),
}
HEARTS = {"none": 0.2, "low": 0.16, "diffuse": 0.28, "base": 0.1, "lateral": 0.13, "septal": 0.04,
          "papillary": 0.05, "right": 0.04}  # fmt: skip
"""PMC7408629: none 36 %, diffuse 26 %, focal or focal on diffuse 38 %. "none" and "low" share the
first."""
EXERCISED = {"": 0.86, "limbs": 0.05, "neck": 0.04, "all": 0.02, "chewing": 0.03}
PHASES = {"menstrual": 5 / 28, "follicular": 8 / 28, "ovulatory": 3 / 28, "luteal": 12 / 28}
MENOPAUSE_YEARS = 51
DIAGNOSTIC, CONTRAST = 0.55, 0.85  # of CTs; of diagnostic ones


def draw_conditions(seed: int, build: Build) -> Conditions:
    """The conditions of a seed."""
    old = build.age / 60
    rng = stream(seed, "conditions")
    diagnostic = bool(rng.random() < DIAGNOSTIC)
    contrast = diagnostic and bool(rng.random() < CONTRAST)
    heart = _one_of(rng, HEARTS)
    exercised = _one_of(rng, EXERCISED)
    phase = _one_of(rng, PHASES)
    return Conditions(
        contrast=contrast,
        diagnostic_ct=diagnostic,
        missing_kidney=_side(seed, "missing kidney"),
        transplant=_side(seed, "transplant"),
        hip_prosthesis=_side(seed, "hip prosthesis", min(old**2, 1.8)),
        pacemaker=_side(seed, "pacemaker", min(old**2, 1.8)),
        port=_side(seed, "port"),
        stoma=_side(seed, "stoma"),
        no_gallbladder=_side(seed, "no gallbladder") != 0,
        no_spleen=_side(seed, "no spleen") != 0,
        effusion_ml=_pair(seed, "effusion"),
        atelectasis=_pair(seed, "atelectasis"),
        ascites_ml=_value(seed, "ascites"),
        heart=heart,
        stimulated_marrow=_value(seed, "stimulated marrow", otherwise=1.0),
        exercised=exercised,
        brown_fat=_value(seed, "brown fat", times=_brown(build)),
        thyroiditis=_value(seed, "thyroiditis", times=1.4 if build.female else 0.6),
        vasculitis=_value(seed, "vasculitis", times=min(old, 1.4), otherwise=1.0),
        extravasation=_side(seed, "extravasation"),
        metformin=_side(seed, "metformin") != 0,
        degenerative=int(stream(seed, "degenerative").poisson(max(0.2, 2.2 * (old - 0.4)))),
        cycle=phase if build.female and build.age < MENOPAUSE_YEARS else "",
    )


def _side(seed: int, name: str, times: float = 1.0) -> int:
    """+1 for the left, -1 for the right, 0 for none; `times` as often as its share."""
    rng = stream(seed, name)
    side = int(rng.choice([-1, 1]))
    return side if rng.random() < SHARES[name].drawn * times else 0


def _value(
    seed: int, name: str, times: float = 1.0, otherwise: float = 0.0, where: str = ""
) -> float:
    share = SHARES[name]
    rng = stream(seed, f"{name}{where}")
    drawn = float(np.exp(rng.uniform(np.log(share.low), np.log(share.high))))
    return drawn if rng.random() < share.drawn * times else otherwise


def _pair(seed: int, name: str) -> tuple[float, float]:
    """Right and left; the other side has it, too, in a third of those who have one."""
    right, left = _value(seed, name, where=" right"), _value(seed, name, where=" left")
    if (right > 0) != (left > 0) and stream(seed, f"{name} of both sides").random() < 1 / 3:
        other = max(right, left) * float(stream(seed, f"{name} of the other side").uniform(0.3, 1))
        right, left = right or other, left or other
    return right, left


def _brown(build: Build) -> float:
    """How much oftener than others this patient has brown fat: young, lean, women."""
    return (
        (1.4 if build.female else 0.6)
        * (1.7 if build.bmi < 25 else 0.6)
        * (2.0 if build.age < 40 else 1.0 if build.age < 60 else 0.4)
    )


def _one_of(rng: Generator, shares: dict[str, float]) -> str:
    return str(rng.choice(list(shares), p=list(shares.values())))
