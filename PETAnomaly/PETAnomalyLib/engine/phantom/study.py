"""One synthetic PET/CT study from one seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.phantom.abdomen.abdomen import paint_abdomen
from PETAnomalyLib.engine.phantom.benign import paint_benign_findings
from PETAnomalyLib.engine.phantom.canvas.canvas import Canvas
from PETAnomalyLib.engine.phantom.chest.chest import paint_chest
from PETAnomalyLib.engine.phantom.frame.envelope import Envelope, paint_envelope
from PETAnomalyLib.engine.phantom.frame.limbs import paint_limbs
from PETAnomalyLib.engine.phantom.frame.posture import half_widths_mm
from PETAnomalyLib.engine.phantom.frame.skeleton import paint_skeleton
from PETAnomalyLib.engine.phantom.frame.trunk_findings import paint_trunk_findings
from PETAnomalyLib.engine.phantom.head.head import paint_head
from PETAnomalyLib.engine.phantom.lesions import describe, paint_lesions
from PETAnomalyLib.engine.phantom.organs import organ_name
from PETAnomalyLib.engine.phantom.patient.patient import Patient, draw_patient
from PETAnomalyLib.engine.phantom.patient.published import PUBLISHED
from PETAnomalyLib.engine.phantom.scanner.breathing import Breathing
from PETAnomalyLib.engine.phantom.scanner.ct import ct_moment, measure_ct
from PETAnomalyLib.engine.phantom.scanner.image_grid import image_grid
from PETAnomalyLib.engine.phantom.scanner.pet import measure_pet
from PETAnomalyLib.engine.phantom.scanner.scanners import Scanner, draw_scanner
from PETAnomalyLib.engine.runtime.errors import InputError


@dataclass(frozen=True)
class PhantomStudy:
    """A synthetic study; the three images share one grid (LPS mm, identity direction).

    Attributes:
        suv: PET, float32, SUVbw (g/ml).
        ct: CT resampled to the PET's grid, float32, HU.
        lesions: uint16, 0 background, 1..n the true lesions.
        description: JSON-able: seed, patient, scanner, intended uptake, variants, lesions.
    """

    suv: sitk.Image
    ct: sitk.Image
    lesions: sitk.Image
    description: dict[str, Any]


def paint_patient(patient: Patient) -> tuple[Canvas, Envelope]:
    """The healthy patient as painted, before lesions and scanner."""
    canvas = Canvas(patient.pose, half_widths_mm(patient.build), patient.seed)
    envelope = paint_envelope(canvas, patient)
    paint_limbs(canvas, patient, envelope)
    paint_skeleton(canvas, patient, envelope)
    paint_chest(canvas, patient, envelope)
    paint_abdomen(canvas, patient, envelope)
    paint_head(canvas, patient, envelope)
    paint_trunk_findings(canvas, patient, envelope)
    patient.benign_findings.extend(paint_benign_findings(canvas, patient, envelope))
    return canvas, envelope


def generate(seed: int, healthy: bool = False) -> PhantomStudy:
    """A random patient's PET/CT: the same seed gives the same bytes.

    Args:
        seed: whole number >= 0; names the patient.
        healthy: leave the lesions out; the patient is otherwise the same, apart from noise.

    Returns:
        PET, CT and true lesions on the grid of the scanner that was drawn.

    Raises:
        InputError: the seed is not a whole number >= 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"The phantom's seed is {seed!r}.", "Give a whole number of 0 or more.")
    patient = draw_patient(int(seed))
    scanner = draw_scanner(patient)
    canvas, envelope = paint_patient(patient)
    grid = image_grid(canvas, patient, scanner)
    breathing = Breathing(canvas, envelope)
    labels = np.zeros(grid.shape, np.uint16)
    found: list[dict[str, Any]] = []
    if not healthy:
        lesions = paint_lesions(canvas, patient, envelope, scanner, grid)
        labels, found = grid.whole(lesions.labels, 0), lesions.found
        describe(labels, found, grid)
    moment = ct_moment(canvas, patient, envelope, breathing, scanner)
    pet = measure_pet(canvas, patient, breathing, scanner, grid, moment)
    ct = measure_ct(moment, canvas, patient, scanner, grid)
    return PhantomStudy(
        suv=grid.image(pet),
        ct=grid.image(ct),
        lesions=grid.image(labels),
        description={**description_of(patient, scanner), "lesions": found},
    )


def description_of(patient: Patient, scanner: Scanner) -> dict[str, Any]:
    """What was drawn and painted of a patient, lesions aside; for JSON."""
    build = patient.build
    return {
        "seed": patient.seed,
        "sex": build.sex,
        "age": build.age,
        "height_cm": build.height_cm,
        "weight_kg": build.weight_kg,
        "bmi": round(build.bmi, 1),
        "arms": build.arms,
        "ct_contrast": patient.conditions.contrast,
        "uptake_minutes": round(patient.uptake.minutes, 1),
        "glucose_mmol_l": round(patient.uptake.glucose, 1),
        "conditions": _as_json(asdict(patient.conditions)),
        "scanner": scanner.model.name,
        "fwhm_mm": round(scanner.fwhm_mm, 2),
        "liver_cov": round(scanner.liver_cov, 4),
        "uptake_suv": uptake_suv(patient),
        "variants": sorted(set(patient.variants)),
        "benign_findings": patient.benign_findings,
    }


def uptake_suv(patient: Patient) -> dict[str, float]:
    """SUV of every organ, by its name."""
    return {organ_name(organ): round(patient.suv(organ), 3) for organ in PUBLISHED}


def _as_json(values: dict[str, Any]) -> dict[str, Any]:
    return {
        name: list(value) if isinstance(value, tuple) else value for name, value in values.items()
    }
