"""Heads of nested ellipsoids as small brain MR, in the layouts of public collections.

They need no template of others, take milliseconds, and are laid onto each other as brains are.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from scipy import ndimage

SHAPE = (40, 48, 40)  # D x H x W
SPACING_MM = 5.0
NAMES = {
    "mass": ("BraTS20_Training_{:03}/BraTS20_Training_{:03}_flair.nii.gz",
             "BraTS20_Training_{:03}/BraTS20_Training_{:03}_t1.nii.gz",
             "BraTS20_Training_{:03}/BraTS20_Training_{:03}_seg.nii.gz"),
    "plaques": ("patient{:02}/FLAIR.nii.gz", "patient{:02}/T1W.nii.gz",
                "patient{:02}/consensus_gt.nii.gz"),
    "stroke": ("sub-{:03}_FLAIR.nii.gz", "{:06}/t01/{:06}_t1w_deface_stx.nii.gz",
               "{:06}/t01/{:06}_LesionSmooth_stx.nii.gz"),
    "healthy": ("sub-{:03}_FLAIR.nii.gz", "IXI{:03}-Guys-0001-T1.nii.gz", ""),
}  # fmt: skip
"""FLAIR, T1w and lesions; skull-stripped, so that no mask is needed."""


def draw_head(kind: str, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """FLAIR and T1w (int16, 0 outside the brain) and lesions (uint8) of a kind of `NAMES`."""
    rng = np.random.default_rng(seed)
    k, j, i = (
        (np.arange(n) - (n - 1) / 2) * SPACING_MM / mm
        for n, mm in zip(SHAPE, rng.normal((62, 82, 66), 1.5))
    )
    grid = np.meshgrid(k, j, i, indexing="ij")

    def inside(centre: tuple[float, ...], radii: tuple[float, ...]) -> np.ndarray:
        return sum(((g - c) / r) ** 2 for g, c, r in zip(grid, centre, radii)) < 1

    brain = inside((0, 0, 0), (1, 1, 1))
    white = inside((0.05, 0.05, 0), (0.75, 0.8, 0.75))
    horns = [inside((0, -0.1, side), (0.25, 0.35, 0.12)) for side in (-0.18, 0.18)]
    ventricles = horns[0] | horns[1]
    stem = inside((-0.75, 0.3, 0), (0.4, 0.25, 0.2))
    flair, t1w = (
        np.select([ventricles, stem, white, brain], values)
        for values in ((80, 330, 300, 420), (120, 480, 520, 330))
    )
    lesions = np.zeros(SHAPE, bool)
    if kind != "healthy":
        centre = (*rng.uniform(-0.25, 0.25, 2), rng.choice([-0.45, 0.45]))
        size = 0.3 if kind == "mass" else 0.22
        lesions = inside(centre, (size, size, size)) & brain
        flair = np.where(lesions, 560, flair)
        t1w = np.where(lesions, 180, t1w)

    def seen(signal: np.ndarray) -> np.ndarray:
        blurred = ndimage.gaussian_filter(signal.astype(float), 0.5) + rng.normal(0, 12, SHAPE)
        return (np.clip(blurred, 1, None) * brain).astype(np.int16)

    return seen(flair), seen(t1w), lesions.astype(np.uint8)


def write_head(folder: Path, kind: str, seed: int) -> None:
    """One head of a kind of `NAMES`, from one seed, named as a public collection names it."""
    for name, values in zip(NAMES[kind], draw_head(kind, seed)):
        if not name:
            continue
        path = folder / name.format(seed, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        image = sitk.GetImageFromArray(values)
        image.SetSpacing([SPACING_MM] * 3)
        image.SetOrigin([-(n - 1) * SPACING_MM / 2 for n in reversed(SHAPE)])
        sitk.WriteImage(image, str(path), useCompression=True)


def aligned_head(kind: str, seed: int, contrast: str) -> AlignedStudy:
    """The same head as it lies in a frame of its own grid."""
    flair, t1w, lesions = draw_head(kind, seed)
    image = (flair if contrast == "FLAIR" else t1w).astype(np.float32)
    inside = image > 0
    scaled = np.clip(image / np.percentile(image[inside], 99), 0, 1).astype(np.float16)
    return AlignedStudy(f"{kind}-{seed}__0", scaled, None, lesions, inside.astype(np.uint8))
