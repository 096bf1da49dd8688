"""One synthetic PET/CT study from one seed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.phantom.abdomen import paint_abdomen, paint_genitals
from PETAnomalyLib.engine.phantom.benign import paint_benign_findings
from PETAnomalyLib.engine.phantom.body import Envelope, paint_envelope
from PETAnomalyLib.engine.phantom.bowel import paint_bowel
from PETAnomalyLib.engine.phantom.canvas import GRID_IJ, SPACING_MM, Canvas
from PETAnomalyLib.engine.phantom.head_neck import paint_head_and_neck, paint_muscle_and_brown_fat
from PETAnomalyLib.engine.phantom.imaging import draw_scanner, measure_ct, measure_pet
from PETAnomalyLib.engine.phantom.injection import paint_injection_site
from PETAnomalyLib.engine.phantom.lesions import describe, paint_lesions
from PETAnomalyLib.engine.phantom.patient import Patient, draw_patient
from PETAnomalyLib.engine.phantom.skeleton import paint_skeleton
from PETAnomalyLib.engine.phantom.thorax import paint_thorax
from PETAnomalyLib.engine.phantom.urinary import paint_urinary
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
    wide = 305.0 if patient.build.arms == "down" else 270.0
    canvas = Canvas(patient.pose, (wide, 225.0), patient.seed)
    envelope = paint_envelope(canvas, patient)
    paint_thorax(canvas, patient, envelope)
    paint_skeleton(canvas, patient, envelope)
    paint_abdomen(canvas, patient, envelope)
    paint_genitals(canvas, patient)
    paint_urinary(canvas, patient)
    paint_bowel(canvas, patient, envelope)
    paint_head_and_neck(canvas, patient)
    paint_muscle_and_brown_fat(canvas, patient)
    paint_injection_site(canvas, patient)
    patient.benign_findings.extend(paint_benign_findings(canvas, patient))
    return canvas, envelope


def generate(seed: int, healthy: bool = False) -> PhantomStudy:
    """A random patient's PET/CT, neck to upper thigh: the same seed gives the same bytes.

    Args:
        seed: whole number >= 0; names the patient.
        healthy: leave the lesions out; the patient is otherwise the same, apart from noise.

    Returns:
        PET, CT and true lesions on a grid of 4.07 x 4.07 x 3 mm voxels.

    Raises:
        InputError: the seed is not a whole number >= 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"The phantom's seed is {seed!r}.", "Give a whole number of 0 or more.")
    patient = draw_patient(int(seed))
    scanner = draw_scanner(patient)
    canvas, envelope = paint_patient(patient)
    labels = np.zeros(canvas.shape, np.uint16)
    lesions: list[dict[str, Any]] = []
    if not healthy:
        labels, lesions = paint_lesions(canvas, patient, scanner.psf_voxels)
    origin = _origin(patient)
    pet = _whole_grid(canvas, measure_pet(canvas, patient, envelope, scanner))
    truth = _whole_grid(canvas, labels)
    describe(truth, lesions, origin)
    build = patient.build
    description: dict[str, Any] = {
        "seed": int(seed),
        "sex": build.sex,
        "age": build.age,
        "height_cm": build.height_cm,
        "weight_kg": build.weight_kg,
        "bmi": round(build.bmi, 1),
        "arms": build.arms,
        "ct_contrast": patient.contrast,
        "fwhm_mm": round(scanner.fwhm_mm, 2),
        "liver_cov": round(scanner.liver_cov, 4),
        "uptake_suv": {name: round(value, 3) for name, value in vars(patient.uptake).items()},
        "variants": sorted(set(patient.variants)),
        "benign_findings": patient.benign_findings,
        "lesions": lesions,
    }
    return PhantomStudy(
        suv=_image(pet, origin),
        ct=_image(measure_ct(canvas, patient, scanner), origin),
        lesions=_image(truth, origin),
        description=description,
    )


def _origin(patient: Patient) -> tuple[float, float, float]:
    """LPS position of the first voxel: the couch stands somewhere else each time."""
    rng = patient.stream("couch position")
    middle = (GRID_IJ - 1) / 2
    return (
        round(float(-middle * SPACING_MM[0] + rng.normal(0, 6)), 3),
        round(float(-middle * SPACING_MM[1] + rng.uniform(-190, -120)), 3),
        round(float(rng.uniform(-1250, -350)), 3),
    )


def _whole_grid(canvas: Canvas, part: np.ndarray) -> np.ndarray:
    full = np.zeros((canvas.shape[0], GRID_IJ, GRID_IJ), part.dtype)
    _, j, i = canvas.first
    full[:, j : j + canvas.shape[1], i : i + canvas.shape[2]] = part
    return full


def _image(array: np.ndarray, origin: tuple[float, float, float]) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(SPACING_MM)
    image.SetOrigin(origin)
    return image
