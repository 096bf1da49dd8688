"""Seconds to grow every seed of a 400 x 400 x 300 PET: ours beside ITK's ConnectedThreshold.

    python Testing/benchmarks/bench_growing.py

Prints a Markdown table. ITK grows each seed by itself, from all its voxels that reach the bound,
and the contours are joined; nothing is extrapolated. Both draw the same voxels, or this fails. The
study is that of bench_delineation.py: a hard one, most of whose 40 % contours leak.
"""

from __future__ import annotations

import time

import numpy as np
import SimpleITK as sitk
from bench_delineation import BOX26, study
from PETAnomalyLib.engine.findings.delineation import Delineator
from PETAnomalyLib.engine.findings.growing import UNLIMITED
from scipy import ndimage

THRESHOLDS = (3.5, 3.0, 2.5)
GROW = np.float32(0.4)
HIGHEST_SUV = 1e9
FULL = sitk.ConnectedThresholdImageFilter.FullConnectivity


def grown_by_itk(
    score: np.ndarray, pet: np.ndarray, image: sitk.Image, threshold: float
) -> tuple[np.ndarray, int]:
    """Every seed's contour in one mask (k, j, i), and the number of seeds."""
    labels, count = ndimage.label(score > np.float32(threshold), BOX26)
    drawn = np.zeros(pet.shape, bool)
    for number, box in enumerate(ndimage.find_objects(labels), 1):
        voxels = np.argwhere(labels[box] == number) + [part.start for part in box]
        suv = pet[tuple(voxels.T)]
        bound = GROW * suv.max()
        seeds = [tuple(int(n) for n in voxel[::-1]) for voxel in voxels[suv >= bound]]
        contour = sitk.ConnectedThreshold(
            image, seedList=seeds, lower=float(bound), upper=HIGHEST_SUV, connectivity=FULL
        )
        drawn |= sitk.GetArrayViewFromImage(contour) > 0
    return drawn, count


def main() -> None:
    """Print the table."""
    map_image, pet_image = study(1)
    score, pet = (sitk.GetArrayViewFromImage(image) for image in (map_image, pet_image))
    delineator = Delineator(map_image, pet_image)
    print("| threshold | seeds | ours, with the guard | ours, without | ConnectedThreshold |")
    print("|---|---|---|---|---|")
    for threshold in THRESHOLDS:
        begin = time.perf_counter()
        delineator.at(threshold)
        guarded = time.perf_counter()
        whole = delineator.at(threshold, limits=UNLIMITED)
        ours = time.perf_counter()
        drawn, seeds = grown_by_itk(score, pet, pet_image, threshold)
        itk = time.perf_counter()
        if not np.array_equal(sitk.GetArrayViewFromImage(whole.labels) > 0, drawn):
            raise SystemExit(f"Not the same voxels at {threshold}.")
        print(
            f"| {threshold:.1f} | {seeds} | {guarded - begin:.2f} s | {ours - guarded:.2f} s "
            f"| {itk - ours:.2f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main()
