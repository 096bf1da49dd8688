"""Seconds to redraw the findings of a 400 x 400 x 300 PET, beside whole-volume references.

    python Testing/benchmarks/bench_delineation.py

The reference grows each seed by labelling the whole volume with `scipy.ndimage.label`; it is timed
on a few seeds and multiplied by their number, since the whole of it takes minutes (marked "law").
The ratio (law / no guard: both without the guard, as it is what the reference does) is taken in
this very run, on this machine. The study is a hard one: most of its 40 % contours leak.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import numpy as np
import SimpleITK as sitk
from PETAnomalyLib.engine.findings.delineation import Delineator
from PETAnomalyLib.engine.findings.growing import UNLIMITED
from PETAnomalyLib.engine.findings.measures import measure
from scipy import ndimage

SHAPE = (300, 400, 400)  # (k, j, i)
SPACING = (2.04, 2.04, 3.0)  # (x, y, z), mm
TIMED_SEEDS = 2
BOX26 = np.ones((3, 3, 3))


def study(seed: int) -> tuple[sitk.Image, sitk.Image]:
    """A body-sized ellipse of uptake with spots and hot organs in it, and a map of 6 mm grain."""
    rng = np.random.default_rng(seed)
    coarse = ndimage.gaussian_filter(rng.standard_normal((75, 134, 134)), 1.2)
    texture = ndimage.zoom(coarse / coarse.std(), (4, 3, 3), order=1)[:, :400, :400]
    _, j, i = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    body = ((i - 200) / 95.0) ** 2 + ((j - 200) / 60.0) ** 2 < 1
    pet = (body * np.exp(0.5 * texture)).astype(np.float32)
    score = (body * texture).astype(np.float32)
    images = []
    for array in (score, pet):
        image = sitk.GetImageFromArray(array)
        image.SetSpacing(SPACING)
        images.append(image)
    return images[0], images[1]


def reference_seconds(score: np.ndarray, pet: np.ndarray, threshold: float) -> tuple[float, int]:
    """What growing by labelling the volume once a seed costs, by its law."""
    begin = time.perf_counter()
    seeds, count = ndimage.label(score > threshold, BOX26)
    once = time.perf_counter() - begin
    begin = time.perf_counter()
    for number in range(1, min(TIMED_SEEDS, count) + 1):
        seed = seeds == number
        hot, _ = ndimage.label(pet >= np.float32(0.4) * pet[seed].max(), BOX26)
        np.isin(hot, np.unique(hot[seed]))
    each = (time.perf_counter() - begin) / max(1, min(TIMED_SEEDS, count))
    return once + each * count, count


def best_of_three(work: Callable[[], object]) -> float:
    """Seconds of the quickest of three runs: what else the machine does adds, never takes away."""
    seconds = []
    for _ in range(3):
        begin = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begin)
    return min(seconds)


def main() -> None:
    score, pet = study(1)
    print(f"prepared once: {best_of_three(lambda: Delineator(score, pet)):.3f} s")
    delineator = Delineator(score, pet)
    print(f"{pet.GetSize()} voxels; seconds, the quickest of three (no guard: of one)")
    print("threshold  seeds  findings  limited    draw  no guard  measure    law  ratio")
    for threshold in (4.0, 3.5, 3.0, 2.5):
        drawn = delineator.at(threshold)
        draw = best_of_three(partial(delineator.at, threshold))
        begin = time.perf_counter()
        delineator.at(threshold, limits=UNLIMITED)
        no_guard = time.perf_counter() - begin
        measured = best_of_three(partial(measure, drawn.labels, pet, score, drawn.growth_limited))
        law, seeds = reference_seconds(
            sitk.GetArrayViewFromImage(score), sitk.GetArrayViewFromImage(pet), threshold
        )
        print(
            f"{threshold:9.1f}  {seeds:5d}  {len(drawn.growth_limited):8d}"
            f"  {sum(drawn.growth_limited):7d}  {draw:6.3f}  {no_guard:8.3f}"
            f"  {measured:7.3f}  {law:5.0f}  {law / no_guard:5.0f}"
        )


if __name__ == "__main__":
    main()
