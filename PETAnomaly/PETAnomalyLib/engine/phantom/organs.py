"""Names of what a voxel of a phantom is."""

from __future__ import annotations

from enum import IntEnum


class Organ(IntEnum):
    """Codes of `Canvas.organ`; their names stand in tables ("urine", "brown fat")."""

    AIR = 0
    FAT = 1  # under the skin and between muscles
    VISCERAL_FAT = 2
    MUSCLE = 3
    CORTEX = 4  # of bone
    MARROW = 5
    DISC = 6
    SPINAL_CORD = 7
    JOINT = 8  # degenerative or inflamed
    BROWN_FAT = 9
    BREAST = 10  # glandular tissue
    SOFT = 11  # connective tissue of neck and mediastinum, walls and skin folds
    BLOOD = 12  # vessels and the chambers of the heart
    VESSEL_WALL = 13
    MYOCARDIUM = 14
    LUNG = 15
    AIRWAY = 16  # air of sinuses, mouth, throat, trachea and bronchi
    ATELECTASIS = 17
    EFFUSION = 18
    THYMUS = 19
    OESOPHAGUS = 20
    BRAIN = 21
    CEREBELLUM = 22
    EYE = 23
    EYE_MUSCLE = 24
    LACRIMAL_GLAND = 25
    PAROTID = 26
    SUBMANDIBULAR_GLAND = 27
    SUBLINGUAL_GLAND = 28
    TONSIL = 29
    TONGUE = 30
    FLOOR_OF_MOUTH = 31
    VOCAL_CORDS = 32
    THYROID = 33
    LIVER = 34
    GALLBLADDER = 35  # with its bile
    SPLEEN = 36
    PANCREAS = 37
    ADRENAL = 38
    KIDNEY = 39
    URINE = 40
    BLADDER_WALL = 41
    STOMACH = 42
    SMALL_BOWEL = 43
    COLON = 44
    ASCITES = 45
    UTERUS = 46
    OVARY = 47
    PROSTATE = 48
    TESTIS = 49
    PENIS = 50
    STOMA = 51
    METAL = 52  # prostheses, pacemakers
    CATHETER = 53  # ports, catheters, leads
    TRACER = 54  # that ran beside the vein
    BENIGN = 55
    LESION = 56


OPEN_BELLY = (Organ.VISCERAL_FAT,)
"""What the organs of abdomen and pelvis are painted into."""

OPEN_CHEST = (Organ.SOFT, Organ.VISCERAL_FAT)
"""What the organs of the mediastinum are painted into."""

OPEN_NECK = (Organ.SOFT, Organ.MUSCLE, Organ.FAT)
"""What the organs of head and neck are painted into."""


def organ_name(organ: int) -> str:
    """For tables: `Organ.BROWN_FAT` is "brown fat"."""
    return Organ(organ).name.lower().replace("_", " ")
