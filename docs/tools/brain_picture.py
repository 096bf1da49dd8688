"""Make the picture of the brain phantoms that the documentation shows.

    python docs/tools/brain_picture.py Resources/Screenshots/brain-phantoms.png

A column a disease, a row a contrast, through the largest part of the lesions; the right side of the
patient is on the left, as radiologists have it.
"""

from __future__ import annotations

import sys

import numpy as np
import SimpleITK as sitk
from PETAnomalyLib.engine.phantom.brain.sequences import CONTRASTS
from PETAnomalyLib.engine.phantom.brain.study import generate_brain
from PIL import Image

HEADS = (("mass", 36), ("plaques", 38), ("hyperintensities", 1), ("stroke", 16))
BRIGHTEST = {"T1w": 1.6, "T2w": 3.4, "FLAIR": 2.2, "T1c": 2.4}  # of the brain's median


def column(disease: str, seed: int) -> np.ndarray:
    """The four contrasts of a head, one above the other, 0..1."""
    study = generate_brain(seed, disease=disease, contrasts=CONTRASTS, voxel_mm=1.2)
    lesions = sitk.GetArrayFromImage(study.lesions) > 0
    brain = sitk.GetArrayFromImage(study.mask) > 0
    k = int(lesions.sum(axis=(1, 2)).argmax())
    j, i = (int(c) for c in np.argwhere(brain[k]).mean(axis=0))
    window = (k, slice(j - 90, j + 88), slice(i - 75, i + 75))
    rows = []
    for name, image in study.images.items():
        values = sitk.GetArrayFromImage(image).astype(np.float32)
        rows.append(np.clip(values[window] / (BRIGHTEST[name] * np.median(values[brain])), 0, 1))
    return np.concatenate(rows)


def main() -> None:
    """Write the picture."""
    whole = np.concatenate([column(disease, seed) for disease, seed in HEADS], axis=1)
    picture = Image.fromarray((whole * 255).astype(np.uint8)).quantize(64)
    picture.save(sys.argv[1], optimize=True)


if __name__ == "__main__":
    main()
