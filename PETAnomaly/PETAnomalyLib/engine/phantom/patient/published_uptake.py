"""Mean SUVbw of adults' organs, g/ml, some 65 minutes after injection, fasting, at 5.6 mmol/l."""

from __future__ import annotations

from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.ranges import Range

UPTAKE: dict[Organ, Range] = {
    Organ.FAT: Range(0.28, 0.08, "consensus"),
    Organ.VISCERAL_FAT: Range(0.34, 0.09, "consensus"),
    Organ.MUSCLE: Range(0.72, 0.15, "Paquet 2004; Zincirkeser 2007"),
    Organ.CORTEX: Range(0.75, 0.2, "consensus"),
    # Of vertebrae; less in limbs.
    Organ.MARROW: Range(1.45, 0.38, "Dias 2022; Zincirkeser 2007"),
    Organ.DISC: Range(0.65, 0.15, "consensus"),
    # 2.1 of the cervical and lowest thoracic cord, where it is brightest.
    Organ.SPINAL_CORD: Range(1.6, 0.35, "Nakamoto 2005"),
    Organ.BREAST: Range(0.95, 0.3, "consensus"),
    Organ.SOFT: Range(0.9, 0.22, "consensus"),
    Organ.BLOOD: Range(1.6, 0.36, "Boktor 2013"),
    Organ.VESSEL_WALL: Range(1.7, 0.38, "Boktor 2013; consensus"),
    # Most of the spread is the heart's pattern.
    Organ.MYOCARDIUM: Range(4.4, 3.1, "PMC7408629; consensus"),
    Organ.LUNG: Range(0.5, 0.12, "Paquet 2004; Wang 2007"),
    Organ.THYMUS: Range(1.3, 0.45, "Nakahara 2001; consensus"),
    Organ.OESOPHAGUS: Range(1.6, 0.4, "Zincirkeser 2007; consensus"),
    # Grey matter 8 to 9, white matter 3 to 4, and CSF.
    Organ.BRAIN: Range(5.8, 1.5, "consensus"),
    # 8.0 ± 2.2 in its cortex.
    Organ.CEREBELLUM: Range(5.7, 1.4, "Wang 2007"),
    Organ.EYE: Range(1.0, 0.28, "consensus"),
    Organ.EYE_MUSCLE: Range(3.2, 1.0, "consensus"),
    Organ.LACRIMAL_GLAND: Range(1.9, 0.6, "consensus"),
    Organ.PAROTID: Range(1.8, 0.65, "Wang 2007; Nakamoto 2005"),
    Organ.SUBMANDIBULAR_GLAND: Range(2.05, 0.6, "Nakamoto 2005"),
    Organ.SUBLINGUAL_GLAND: Range(3.0, 1.3, "Wang 2007; Nakamoto 2005"),
    Organ.TONSIL: Range(3.4, 1.2, "Wang 2007; Nakamoto 2005"),
    Organ.TONGUE: Range(1.4, 0.38, "Nakamoto 2005"),
    # With the soft palate's 2.9 to 3.1 beside muscle.
    Organ.FLOOR_OF_MOUTH: Range(2.2, 0.65, "Nakamoto 2005; consensus"),
    Organ.VOCAL_CORDS: Range(1.8, 0.6, "Nakamoto 2005"),
    Organ.THYROID: Range(1.31, 0.32, "Nakamoto 2005"),
    Organ.LIVER: Range(2.23, 0.44, "Boktor 2013"),
    Organ.GALLBLADDER: Range(0.75, 0.22, "consensus"),
    Organ.SPLEEN: Range(1.85, 0.36, "Zincirkeser 2007; Dias 2022"),
    Organ.PANCREAS: Range(1.4, 0.34, "Dias 2022; consensus"),
    Organ.ADRENAL: Range(1.5, 0.4, "consensus"),
    # Parenchyma without urine.
    Organ.KIDNEY: Range(2.8, 0.6, "Dias 2022; consensus"),
    Organ.BLADDER_WALL: Range(1.5, 0.45, "consensus"),
    Organ.STOMACH: Range(1.8, 0.55, "Zincirkeser 2007; Dias 2022"),
    Organ.SMALL_BOWEL: Range(1.45, 0.45, "Zincirkeser 2007; consensus"),
    Organ.COLON: Range(1.4, 0.48, "Zincirkeser 2007; Dias 2022"),
    # The whole organ; the endometrium alone has 1.7 to 5.
    Organ.UTERUS: Range(1.65, 0.45, "Lerman 2004; consensus"),
    # SUVmean 1.2 in the first week, 2.2 at ovulation; less after menopause.
    Organ.OVARY: Range(1.35, 0.45, "Kim 2019; Lerman 2004"),
    Organ.PROSTATE: Range(1.9, 0.45, "consensus"),
    Organ.TESTIS: Range(2.5, 0.48, "Kitajima 2007; Wang 2007"),
    Organ.PENIS: Range(1.3, 0.35, "consensus"),
}
