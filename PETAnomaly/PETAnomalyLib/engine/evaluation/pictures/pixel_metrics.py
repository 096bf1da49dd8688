"""How well maps of pictures tell defects from all else: AUROC of pixels, and AUPRO.

Both are exact: no thresholds are chosen, every value that a map has is one. The appendix defines
neither; these are anomalib's (`anomalib.metrics.AUROC` and `AUPRO`).

References:
    P. Bergmann et al., The MVTec Anomaly Detection Dataset, IJCV 129 (2021), section 5.2: PRO.
    S. Akcay et al., Anomalib, ICIP 2022.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy import ndimage

Scores = npt.NDArray[np.float32]
Truth = npt.NDArray[np.bool_]

FALSE_POSITIVES = 0.3
"""Where the area under the PRO curve ends: of the pixels without a defect."""

_TOUCHING = np.ones((3, 3), bool)  # regions that touch by a corner are one


def auroc(maps: Sequence[Scores], truths: Sequence[Truth]) -> float:
    """P(a defect's pixel scores above one without), ties by half, over the pixels of all pictures.

    Args:
        maps: of each picture, H x W, larger where it is more anomalous.
        truths: of each picture, H x W.

    Returns:
        0 to 1; NaN without a pixel of either kind.
    """
    background, inside = _pixels(maps, truths)
    if not len(background) or not len(inside):
        return float("nan")
    below = np.searchsorted(background, inside, "left")
    not_above = np.searchsorted(background, inside, "right")
    return float((below + not_above).mean() / (2 * len(background)))


def aupro(maps: Sequence[Scores], truths: Sequence[Truth], limit: float = FALSE_POSITIVES) -> float:
    """Area under the mean of the regions' ROC curves, up to a share of false positives, over it.

    A region is what is connected in a picture's truth; its curve is that of its pixels against the
    pixels without a defect of all pictures. Of one pixel of a region with score s the curve rises
    from where the share of false positives is f0 = P(b > s) to where it is f1 = P(b >= s), in a
    straight line; the mean over its pixels is the region's.

    Args:
        maps, truths: as of `auroc`.
        limit: the share, over 0.

    Returns:
        0 to 1; NaN without a region, or without a pixel of the background.
    """
    background, _ = _pixels(maps, truths)
    areas = []
    for score, truth in zip(maps, truths):
        regions, count = ndimage.label(truth, _TOUCHING)
        for number in range(1, count + 1):
            areas.append(_area(score[regions == number], background, limit))
    return float(np.mean(areas)) if areas and len(background) else float("nan")


def _area(inside: Scores, background: Scores, limit: float) -> float:
    above = len(background) - np.searchsorted(background, inside, "right")
    not_below = len(background) - np.searchsorted(background, inside, "left")
    total = max(1, len(background))
    first, last = above / total, not_below / total
    cut = np.minimum(last, limit)
    # The slanted part up to the limit, and the level one after it.
    rise = np.where(last > first, (cut - first) ** 2 / (2 * np.maximum(last - first, 1e-300)), 0.0)
    areas = np.where(first < limit, rise + np.maximum(limit - last, 0.0), 0.0)
    return float(areas.mean() / limit)


def _pixels(maps: Sequence[Scores], truths: Sequence[Truth]) -> tuple[Scores, Scores]:
    """Scores without a defect, rising, and those in one."""
    if not maps:
        return np.empty(0, np.float32), np.empty(0, np.float32)
    background = np.concatenate([score[~truth] for score, truth in zip(maps, truths)])
    inside = np.concatenate([score[truth] for score, truth in zip(maps, truths)])
    return np.sort(background), inside
