"""Growing against ITK's ConnectedThreshold, which fills each seed's contour by itself."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from flood_fill import image
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.findings.delineation import delineate
from PETAnomalyLib.engine.findings.growing import UNLIMITED
from scipy import ndimage

HIGHEST_SUV = 1e9
FULL = sitk.ConnectedThresholdImageFilter.FullConnectivity
BOX26 = np.ones((3, 3, 3))


def grown_by_itk(score: np.ndarray, pet: np.ndarray, threshold: float, grow: float) -> np.ndarray:
    """Every seed's contour in one mask: whatever reaches the bound and touches its hot voxels."""
    seeds, count = ndimage.label(score > np.float32(threshold), BOX26)
    drawn = np.zeros(pet.shape, bool)
    for number in range(1, count + 1):
        bound = np.float32(grow) * pet[seeds == number].max()
        hot = np.argwhere((seeds == number) & (pet >= bound))
        contour = sitk.ConnectedThreshold(
            sitk.GetImageFromArray(pet),
            seedList=[tuple(int(n) for n in voxel[::-1]) for voxel in hot],
            lower=float(bound),
            upper=HIGHEST_SUV,
            connectivity=FULL,
        )
        drawn |= sitk.GetArrayFromImage(contour) > 0
    return drawn


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(*[st.integers(1, 24)] * 3),
    st.floats(0.0, 3.0),
    st.floats(1.0, 3.0),
    st.sampled_from([0.25, 0.4, 0.41, 0.5, 1.0]),
    st.integers(0, 2**32 - 1),
)
def test_the_same_voxels_are_drawn_and_parted(
    shape: tuple[int, int, int], grain: float, threshold: float, grow: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    smooth = ndimage.gaussian_filter(rng.normal(size=shape), grain)
    score = ((smooth - smooth.mean()) / max(smooth.std(), 1e-9)).astype(np.float32)
    pet = np.exp(score + 0.3 * rng.normal(size=shape)).astype(np.float32)
    labels = sitk.GetArrayFromImage(
        delineate(image(score), image(pet), threshold, grow=grow, limits=UNLIMITED).labels
    )
    drawn = grown_by_itk(score, pet, threshold, grow)
    assert np.array_equal(labels > 0, drawn)
    parts, count = ndimage.label(drawn, BOX26)
    assert len({*zip(labels[drawn].tolist(), parts[drawn].tolist())}) == count == labels.max()
