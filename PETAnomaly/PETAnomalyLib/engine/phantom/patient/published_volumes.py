"""Volumes of adults' organs, ml, both sides together: men, women."""

from __future__ import annotations

from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.ranges import Range

Pair = tuple["Range | None", "Range | None"]


def _both(men: float, men_sd: float, women: float, women_sd: float, source: str) -> Pair:
    return Range(men, men_sd, source), Range(women, women_sd, source)


VOLUMES: dict[Organ, Pair] = {
    Organ.SPINAL_CORD: _both(34, 5, 30, 5, "ICRP 110"),
    # Glandular tissue alone, as mammography measures it; ICRP 89 has 500 g with the fat.
    Organ.BREAST: (None, Range(105, 48, "consensus")),
    # Of the ventricles; the whole heart without blood has 314 and 238 ml.
    Organ.MYOCARDIUM: _both(175, 30, 130, 25, "ICRP 89; consensus"),
    # Breathing freely.
    Organ.LUNG: _both(3600, 800, 2800, 600, "consensus"),
    # 25 g of the young man, 20 of the woman; fat replaces it.
    Organ.THYMUS: _both(13.5, 7.5, 11.5, 6.5, "ICRP 89; Araki 2016"),
    Organ.OESOPHAGUS: _both(38, 7, 34, 6, "ICRP 89"),
    # 1450 and 1300 g with the cerebellum.
    Organ.BRAIN: _both(1250, 105, 1115, 95, "ICRP 89"),
    Organ.CEREBELLUM: _both(148, 15, 134, 14, "ICRP 89"),
    Organ.EYE: _both(14.3, 1.2, 14.1, 1.2, "ICRP 89"),
    # 0.69 and 0.73 ml of medial and lateral rectus; ten such.
    Organ.EYE_MUSCLE: _both(7.4, 1.0, 6.8, 0.9, "Nishida 1996"),
    Organ.LACRIMAL_GLAND: _both(1.4, 0.35, 1.5, 0.35, "Bukhari 2014"),
    Organ.PAROTID: _both(50, 11, 42, 10, "ICRP 89"),
    Organ.SUBMANDIBULAR_GLAND: _both(23, 5, 19, 4.5, "ICRP 89"),
    Organ.SUBLINGUAL_GLAND: _both(8.5, 2.1, 7, 1.8, "ICRP 89"),
    # 3 g without the lingual tonsil.
    Organ.TONSIL: _both(6.5, 2.5, 6, 2.3, "ICRP 89; consensus"),
    Organ.TONGUE: _both(70, 12, 58, 10, "ICRP 89"),
    Organ.FLOOR_OF_MOUTH: _both(18, 4.5, 15, 4, "consensus"),
    Organ.VOCAL_CORDS: _both(2.4, 0.5, 1.7, 0.4, "consensus"),
    Organ.THYROID: _both(19, 6.5, 16, 5.5, "ICRP 89"),
    Organ.LIVER: _both(1650, 320, 1380, 270, "SHIP 2018; ICRP 89"),
    Organ.GALLBLADDER: _both(34, 13, 30, 12, "consensus"),
    Organ.SPLEEN: _both(220, 75, 185, 65, "Prassopoulos 1997; Caglar 2014"),
    Organ.PANCREAS: _both(80, 21, 72, 19, "Saisho 2007; Kipp 2019"),
    Organ.ADRENAL: _both(9.5, 2.4, 8, 2, "ICRP 89; consensus"),
    Organ.KIDNEY: _both(354, 58, 282, 48, "SHIP 2024"),
    Organ.BLADDER_WALL: _both(48, 9, 39, 8, "ICRP 89"),
    # With what is in them of a fasting patient: less than ICRP's 400 and 1000 g.
    Organ.STOMACH: _both(330, 105, 300, 95, "ICRP 89"),
    Organ.SMALL_BOWEL: _both(760, 165, 680, 150, "ICRP 89"),
    Organ.COLON: _both(720, 185, 680, 170, "ICRP 89"),
    Organ.UTERUS: (None, Range(47, 21, "Well 2007")),
    Organ.OVARY: (None, Range(7.5, 4.5, "Pavlik 2000")),
    Organ.PROSTATE: (Range(34, 13, "Well 2007"), None),
    Organ.TESTIS: (Range(34, 7.5, "ICRP 89"), None),
    Organ.PENIS: (Range(55, 13, "consensus"), None),
}
