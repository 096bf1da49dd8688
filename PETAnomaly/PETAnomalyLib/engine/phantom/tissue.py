"""Names of what a voxel of the phantom is made of."""

from __future__ import annotations

from enum import IntEnum


class Tissue(IntEnum):
    """Tissue codes of `Canvas.tissue`."""

    AIR = 0
    FAT = 1
    MUSCLE = 2
    LUNG = 3
    SOFT = 4
    BLOOD = 5
    LIVER = 6
    SPLEEN = 7
    KIDNEY = 8
    URINE = 9
    BOWEL = 10
    STOMACH = 11
    MYOCARDIUM = 12
    BRAIN = 13
    GLAND = 14
    MARROW = 15
    CORTEX = 16
    VISCERAL_FAT = 17
    BROWN_FAT = 18
    LESION = 19
    GENITAL = 20
    AIRWAY = 21
    BREAST = 22
    BENIGN = 23
