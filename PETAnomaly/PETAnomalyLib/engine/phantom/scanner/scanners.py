"""PET/CT scanners and how they are used: voxels, resolution, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.phantom.patient.patient import Patient


@dataclass(frozen=True)
class Model:
    """A scanner with one of its usual reconstructions.

    Attributes:
        name: maker, scanner and matrix.
        share: how often it is drawn.
        spacing_mm: voxels along x, y, z.
        matrix: voxels along x and y.
        fwhm_mm: resolution of the reconstructed image, range in use.
        recovery: how often resolution recovery (point-spread modelling) is on.
        time_of_flight: whether it has it: large patients are less noisy.
        bed_mm: axial field of view; 0 of a couch that moves on continuously.
    """

    name: str
    share: float
    spacing_mm: tuple[float, float, float]
    matrix: int
    fwhm_mm: tuple[float, float]
    recovery: float
    time_of_flight: bool
    bed_mm: float


MODELS = (
    Model("Siemens Biograph mCT 200", 0.285, (4.07, 4.07, 3.0), 200, (5.0, 7.0), 0.6, True, 218),
    Model("Siemens Biograph mCT 256", 0.06, (3.18, 3.18, 3.0), 256, (4.8, 6.5), 0.7, True, 0),
    Model("Siemens Biograph mCT 400", 0.015, (2.04, 2.04, 2.0), 400, (4.4, 6.0), 0.9, True, 218),
    Model("Siemens Biograph Vision 220", 0.06, (3.3, 3.3, 3.0), 220, (4.2, 5.6), 0.9, True, 0),
    Model("Siemens Biograph Vision 440", 0.015, (1.65, 1.65, 3.0), 440, (4.0, 5.0), 0.9, True, 0),
    Model("Siemens Biograph Vision 440 thin", 0.005, (1.65, 1.65, 1.645), 440, (4.0, 5.0), 0.9,
          True, 0),
    Model("Siemens Biograph Horizon 180", 0.06, (4.11, 4.11, 3.0), 180, (5.4, 7.0), 0.6, True, 221),
    Model("Siemens Biograph 16 TruePoint 168", 0.07, (4.07, 4.07, 5.0), 168, (5.4, 7.5), 0.3,
          False, 162),
    Model("GE Discovery ST 128", 0.06, (5.47, 5.47, 3.27), 128, (6.4, 8.0), 0.0, False, 157),
    Model("GE Discovery STE 128", 0.08, (4.69, 4.69, 3.27), 128, (6.0, 8.0), 0.0, False, 157),
    Model("GE Discovery 690 192", 0.08, (3.65, 3.65, 3.27), 192, (5.0, 7.0), 0.7, True, 157),
    Model("GE Discovery MI 256", 0.04, (2.73, 2.73, 2.79), 256, (4.4, 6.0), 0.8, True, 200),
    Model("Philips Gemini TF 144", 0.1, (4.0, 4.0, 4.0), 144, (5.4, 7.5), 0.2, True, 180),
    Model("Philips Vereos 288", 0.01, (2.0, 2.0, 2.0), 288, (4.2, 5.5), 0.8, True, 164),
    Model("United Imaging uMI 780 192", 0.04, (3.13, 3.13, 2.86), 192, (4.4, 6.0), 0.8, True, 300),
    Model("Canon Celesteion 144", 0.02, (4.08, 4.08, 4.08), 144, (5.4, 7.5), 0.3, True, 196),
)  # fmt: skip


@dataclass(frozen=True)
class Scanner:
    """How one patient was measured.

    Attributes:
        model: of the scanner.
        fwhm_mm: resolution of the PET.
        overshoot: weight of the negative lobes of resolution recovery; 0 for none (`blurring`).
        noise_fwhm_mm: of the filter that correlates neighbouring voxels' noise.
        blobs: share of the noise's variance in larger blobs, as few iterations leave it.
        liver_cov: coefficient of variation of a liver's voxels from counts alone, in a patient of
            average size.
        breath_mm: from end-expiration to inspiration, at the domes, in shallow breathing.
        ct_breath_mm: how far below end-expiration the domes stand in the CT.
        apart_mm: how far the patient has moved between CT and PET, x, y, z.
        scatter: how much scatter is taken away too much round very hot organs.
        low_dose: CT for attenuation correction only.
        ct_noise_hu: standard deviation of the CT's noise.
        ct_field_mm: diameter of the CT's field of view.
    """

    model: Model
    fwhm_mm: float
    overshoot: float
    noise_fwhm_mm: float
    blobs: float
    liver_cov: float
    breath_mm: float
    ct_breath_mm: float
    apart_mm: tuple[float, float, float]
    scatter: float
    low_dose: bool
    ct_noise_hu: float
    ct_field_mm: float


def draw_scanner(patient: Patient) -> Scanner:
    """Scanner and protocol of a patient."""
    rng = patient.stream("scanner")
    shares = np.array([model.share for model in MODELS])
    model = MODELS[int(rng.choice(len(MODELS), p=shares / shares.sum()))]
    recovery = bool(rng.random() < model.recovery)
    fwhm = float(rng.uniform(*model.fwhm_mm)) * (0.92 if recovery else 1.0)
    low_dose = not patient.conditions.diagnostic_ct
    breath = float(np.clip(rng.lognormal(np.log(9), 0.4), 3, 22))
    # Most CTs are taken in shallow breathing, some with the breath held too deep.
    held = rng.uniform(15, 38) if rng.random() < (0.08 if low_dose else 0.16) else None
    cov = 0.105 * np.exp(rng.normal(0, 0.22)) * (0.88 if recovery else 1.0)
    return Scanner(
        model=model,
        fwhm_mm=max(4.0, fwhm),
        overshoot=float(rng.uniform(0.3, 1.3)) if recovery else 0.0,
        noise_fwhm_mm=max(3.8, fwhm * float(rng.uniform(0.75, 1.05)) * (1.08 if recovery else 1.0)),
        blobs=float(rng.uniform(0.0, 0.35)),
        liver_cov=float(np.clip(cov, 0.06, 0.16)),
        breath_mm=breath,
        ct_breath_mm=float(held if held is not None else breath * rng.uniform(0, 0.8)),
        apart_mm=_moved(rng),
        scatter=float(min(rng.exponential(0.12), 0.5)),
        low_dose=low_dose,
        ct_noise_hu=float(rng.uniform(10, 24) if low_dose else rng.uniform(5, 12)),
        ct_field_mm=500.0 if rng.random() < 0.8 else float(rng.choice([600.0, 700.0, 780.0])),
    )


def _moved(rng: np.random.Generator) -> tuple[float, float, float]:
    """Of the patient between CT and PET, mm: mostly less than a voxel, seldom a centimetre."""
    size = rng.normal(0, [1.5, 1.5, 2.0]) * (3.0 if rng.random() < 0.08 else 1.0)
    x, y, z = (round(float(mm), 2) for mm in np.clip(size, -12, 12))
    return x, y, z
