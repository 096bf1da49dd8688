"""What adults' organs measure, by the literature: the ranges that phantoms are drawn from.

Means and standard deviations over adults of 18 to 89 years, all ages alike. Volumes are of one
person's organ, both sides together; uptake is the mean SUVbw of the organ some 65 minutes after
injection, attenuation its mean HU. Every range names its source, see `references.py`. How organs
change together is elsewhere: volumes in `volumes.py`, uptake in `uptake.py`, attenuation in
`attenuation.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.published_attenuation import ATTENUATION
from PETAnomalyLib.engine.phantom.patient.published_uptake import UPTAKE
from PETAnomalyLib.engine.phantom.patient.published_volumes import VOLUMES
from PETAnomalyLib.engine.phantom.patient.ranges import Range


@dataclass(frozen=True)
class Published:
    """An organ in the literature; None where nothing is drawn from it.

    Attributes:
        male_ml, female_ml: volume, both sides together.
        suv: mean SUVbw of the organ, g/ml.
        hu: mean attenuation without contrast medium, HU.
        enhancement: what contrast medium adds in the portal venous phase, HU; None for nothing.
    """

    male_ml: Range | None
    female_ml: Range | None
    suv: Range
    hu: Range
    enhancement: Range | None

    def volume(self, sex: str) -> Range | None:
        """Of "F" or "M"."""
        return self.female_ml if sex == "F" else self.male_ml


PUBLISHED: dict[Organ, Published] = {
    organ: Published(*VOLUMES.get(organ, (None, None)), UPTAKE[organ], *ATTENUATION[organ])
    for organ in UPTAKE
}
