"""Which rule turns the values of a PET series into SUV of body weight (SUVbw, g/ml): its Units.

Vendor-neutral rules of QIBA (RSNA QIBA FDG-PET/CT profile, appendix G), with what the IBSI manual
on SUV computation (oncoray.github.io/suv_computation) adds for other SUV types and doses in MBq:

    BQML    weight [kg] * 1000 / (dose [Bq] * 2^(-seconds / half-life [s]))       activity.py
    CNTS    Philips' private SUV factor (7053,1000), else its activity factor
            (7053,1009) and BQML                                                  philips.py
    CPS     where calibrated (DCAL), by the voxel's volume to BQML      counts_per_second.py
    GML     1 for SUV Type BW or none; otherwise body weight / (lean or ideal
            body mass)                                                            suv_types.py
    CM2ML   body weight / body surface area                                       suv_types.py

Nothing is guessed: what these rules cannot convert raises an `InputError` naming the attribute.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.activity import from_bqml
from PETAnomalyLib.engine.study.dicom.conversion import SuvConversion
from PETAnomalyLib.engine.study.dicom.counts_per_second import from_cps
from PETAnomalyLib.engine.study.dicom.philips import from_counts
from PETAnomalyLib.engine.study.dicom.suv_requirements import require_convertible
from PETAnomalyLib.engine.study.dicom.suv_types import from_cm2ml, from_gml
from PETAnomalyLib.engine.study.dicom.tags import tag_name, text

_CONVERSIONS: dict[str, Callable[[Sequence[Dataset]], SuvConversion]] = {
    "BQML": from_bqml,
    "CNTS": from_counts,
    "CPS": from_cps,
    "GML": from_gml,
    "CM2ML": from_cm2ml,
}


def suvbw_conversion(headers: Sequence[Dataset]) -> SuvConversion:
    """The SUVbw factor of one PET series.

    Args:
        headers: the datasets of all its slices; pixel data are not needed.

    Raises:
        InputError: the series is mixed, or an attribute is missing, implausible or of a kind that
            cannot be converted; the message names it.
    """
    if not headers:
        raise InputError("There are no DICOM slices to compute SUV from.")
    warnings = require_convertible(headers)
    units = text(headers[0], "Units").upper()
    convert = _CONVERSIONS.get(units)
    if convert is None:
        stated = f"is {units}" if units else "is missing or empty"
        raise InputError(
            f"{tag_name('Units')} {stated}: only BQML, GML, CM2ML, calibrated CPS and "
            "Philips' CNTS can be converted to SUV.",
            "Reconstruct or export the series in Bq/ml (BQML) or as SUV (GML).",
        )
    result = convert(headers)
    factors = [result.factor * undone for undone in result.decay] or [result.factor]
    extent = {"factor": factors[0]} if len(set(factors)) == 1 else {
        "factor_of_slices": [min(factors), max(factors)]
    }  # fmt: skip
    description = {"units": units, "rule": result.rule, **extent, **result.description}
    warnings = [*warnings, *result.warnings]
    return SuvConversion(result.factor, result.rule, description, tuple(warnings), result.decay)
