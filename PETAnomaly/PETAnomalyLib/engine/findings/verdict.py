"""What a reader may say of a finding: the column `verdict` of findings.csv."""

from __future__ import annotations

LESION = "lesion"
PHYSIOLOGICAL = "physiological"
UNSURE = "unsure"  # also before anybody has looked
VERDICTS = (LESION, PHYSIOLOGICAL, UNSURE)
