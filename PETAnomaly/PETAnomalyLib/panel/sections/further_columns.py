"""The further columns of the findings' table: what they are called and what they mean."""

from __future__ import annotations

from slicer.i18n import tr as _

FURTHER = (
    "suv_mean",
    "diameter_mm",
    "site",
    "organ",
    "organ_distance_mm",
    "suggestion",
    "liver_ratio",
    "blood_pool_ratio",
    "deauville",
    "sul_max",
    "sul_peak",
    "percist_measurable",
)
SHOWN_AT_FIRST = ("site", "organ", "liver_ratio", "deauville")
FURTHER_DECIMALS = {"deauville": 0, "liver_ratio": 2, "blood_pool_ratio": 2}


def heading(name: str) -> tuple[str, str]:
    """Title and definition of a further column; one of another program keeps its name."""
    known = {
        "suv_mean": (_("SUVmean"), _("The mean SUV in the finding (g/ml).")),
        "diameter_mm": (
            _("Long mm"),
            _("The largest diameter: between the two points of its surface farthest apart."),
        ),
        "site": (
            _("Site"),
            _(
                "The part of the body that most of the finding lies in, by the model's atlas; left "
                "and right are the patient's. Near the midline no side is said."
            ),
        ),
        "organ": (
            _("Organ"),
            _("Where most of the finding's voxels in organs lie; without any the nearest organ."),
        ),
        "organ_distance_mm": (
            _("Away mm"),
            _("The shortest distance from the finding to that organ; 0 where it lies in it."),
        ),
        "suggestion": (
            _("Suggested"),
            _(
                "Physiological: more than half of it lies in bladder, kidneys, ureters, brain, "
                "heart or bowel. A suggestion; the verdict is yours."
            ),
        ),
        "liver_ratio": (_("To liver"), _("SUVmax of the finding over SUVmean of the liver.")),
        "blood_pool_ratio": (
            _("To blood"),
            _("SUVmax of the finding over SUVmean of the blood pool."),
        ),
        "deauville": (
            _("Deauville"),
            _(
                "SUVmax at most that of the blood pool: 2; of the liver: 3; above it: 4; above "
                "twice the liver: 5. A study without lesions: 1."
            ),
        ),
        "sul_max": (_("SULmax"), _("SUVmax by lean body mass (Janmahasatian).")),
        "sul_peak": (_("SULpeak"), _("SUVpeak by lean body mass (Janmahasatian).")),
        "percist_measurable": (
            _("Measurable"),
            _(
                "PERCIST: SULpeak is at least 1.5 x mean + 2 SD of the liver; without a liver "
                "2 x mean + 2 SD of the blood pool."
            ),
        ),
    }
    return known.get(name, (name, name))
