"""What adults' organs measure, by the literature: the ranges that phantoms are drawn from.

Volumes are of one person's organ, both sides together; uptake is the mean SUVbw some 60 minutes
after injection, attenuation the mean HU without contrast medium.

References:
    ICRP 89 (2002), ICRP 110 (2009): reference masses.
"""

from __future__ import annotations

from dataclasses import dataclass

from PETAnomalyLib.engine.phantom.organs import Organ


@dataclass(frozen=True)
class Range:
    """Mean and standard deviation over adults."""

    mean: float
    sd: float


@dataclass(frozen=True)
class Published:
    """An organ in the literature; None where nothing is drawn from it.

    Attributes:
        male_ml, female_ml: volume, both sides together.
        suv: mean SUVbw of the organ, g/ml.
        hu: mean attenuation without contrast medium, HU.
        enhanced_hu: what contrast medium adds in the portal venous phase, HU.
    """

    male_ml: Range | None
    female_ml: Range | None
    suv: Range
    hu: Range
    enhanced_hu: float = 0.0


PUBLISHED: dict[Organ, Published] = {
    Organ.FAT: Published(None, None, Range(0.28, 0.08), Range(-102, 8)),
    Organ.VISCERAL_FAT: Published(None, None, Range(0.32, 0.09), Range(-98, 8)),
    Organ.MUSCLE: Published(None, None, Range(0.72, 0.15), Range(54, 8), 12),
    Organ.CORTEX: Published(None, None, Range(0.75, 0.2), Range(650, 150)),
    Organ.MARROW: Published(None, None, Range(1.45, 0.4), Range(160, 45), 10),
    Organ.DISC: Published(None, None, Range(0.65, 0.15), Range(85, 15)),
    Organ.SPINAL_CORD: Published(Range(36, 5), Range(33, 5), Range(1.4, 0.3), Range(34, 6)),
    Organ.BREAST: Published(None, Range(110, 50), Range(0.9, 0.3), Range(20, 15), 15),
    Organ.SOFT: Published(None, None, Range(0.9, 0.25), Range(25, 15), 10),
    Organ.BLOOD: Published(None, None, Range(1.65, 0.35), Range(42, 6), 120),
    Organ.VESSEL_WALL: Published(None, None, Range(1.75, 0.4), Range(48, 10), 40),
    Organ.MYOCARDIUM: Published(Range(175, 30), Range(130, 25), Range(4.5, 3.5), Range(45, 6), 60),
    Organ.LUNG: Published(Range(3600, 900), Range(2700, 700), Range(0.5, 0.12), Range(-800, 40)),
    Organ.THYMUS: Published(Range(22, 10), Range(18, 9), Range(1.5, 0.5), Range(20, 25), 10),
    Organ.OESOPHAGUS: Published(Range(38, 8), Range(33, 7), Range(1.6, 0.4), Range(38, 8), 20),
    Organ.BRAIN: Published(Range(1290, 110), Range(1140, 100), Range(6.5, 1.6), Range(36, 4), 5),
    Organ.CEREBELLUM: Published(Range(150, 15), Range(135, 14), Range(5.5, 1.3), Range(36, 4), 5),
    Organ.EYE: Published(Range(14.5, 1.2), Range(14, 1.2), Range(1.0, 0.3), Range(15, 6)),
    Organ.EYE_MUSCLE: Published(Range(7.5, 1.2), Range(6.5, 1.1), Range(3.2, 1.0), Range(50, 8), 15),
    Organ.LACRIMAL_GLAND: Published(Range(1.4, 0.4), Range(1.3, 0.4), Range(1.9, 0.6), Range(45, 8), 15),
    Organ.PAROTID: Published(Range(56, 12), Range(46, 11), Range(1.8, 0.6), Range(-10, 30), 20),
    Organ.SUBMANDIBULAR_GLAND: Published(Range(20, 5), Range(17, 4), Range(2.0, 0.6), Range(45, 15), 30),
    Organ.SUBLINGUAL_GLAND: Published(Range(6, 1.5), Range(5.5, 1.4), Range(2.6, 1.1), Range(35, 12), 20),
    Organ.TONSIL: Published(Range(7, 3), Range(6, 2.5), Range(3.2, 1.0), Range(50, 8), 25),
    Organ.TONGUE: Published(Range(75, 14), Range(62, 12), Range(1.5, 0.4), Range(45, 10), 15),
    Organ.FLOOR_OF_MOUTH: Published(Range(18, 5), Range(15, 4), Range(2.2, 0.7), Range(50, 8), 15),
    Organ.VOCAL_CORDS: Published(Range(2.4, 0.6), Range(1.6, 0.4), Range(2.0, 0.7), Range(50, 10), 10),
    Organ.THYROID: Published(Range(19, 7), Range(15, 6), Range(1.3, 0.3), Range(105, 20), 60),
    Organ.LIVER: Published(Range(1700, 300), Range(1400, 250), Range(2.3, 0.4), Range(56, 9), 50),
    Organ.GALLBLADDER: Published(Range(36, 15), Range(31, 14), Range(0.7, 0.2), Range(9, 6)),
    Organ.SPLEEN: Published(Range(220, 80), Range(170, 65), Range(1.9, 0.35), Range(48, 6), 60),
    Organ.PANCREAS: Published(Range(82, 18), Range(70, 16), Range(1.4, 0.35), Range(38, 9), 50),
    Organ.ADRENAL: Published(Range(9.5, 2.5), Range(8, 2.2), Range(1.5, 0.4), Range(20, 12), 35),
    Organ.KIDNEY: Published(Range(340, 55), Range(280, 50), Range(2.8, 0.6), Range(33, 5), 130),
    Organ.BLADDER_WALL: Published(Range(48, 10), Range(40, 9), Range(1.5, 0.5), Range(38, 8), 20),
    Organ.STOMACH: Published(Range(330, 110), Range(300, 100), Range(1.9, 0.6), Range(40, 12), 30),
    Organ.SMALL_BOWEL: Published(Range(760, 170), Range(680, 150), Range(1.5, 0.5), Range(35, 12), 30),
    Organ.COLON: Published(Range(720, 190), Range(660, 170), Range(1.4, 0.5), Range(30, 20), 20),
    Organ.UTERUS: Published(None, Range(75, 25), Range(1.8, 0.6), Range(45, 8), 45),
    Organ.OVARY: Published(None, Range(11, 4), Range(1.6, 0.5), Range(30, 10), 20),
    Organ.PROSTATE: Published(Range(30, 12), None, Range(1.9, 0.5), Range(42, 7), 25),
    Organ.TESTIS: Published(Range(36, 8), None, Range(2.3, 0.6), Range(38, 7), 15),
    Organ.PENIS: Published(Range(55, 14), None, Range(1.3, 0.4), Range(42, 8), 15),
}
"""Thymus, uterus and ovary change with age, others with uptake time and glucose: `uptake.py`."""
