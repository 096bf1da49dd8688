"""What findings are beside liver, blood pool and lean body mass: columns after the measures.

NumPy and SciPy only: this file runs inside Slicer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.engine.findings.organs import Organs
from PETAnomalyLib.engine.findings.reference import (
    Floats,
    Mask,
    Uptake,
    blood_pool_place,
    blood_pool_uptake,
    liver_place,
    liver_uptake,
)
from PETAnomalyLib.engine.findings.response_criteria import deauville, measurable_from
from PETAnomalyLib.engine.runtime.errors import InputError

LIVER = ("liver",)
AORTA = ("aorta", "thoracic aorta", "descending thoracic aorta", "descending aorta")
"""What the organs are called that the regions are placed in, by whoever segmented them."""


@dataclass(frozen=True)
class References:
    """Of a study.

    Attributes:
        liver, blood_pool: SUVbw; None where there is no region, or it lies outside the PET.
        sul_of_suv: what SUVbw is multiplied with for SUL; None without height, weight and sex.
    """

    liver: Uptake | None = None
    blood_pool: Uptake | None = None
    sul_of_suv: float | None = None

    @property
    def measurable_from(self) -> float | None:
        """The SULpeak from which a lesion is measurable (PERCIST); None where not known."""
        if self.sul_of_suv is None or (self.liver is None and self.blood_pool is None):
            return None
        return measurable_from(self.liver, self.blood_pool, self.sul_of_suv)

    def columns(self, finding: Finding) -> dict[str, float | str]:
        """What a finding is beside them; what is not known is absent."""
        found: dict[str, float | str] = {}
        if self.liver is not None:
            found["liver_ratio"] = _ratio(finding.suv_max, self.liver)
        if self.blood_pool is not None:
            found["blood_pool_ratio"] = _ratio(finding.suv_max, self.blood_pool)
        if self.liver is not None and self.blood_pool is not None:
            found["deauville"] = deauville(finding.suv_max, self.liver, self.blood_pool)
        if self.sul_of_suv is not None:
            found["sul_max"] = finding.suv_max * self.sul_of_suv
            found["sul_peak"] = finding.suv_peak * self.sul_of_suv
            limit = self.measurable_from
            if limit is not None:
                found["percist_measurable"] = finding.suv_peak * self.sul_of_suv >= limit
        return found

    def report(self) -> dict[str, dict[str, float]]:
        """What `report.json` says of the regions."""
        known = {"liver": self.liver, "blood_pool": self.blood_pool}
        return {name: asdict(uptake) for name, uptake in known.items() if uptake is not None}


def references_in(
    organs: Organs, suv: NDArray[np.float32], affine: Floats
) -> tuple[References, tuple[str, ...]]:
    """The uptake of the liver and of the blood pool, where the organs have a liver and an aorta.

    Args:
        organs: on the PET's grid.
        suv: the PET, (k, j, i), SUVbw.
        affine: of its grid, to RAS mm.

    Returns:
        The references; and why one is missing though its organ is there, in sentences.
    """
    notes: list[str] = []

    def uptake(
        names: Sequence[str],
        place: Callable[[Mask, Floats], Floats],
        measure: Callable[[NDArray[np.float32], Floats, Floats], Uptake],
    ) -> Uptake | None:
        mask = organs.mask(*names)
        if mask is None:
            return None
        try:
            return measure(suv, affine, place(mask, affine))
        except InputError as error:
            notes.append(error.message)
            return None

    liver = uptake(LIVER, liver_place, liver_uptake)
    return References(liver, uptake(AORTA, blood_pool_place, blood_pool_uptake)), tuple(notes)


def _ratio(suv: float, reference: Uptake) -> float | str:
    return suv / reference.mean if reference.mean > 0 else ""
