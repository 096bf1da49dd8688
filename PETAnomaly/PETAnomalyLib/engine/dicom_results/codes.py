"""Coded concepts of the measurement report: names, derivations, units (DICOM PS3.16, UCUM).

What DICOM has no code for is in a scheme of our own; designators that begin with 99 are private
(PS3.16, chapter 8).
"""

from __future__ import annotations

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from PETAnomalyLib.engine.findings import coded_property
from PETAnomalyLib.engine.findings.verdict import LESION, UNSURE

OWN_SCHEME = "99PETANOMALY"

CATEGORY = Code(*coded_property.CATEGORY)
TYPE = Code(*coded_property.TYPE)

SUV_BW = codes.DCM.Suvbw
MAXIMUM = codes.SCT.Maximum
MEAN = codes.SCT.Mean
PEAK = codes.DCM.PeakValueWithinROI  # "1cm3 sphere placed within the region of interest"
TOTAL = codes.SCT.Total
METABOLIC_VOLUME = codes.DCM.MetabolicVolume
TOTAL_LESION_GLYCOLYSIS = codes.DCM.TotalLesionGlycolysis
SCORE = Code("score", OWN_SCHEME, "Anomaly score")
FINDINGS = Code("findings", OWN_SCHEME, "Number of findings")
UNSURE_FINDINGS = Code("unsure-findings", OWN_SCHEME, "Number of findings whose verdict is unsure")
VERDICT = Code("verdict", OWN_SCHEME, "Verdict of the reader")
VERDICTS = {
    LESION: Code("52988006", "SCT", "Lesion"),
    UNSURE: Code("82334004", "SCT", "Indeterminate"),
}

# Of findings.csv's `site`: a region, before it the side where it has one.
REGIONS = {
    "head and neck": codes.SCT.HeadAndNeck,
    "thorax": codes.SCT.Thorax,
    "abdomen": codes.SCT.Abdomen,
    "pelvis": codes.SCT.Pelvis,
    "limb": codes.SCT.Extremity,
}
SIDES = {"left": codes.SCT.Left, "right": codes.SCT.Right}

G_PER_ML = Code("{SUVbw}g/ml", "UCUM", "Standardized Uptake Value body weight")
ML = Code("ml", "UCUM", "milliliter")
G = Code("g", "UCUM", "gram")
NO_UNIT = Code("1", "UCUM", "no units")
# Of a scorer's map; the residual is a difference of the model's intensities.
SCORE_UNITS = {"kde": Code("{nat}", "UCUM", "natural unit of information")}

PET_REPORT = codes.DCM.PETMeasurementReport
PET_CT_FDG_WHOLE_BODY = Code("443271005", "SCT", "PET/CT FDG imaging of whole body")
PET_WHOLE_BODY = Code("44139-4", "LN", "PET whole body")
ARTIFICIAL_INTELLIGENCE = codes.DCM.ArtificialIntelligence
DEVICE = codes.DCM.Device


def coded_site(site: str) -> tuple[Code | None, Code | None]:
    """Region and side of a finding's site, each None where it is not one of ours."""
    first, _, rest = site.partition(" ")
    side = SIDES.get(first)
    return REGIONS.get(site if side is None else rest), side
