"""SUVbw from activity concentrations (Bq/ml): body weight over the dose that is left."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.conversion import SuvConversion
from PETAnomalyLib.engine.study.dicom.decay_time import decay_time
from PETAnomalyLib.engine.study.dicom.patient_mass import patient_weight
from PETAnomalyLib.engine.study.dicom.radiopharmaceutical import (
    half_life,
    injected_dose,
    radiopharmaceutical,
)
from PETAnomalyLib.engine.study.dicom.tags import tag_name, text
from PETAnomalyLib.engine.study.dicom.uncorrected_decay import uncorrected_decay


def from_bqml(headers: Sequence[Dataset]) -> SuvConversion:
    """The factor of a series in Bq/ml.

    Args:
        headers: the datasets of all its slices.

    Raises:
        InputError: weight, dose, half-life or a time is missing or implausible.
    """
    header = headers[0]
    weight = patient_weight(header)
    tracer = radiopharmaceutical(header)
    dose, warnings = injected_dose(tracer)
    decay_half_life, half_life_warnings = half_life(tracer)
    warnings += half_life_warnings
    description: dict[str, Any] = {
        "weight_kg": weight,
        "dose_bq": dose,
        "half_life_s": decay_half_life,
        "radiopharmaceutical": text(tracer, "Radiopharmaceutical"),
    }
    correction = text(header, "DecayCorrection").upper()
    by_slice: tuple[float, ...] = ()
    remaining = dose
    if correction == "ADMIN":
        seconds, rule = 0.0, "decay-corrected to the injection (ADMIN)"
    elif correction == "START":
        decay = decay_time(headers, tracer, decay_half_life)
        seconds, rule = decay.seconds, f"decay-corrected to the scan start (START): {decay.rule}"
        remaining = dose * 2.0 ** (-seconds / decay_half_life)
        warnings += decay.warnings
        description["decay_reference"] = str(decay.reference)
        description["injection"] = str(decay.injection)
    elif correction == "NONE":
        undone = uncorrected_decay(headers, tracer, decay_half_life)
        seconds, by_slice = undone.seconds, undone.by_slice
        rule = "not decay-corrected (NONE): corrected slice by slice to the injection"
        warnings += undone.warnings
        description["first_acquisition"] = str(undone.first)
        description["injection"] = str(undone.injection)
    else:
        stated = f"is {correction}" if correction else "is missing or empty"
        raise InputError(
            f"{tag_name('DecayCorrection')} {stated}: it must be START, ADMIN or NONE to know the "
            "time that the values belong to.",
            "Export the series again with all its attributes.",
        )
    description["decay_correction"] = correction
    description["decay_seconds"] = seconds
    factor = weight * 1000.0 / remaining
    return SuvConversion(factor, f"Bq/ml, {rule}", description, tuple(warnings), by_slice)
