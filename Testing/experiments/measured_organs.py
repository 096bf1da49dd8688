"""Organs of a painted phantom: volume, mean SUV and mean HU of each that is a normal one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from PETAnomalyLib.engine.phantom.canvas.canvas import VOXEL_ML
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.patient import (
    SOLES_MM,
    VERTEX_MM,
    Patient,
    draw_patient,
)
from PETAnomalyLib.engine.phantom.patient.published import PUBLISHED
from PETAnomalyLib.engine.phantom.study import paint_patient

BEYOND_MM = 30.0  # of air above the vertex and below the soles
ORGANS = len(Organ)
Numbers = NDArray[np.float64]

TISSUE_HU: dict[Organ, tuple[float, float]] = {
    Organ.OESOPHAGUS: (-300.0, 150.0),
    Organ.STOMACH: (-300.0, 150.0),
    Organ.SMALL_BOWEL: (-300.0, 150.0),
    Organ.COLON: (-300.0, 150.0),
    Organ.FAT: (-200.0, -60.0),
}
"""What is thinner or denser is gas or oral contrast medium, and skin, not the organ."""
CALCIFIED = Organ.VESSEL_WALL  # its plaques; the wall itself is thinner than a voxel

ALTERED: dict[Organ, Callable[[Patient], bool]] = {
    Organ.MARROW: lambda p: p.conditions.stimulated_marrow > 1,
    Organ.SPLEEN: lambda p: p.conditions.no_spleen or p.conditions.stimulated_marrow > 1,
    Organ.KIDNEY: lambda p: p.conditions.missing_kidney != 0 or p.conditions.transplant != 0,
    Organ.GALLBLADDER: lambda p: p.conditions.no_gallbladder,
    Organ.THYROID: lambda p: p.conditions.thyroiditis > 0,
    Organ.VESSEL_WALL: lambda p: p.conditions.vasculitis > 1,
    Organ.SMALL_BOWEL: lambda p: p.conditions.metformin or p.conditions.stoma != 0,
    Organ.COLON: lambda p: p.conditions.metformin or p.conditions.stoma != 0,
    Organ.MUSCLE: lambda p: p.conditions.exercised != "",
    Organ.TONGUE: lambda p: p.conditions.exercised == "chewing",
    Organ.FLOOR_OF_MOUTH: lambda p: p.conditions.exercised == "chewing",
    Organ.LUNG: lambda p: sum(p.conditions.effusion_ml) + sum(p.conditions.atelectasis) > 0,
    Organ.VISCERAL_FAT: lambda p: p.conditions.ascites_ml > 0,
}

VERTEBRAE_MM = (25.0, 85.0, 520.0)  # body x to either side, body z from and to

VARIANTS: dict[Organ, frozenset[str]] = {
    Organ.VOCAL_CORDS: frozenset({"vocal cord palsy", "vocal cords", "larynx"}),
    Organ.TONSIL: frozenset({"asymmetric tonsils", "tonsils"}),
    Organ.PAROTID: frozenset({"sialadenitis"}),
    Organ.SUBMANDIBULAR_GLAND: frozenset({"sialadenitis"}),
    Organ.THYROID: frozenset({"thyroid"}),
    Organ.LUNG: frozenset({"emphysema"}),
    Organ.STOMACH: frozenset({"stomach wall", "hiatal hernia"}),
    Organ.GALLBLADDER: frozenset({"gallstones", "hot bile", "gallbladder wall"}),
    Organ.ADRENAL: frozenset({"adrenal"}),
    Organ.UTERUS: frozenset({"fibroid uterus"}),
    Organ.OVARY: frozenset({"ovary", "ovarian cyst"}),
    Organ.PROSTATE: frozenset({"prostate focus"}),
    Organ.TESTIS: frozenset({"testes"}),
}
"""Variants that were painted and are not the normal organ."""


@dataclass(frozen=True)
class Measured:
    """One patient's organs, by `Organ` code; NaN where there is none or a condition alters it.

    Attributes:
        sex: "F" or "M".
        contrast: whether the CT is one with contrast medium.
        volume_ml, suv, hu: of the whole organ.
        drawn_ml, drawn_suv, drawn_hu: what the patient's was drawn as; no volume is published of
            fat and the like.
        mass_kg: of all painted voxels, by their HU; `weight_kg`: what it should be.
        mean_suv: over the body; 1 if nothing is excreted and the weight is right.
    """

    sex: str
    contrast: bool
    volume_ml: Numbers
    suv: Numbers
    hu: Numbers
    drawn_ml: Numbers
    drawn_suv: Numbers
    drawn_hu: Numbers
    mass_kg: float
    weight_kg: float
    mean_suv: float


def whole(patient: Patient) -> Patient:
    """The patient in a scan from below the soles to above the vertex, so that organs are whole."""
    bottom, top = SOLES_MM - BEYOND_MM, VERTEX_MM + BEYOND_MM
    pose = patient.pose
    length = float((top - bottom) * pose.scale[2])
    # The middle of the scan stays where it was.
    offset = pose.offset_mm + (pose.length_mm - length) / 2 * pose.rotation[2] * [1, 1, 0]
    pose = replace(pose, bottom_mm=bottom, length_mm=length, offset_mm=offset)
    return replace(patient, pose=pose)


def altered(patient: Patient, organ: Organ) -> bool:
    """Whether a condition or a variant makes this organ of a painted patient no normal one."""
    conditions = ALTERED.get(organ)
    if conditions is not None and conditions(patient):
        return True
    return not VARIANTS.get(organ, frozenset()).isdisjoint(patient.variants)


def measure(seed: int) -> Measured:
    """The organs of the patient of a seed."""
    patient = whole(draw_patient(seed))
    canvas, _ = paint_patient(patient)
    organs = canvas.organ.ravel()
    count = np.bincount(organs, minlength=ORGANS).astype(float)
    absent = count == 0
    count[absent] = np.nan
    suv = np.bincount(organs, canvas.suv.ravel(), ORGANS) / count
    hu = np.bincount(organs, canvas.hu.ravel(), ORGANS) / count
    for organ, (thinnest, densest) in TISSUE_HU.items():
        inside = canvas.hu[canvas.organ == organ]
        inside = inside[(inside > thinnest) & (inside < densest)]
        hu[organ] = inside.mean() if inside.size else np.nan
    hu[CALCIFIED] = np.nan
    aside, low, high = VERTEBRAE_MM
    vertebrae = (canvas.organ == Organ.MARROW) & (np.abs(canvas.x) < aside)
    vertebrae &= (canvas.z > low) & (canvas.z < high)
    suv[Organ.MARROW] = canvas.suv[vertebrae].mean()
    hu[Organ.MARROW] = canvas.hu[vertebrae].mean()
    if "fatty liver" in patient.variants:
        hu[Organ.LIVER] = np.nan
    volume = count * VOXEL_ML
    drawn, drawn_suv, drawn_hu = (np.full(ORGANS, np.nan) for _ in range(3))
    for organ, known in PUBLISHED.items():
        if known.volume(patient.build.sex):
            drawn[organ] = patient.volume_ml(organ)
        drawn_suv[organ], drawn_hu[organ] = patient.suv(organ), patient.hu(organ)
        if altered(patient, organ):
            for numbers in (volume, suv, hu, drawn):
                numbers[organ] = np.nan
    body = canvas.organ > 0
    return Measured(
        sex=patient.build.sex,
        contrast=patient.conditions.contrast,
        volume_ml=volume,
        suv=suv,
        hu=hu,
        drawn_ml=drawn,
        drawn_suv=drawn_suv,
        drawn_hu=drawn_hu,
        mass_kg=float((1 + canvas.hu[body].clip(-1000, 1200) / 1000).sum() * VOXEL_ML / 1000),
        weight_kg=patient.build.weight_kg,
        mean_suv=float(canvas.suv[body].sum() * VOXEL_ML / 1000 / patient.build.weight_kg),
    )
