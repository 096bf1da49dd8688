"""Findings by a flood fill in plain Python, one seed after the other, and small studies to draw."""

from __future__ import annotations

import itertools

import numpy as np
import SimpleITK as sitk
from hypothesis import strategies as st

STEPS = [step for step in itertools.product((-1, 0, 1), repeat=3) if any(step)]


def image(array: np.ndarray, spacing: tuple[float, float, float] = (2.0, 2.0, 2.0)) -> sitk.Image:
    result = sitk.GetImageFromArray(array)
    result.SetSpacing(spacing)
    return result


def flood(allowed: np.ndarray, start: set[tuple[int, int, int]]) -> frozenset:
    """The allowed voxels that can be reached from `start` through allowed 26-neighbours."""
    reached = {voxel for voxel in start if allowed[voxel]}  # (k, j, i)
    front = list(reached)
    while front:
        here = front.pop()
        for step in STEPS:
            there = (here[0] + step[0], here[1] + step[1], here[2] + step[2])
            if there in reached or any(p < 0 or p >= n for p, n in zip(there, allowed.shape)):
                continue
            if allowed[there]:
                reached.add(there)
                front.append(there)
    return frozenset(reached)


def components(mask: np.ndarray) -> list[frozenset]:
    left = {(int(k), int(j), int(i)) for k, j, i in np.argwhere(mask)}
    found = []
    while left:
        found.append(flood(mask, {min(left)}))
        left -= found[-1]
    return found


def reference(
    score: np.ndarray, pet: np.ndarray, threshold: float, grow: float | None
) -> set[frozenset]:
    """Grow every seed by itself; then what overlaps or touches is one finding."""
    drawn = np.zeros(score.shape, bool)
    for seed in components(score > np.float32(threshold)):
        suv_max = max(pet[voxel] for voxel in seed)
        contour = flood(pet >= np.float32(grow) * suv_max, set(seed)) if grow else seed
        for voxel in contour:
            drawn[voxel] = True
    return set(components(drawn))


@st.composite
def studies(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A map and a PET of a few voxels; coarse values, so that plateaus and ties are common."""
    shape = draw(st.tuples(*[st.integers(2, 7)] * 3))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    levels = draw(st.integers(2, 30))
    pet = (rng.integers(1, levels + 1, shape) / np.float32(4)).astype(np.float32)
    if draw(st.booleans()):
        pet = np.exp(rng.standard_normal(shape)).astype(np.float32)
    score = rng.integers(0, 10, shape).astype(np.float32)
    return score, pet


def spot(
    shape: tuple[int, int, int], centre: tuple[int, int, int], radius: float, suv: float
) -> np.ndarray:
    k, j, i = np.indices(shape)
    away = np.sqrt((k - centre[0]) ** 2 + (j - centre[1]) ** 2 + (i - centre[2]) ** 2)
    return np.where(away <= radius, np.float32(suv), np.float32(0))
