"""What paper 4 does to a residual: a combined map, and objects with the image's own edges.

    combined = combined_map(residual, brain, axis, steps.of_volume, tiles)   # 0 to 1
    drawn = objects_of(combined, image, brain, axis, steps)                  # a mask

Volumes are D x H x W; `axis` is the one that slices lie along (0 axial, 1 coronal, 2 sagittal).
Where the paper is silent, or here cannot be followed:

- The paper judges slices, and each with its two (or seven) objects. A volume has many slices
  without a lesion: `of_volume` takes scaling, components, their number and the mixture over the
  whole volume. Erosion and dilation are in the plane of slices in both.
- A kernel of k x k erodes grey values: the least of the map in it. Beside the picture lies nothing.
- An object's mean is that of the combined map before it was eroded, over the object.
- The mixture is scikit-learn's `GaussianMixture` of the intensities in the brain, in place of
  Atropos, whose Markov random field it lacks: neighbours do not smooth each other's class.
- A class's object that is more than a quarter of the brain is tissue: what shares most with it
  stays as it is. Without this, a speck in the cortex became all of it, a third of a head.
- Objects touch at corners too. Of two classes' objects with as large an overlap, the smaller one is
  taken, which has less beside it.

References:
    Paper 4 (Rashmi et al., MIDL 2024), appendix A.1: erosion with k = 3 (BraTS) or 1 (MSLUB, WMH),
    0.5, 2 or 7 objects, dilation with 3, five classes, maximal overlap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from PETAnomalyLib.engine.runtime.known_error import require_package

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]
ClassesOf = Callable[[Array, Mask, int], Labels]

LEAST_VARIANCE = 1e-4  # of a class: values that were clipped to 0 or 1 are no class of width 0
FITTED_VALUES = 20_000  # of a brain; the fit of all 300,000 takes ten times as long
LARGEST_SHARE = 0.25
"""Of the brain, that an object of a class may be."""

VALUES_A_CLASS = 10  # fewer in a slice, and it has no mixture


@dataclass(frozen=True)
class ObjectSteps:
    """The steps, sizes in pixels.

    Attributes:
        eroded_edge: of the kernel that erodes the map, odd; 1 for none.
        threshold: of the eroded map, 0 to 1.
        kept: how many objects.
        dilated_edge: of the kernel that dilates them, odd; 1 for none.
        classes: of the mixture; 0: objects keep the map's own edges.
        of_volume: of the volume as a whole; else of each slice.
    """

    eroded_edge: int
    threshold: float
    kept: int
    dilated_edge: int = 3
    classes: int = 5
    of_volume: bool = False


MASSES = ObjectSteps(eroded_edge=3, threshold=0.5, kept=2)
"""The paper's for BraTS."""

PLAQUES = ObjectSteps(eroded_edge=1, threshold=0.5, kept=7)
"""The paper's for MSLUB and WMH."""


def combined_map(
    residual: Array, brain: Mask, axis: int, of_volume: bool, tiles: npt.NDArray[Any] | None = None
) -> Array:
    """The residuals of all positions of the mask, each scaled to 0..1, added.

    A position's residual is 0 but under its mask, and masks do not overlap: their sum is each
    tile's own, divided by its largest value.

    Args:
        residual: D x H x W, |x - x_hat| or its positive part; what is below 0 counts as 0.
        brain: D x H x W; outside it the map is 0.
        axis: that slices lie along.
        of_volume: scaled by the largest value in all slices; else each slice by its own.
        tiles: h x w, number of the position that hides each pixel of a slice, from 0
            (`mask_tiles`); None: a slice is one, as of a model without a mask.

    Returns:
        D x H x W float32, 0 to 1.
    """
    inside = np.moveaxis(brain, axis, 0)
    slices = np.where(inside, np.maximum(np.moveaxis(residual, axis, 0), 0), 0).astype(np.float32)
    numbers = np.zeros(slices.shape[1:], np.int64) if tiles is None else tiles
    result = np.zeros_like(slices)
    for number in np.unique(numbers):
        here = slices[:, numbers == number]
        largest = here.max() if of_volume else here.max(axis=1, keepdims=True)
        result[:, numbers == number] = here / np.where(largest > 0, largest, 1)
    return np.ascontiguousarray(np.moveaxis(result, 0, axis))


def objects_of(
    combined: Array,
    image: Array,
    brain: Mask,
    axis: int,
    steps: ObjectSteps,
    classes_of: ClassesOf | None = None,
) -> Mask:
    """The segmentation that the paper compares with the truth.

    Args:
        combined: D x H x W, 0 to 1, of `combined_map` or of another method.
        image: D x H x W, the model's intensity.
        brain: D x H x W.
        axis: that slices lie along.
        steps: what is done.
        classes_of: in place of `tissue_classes`: one that remembers images.

    Returns:
        D x H x W.

    Raises:
        MissingPackageError: scikit-learn is not installed, and a mixture is asked for.
    """
    score, intensity = np.moveaxis(combined, axis, 0), np.moveaxis(image, axis, 0)
    inside = np.moveaxis(brain, axis, 0)
    edges = [0, len(score)] if steps.of_volume else range(len(score) + 1)
    drawn = np.zeros(score.shape, bool)
    for part in (slice(*ends) for ends in pairwise(edges)):
        kept = filtered(score[part], steps)
        drawn[part] = kept > 0
        if steps.classes and kept.any():
            classes = (classes_of or tissue_classes)(intensity[part], inside[part], steps.classes)
            drawn[part] = refined(kept, classes)
    return np.ascontiguousarray(np.moveaxis(drawn, 0, axis))


def shown(combined: Array, drawn: Mask) -> Array:
    """A map whose voxels above 0.5 are the objects, and in which all keep their order.

    In objects 0.75 to 1, elsewhere 0 to 0.5: laid onto another grid, it passes 0.5 halfway.

    Args:
        combined: D x H x W, 0 to 1.
        drawn: D x H x W, of `objects_of`.
    """
    inside = (1 + np.maximum(combined, 0.5)) / 2
    return np.where(drawn, inside, combined / 2).astype(np.float32)


def filtered(combined: Array, steps: ObjectSteps) -> Labels:
    """The paper's filtered combined map: the objects kept, numbered from 1, best first.

    Args:
        combined: n x h x w, n slices that are taken as one.
        steps: erosion, threshold, number and dilation.
    """
    edge = steps.eroded_edge
    eroded = ndimage.grey_erosion(combined, (1, edge, edge), mode="constant", cval=0.0)
    labels, count = ndimage.label(eroded > np.float32(steps.threshold), np.ones((3, 3, 3)))
    numbers = np.arange(1, count + 1)
    if not count:
        return labels.astype(np.int32)
    means = ndimage.mean(combined, labels, numbers)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    best = np.lexsort((numbers, -sizes, -means))[: steps.kept]
    rank = np.zeros(count + 1, np.int32)
    rank[numbers[best]] = np.arange(1, len(best) + 1)
    ranked = rank[labels]
    kernel = (1, steps.dilated_edge, steps.dilated_edge)
    # Where two objects would meet, the better one is wider: the smallest number there is.
    nearest = np.where(ranked > 0, ranked, np.int32(steps.kept + 1))
    wide = ndimage.minimum_filter(nearest, kernel, mode="nearest")
    return np.where(ranked > 0, ranked, np.where(wide > steps.kept, 0, wide)).astype(np.int32)


def tissue_classes(image: Array, brain: Mask, classes: int) -> Labels:
    """The class of each voxel of the brain, 1 the darkest; 0 elsewhere.

    All of it is 0 where the brain has too few voxels or values for so many classes.

    Args:
        image: n x h x w, the model's intensity.
        brain: n x h x w.
        classes: how many.

    Raises:
        MissingPackageError: scikit-learn is not installed.
    """
    require_mixture()
    from sklearn.mixture import GaussianMixture

    result = np.zeros(image.shape, np.int32)
    values = image[brain].astype(np.float64)[:, None]
    some = values[:: -(-len(values) // FITTED_VALUES) or 1]
    if len(some) < VALUES_A_CLASS * classes or len(np.unique(some)) < classes:
        return result
    mixture = GaussianMixture(classes, reg_covar=LEAST_VARIANCE, random_state=0).fit(some)
    rank = np.empty(classes, np.int32)
    rank[np.argsort(mixture.means_[:, 0])] = np.arange(1, classes + 1)
    result[brain] = rank[mixture.predict(values)]
    return result


def require_mixture() -> None:
    """Refuse a mixture where it cannot be had, before minutes are spent.

    Raises:
        MissingPackageError: scikit-learn is not installed.
    """
    require_package(
        "sklearn",
        "scikit-learn",
        "whose mixture this model's post-processing takes",
        "pip install scikit-learn",
    )


def refined(objects: Labels, classes: Labels) -> Mask:
    """In place of each object, the object of one class that shares the most voxels with it.

    Args:
        objects: n x h x w, numbered from 1.
        classes: n x h x w, 0 where there is none; an object that lies there alone stays.

    Returns:
        n x h x w. An object stays as it is, too, where that class's object is more than
        `LARGEST_SHARE` of all that has a class.
    """
    drawn = np.zeros(objects.shape, bool)
    of_classes = np.zeros(objects.shape, np.int64)
    count = 0
    for one in np.unique(classes[objects > 0]):
        if one:
            labels, found = ndimage.label(classes == one, np.ones((3, 3, 3)))
            of_classes[labels > 0] = labels[labels > 0] + count
            count += found
    sizes = np.bincount(of_classes.ravel(), minlength=count + 1)
    largest = LARGEST_SHARE * np.count_nonzero(classes)
    for number in range(1, objects.max() + 1):
        shared = np.bincount(of_classes[objects == number], minlength=count + 1)[1:]
        chosen = max(range(count), key=lambda n: (shared[n], -sizes[n + 1]), default=0)
        if shared.any() and sizes[chosen + 1] <= largest:
            drawn |= of_classes == chosen + 1
        else:
            drawn |= objects == number
    return drawn
