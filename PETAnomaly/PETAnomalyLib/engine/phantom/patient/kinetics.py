"""What changes FDG uptake together: time after injection, glucose, body fat, age.

Each number is an exponent: an organ's SUV goes with (minutes / 65) to this power, and so on; of age
it is the logarithm's change a year. What is not listed does not change, but with body fat.

References:
    time: Laffon 2011 (the liver within 5 % from 50 to 110 minutes), PMID 25030283 (liver, blood and
    most tissues fall from 1 to 3 hours, the heart rises).
    glucose: Viglianti 2017 and Sprinz 2018 (the brain falls), Lindholm 2013 (muscle rises a little,
    liver, spleen, lung, blood and marrow do not change).
    fat: Sarikaya 2020 (liver 4.1 in the obese, 3.0 in others; blood 3.2 and 2.4).
    age: Wang 2007 and Nakamoto 2005 (tonsils, sublingual glands, lung), Kitajima 2007 (testis).
"""

from __future__ import annotations

from PETAnomalyLib.engine.phantom.organs import Organ

REFERENCE_MINUTES = 65.0
REFERENCE_GLUCOSE = 5.6  # mmol/l

TIME: dict[Organ, float] = {
    Organ.BLOOD: -0.5,
    Organ.LUNG: -0.35,
    Organ.SOFT: -0.3,
    Organ.KIDNEY: -0.25,
    Organ.SPLEEN: -0.25,
    Organ.VESSEL_WALL: -0.2,
    Organ.LIVER: -0.2,
    Organ.PANCREAS: -0.15,
    Organ.FAT: -0.15,
    Organ.VISCERAL_FAT: -0.15,
    Organ.BREAST: -0.1,
    Organ.THYROID: -0.1,
    Organ.MARROW: 0.05,
    Organ.SMALL_BOWEL: 0.1,
    Organ.COLON: 0.15,
    Organ.STOMACH: 0.1,
    Organ.BRAIN: 0.25,
    Organ.CEREBELLUM: 0.2,
    Organ.MYOCARDIUM: 0.4,
}
GLUCOSE: dict[Organ, float] = {
    Organ.BRAIN: -0.6,
    Organ.CEREBELLUM: -0.5,
    Organ.EYE_MUSCLE: 0.1,
    Organ.MUSCLE: 0.3,
    Organ.TONGUE: 0.2,
    Organ.MYOCARDIUM: 0.4,
    Organ.LIVER: 0.08,
    Organ.BLOOD: 0.08,
}
FAT: dict[Organ, float] = {
    Organ.LIVER: 0.7,
    Organ.BLOOD: 0.7,
    Organ.SPLEEN: 0.65,
    Organ.VESSEL_WALL: 0.6,
    Organ.FAT: 0.1,
    Organ.VISCERAL_FAT: 0.1,
    Organ.MYOCARDIUM: 0.2,
}
ANY_FAT = 0.5  # of organs that are not in `FAT`
AGE: dict[Organ, float] = {
    Organ.SUBLINGUAL_GLAND: -0.012,
    Organ.THYMUS: -0.011,
    Organ.TONSIL: -0.008,
    Organ.BREAST: -0.006,
    Organ.TESTIS: -0.005,
    Organ.MARROW: -0.004,
    Organ.BRAIN: -0.003,
    Organ.CEREBELLUM: -0.002,
    Organ.LUNG: -0.003,
    Organ.PROSTATE: 0.002,
    Organ.LIVER: 0.002,
    Organ.BLOOD: 0.002,
    Organ.VESSEL_WALL: 0.005,
}
TUMOUR_TIME, TUMOUR_GLUCOSE = 0.4, -0.3
"""Malignant tumours rise by some 30 % from 60 to 120 minutes; glucose competes with FDG."""
