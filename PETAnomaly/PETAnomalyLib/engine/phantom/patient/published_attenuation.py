"""CT attenuation of adults' organs, HU: without contrast medium, and what it adds.

The enhancement is that of the portal venous phase, 70 to 80 seconds after injection, at 120 kV.
"""

from __future__ import annotations

from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.ranges import Range

Pair = tuple[Range, "Range | None"]


def _ct(
    native: float, sd: float, source: str = "consensus", adds: float = 0, adds_sd: float = 0
) -> Pair:
    return Range(native, sd, source), (Range(adds, adds_sd, "consensus") if adds else None)


ATTENUATION: dict[Organ, Pair] = {
    Organ.FAT: _ct(-102, 7),
    Organ.VISCERAL_FAT: _ct(-98, 7),
    Organ.MUSCLE: _ct(52, 7, adds=12, adds_sd=4),
    # A shell of some millimetres, with partial volume.
    Organ.CORTEX: _ct(650, 130),
    # L1 has 226 ± 44 below 30 years and loses 2.5 a year.
    Organ.MARROW: _ct(158, 58, "Jang 2019", 10, 4),
    Organ.DISC: _ct(85, 14),
    Organ.SPINAL_CORD: _ct(34, 5),
    Organ.BREAST: _ct(22, 14, adds=18, adds_sd=7),
    Organ.SOFT: _ct(25, 13, adds=10, adds_sd=4),
    Organ.BLOOD: _ct(42, 5, adds=115, adds_sd=22),
    Organ.VESSEL_WALL: _ct(48, 9, adds=40, adds_sd=12),
    Organ.MYOCARDIUM: _ct(45, 6, adds=60, adds_sd=13),
    Organ.LUNG: _ct(-800, 40),
    # Like muscle in the young (-18 ± 46 at 18 to 29), like fat in the old.
    Organ.THYMUS: _ct(-40, 42, "Nakahara 2001; Baron 1982", 15, 6),
    Organ.OESOPHAGUS: _ct(38, 8, adds=22, adds_sd=8),
    Organ.BRAIN: _ct(35, 3, adds=4, adds_sd=1.5),
    Organ.CEREBELLUM: _ct(36, 3, adds=5, adds_sd=2),
    Organ.EYE: _ct(14, 5),
    Organ.EYE_MUSCLE: _ct(48, 8, adds=20, adds_sd=7),
    Organ.LACRIMAL_GLAND: _ct(42, 9, adds=22, adds_sd=8),
    Organ.PAROTID: _ct(-4, 24, "Seoul 1999", 25, 9),
    Organ.SUBMANDIBULAR_GLAND: _ct(50, 15, "Seoul 1999", 35, 11),
    Organ.SUBLINGUAL_GLAND: _ct(38, 13, adds=25, adds_sd=9),
    Organ.TONSIL: _ct(48, 8, adds=28, adds_sd=9),
    Organ.TONGUE: _ct(45, 10, adds=14, adds_sd=5),
    Organ.FLOOR_OF_MOUTH: _ct(48, 8, adds=15, adds_sd=5),
    Organ.VOCAL_CORDS: _ct(50, 9, adds=12, adds_sd=5),
    Organ.THYROID: _ct(105, 18, adds=60, adds_sd=16),
    Organ.LIVER: _ct(57, 9, "Liver CT 2019; Piekarski 1980", 50, 12),
    Organ.GALLBLADDER: _ct(9, 5),
    Organ.SPLEEN: _ct(48, 5, "Piekarski 1980; consensus", 68, 14),
    Organ.PANCREAS: _ct(38, 9, adds=52, adds_sd=13),
    Organ.ADRENAL: _ct(20, 11, adds=38, adds_sd=12),
    Organ.KIDNEY: _ct(33, 4, adds=130, adds_sd=25),
    Organ.BLADDER_WALL: _ct(38, 7, adds=22, adds_sd=8),
    # Wall and what is in them.
    Organ.STOMACH: _ct(38, 18, adds=28, adds_sd=9),
    Organ.SMALL_BOWEL: _ct(35, 11, adds=30, adds_sd=10),
    Organ.COLON: _ct(30, 18, adds=18, adds_sd=7),
    Organ.UTERUS: _ct(45, 7, adds=45, adds_sd=13),
    Organ.OVARY: _ct(28, 9, adds=20, adds_sd=8),
    Organ.PROSTATE: _ct(42, 6, adds=28, adds_sd=9),
    Organ.TESTIS: _ct(38, 6, adds=15, adds_sd=6),
    Organ.PENIS: _ct(42, 7, adds=15, adds_sd=6),
}
