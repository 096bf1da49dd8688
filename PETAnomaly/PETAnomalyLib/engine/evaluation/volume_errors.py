"""How far the drawn volumes are from the true ones: MTV and TLG of whole studies and of hits.

MTV in ml; TLG = SUVmean x MTV, in g.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from PETAnomalyLib.engine.evaluation.metrics import FindingCounts, Labels, Scores


@dataclass(frozen=True)
class Volume:
    """Metabolic tumour volume and total lesion glycolysis."""

    mtv_ml: float
    tlg_g: float


@dataclass(frozen=True)
class StudyVolumes:
    """Of one study.

    Attributes:
        true, drawn: of all lesions, and of all findings.
        hit_true: of the lesions that are hit.
        hit_drawn: of the findings that hit them.
    """

    true: Volume
    drawn: Volume
    hit_true: Volume
    hit_drawn: Volume


@dataclass(frozen=True)
class VolumeErrors:
    """Over all studies.

    Attributes:
        mtv_bias_ml, tlg_bias_g: mean over the studies of drawn - true.
        mtv_error_ml, tlg_error_g: mean over the studies of |drawn - true|.
        hit_mtv_ratio, hit_tlg_ratio: findings that hit over the lesions hit, summed over all
            studies; 1 is right, None where nothing is hit.
    """

    mtv_bias_ml: float
    mtv_error_ml: float
    tlg_bias_g: float
    tlg_error_g: float
    hit_mtv_ratio: float | None
    hit_tlg_ratio: float | None


def study_volumes(
    pet: Scores, voxel_ml: float, labels: Labels, truth: Labels, counts: FindingCounts
) -> StudyVolumes:
    """Measure one study.

    Args:
        pet: SUV, g/ml, D x H x W.
        voxel_ml: volume of a voxel.
        labels, truth: finding and lesion numbers.
        counts: of both.
    """

    def volume(inside: npt.NDArray[np.bool_]) -> Volume:
        suv = pet[inside]
        return Volume(len(suv) * voxel_ml, float(suv.sum(dtype=np.float64)) * voxel_ml)

    is_hit = np.array([False, *(rank > 0 for rank in counts.ranks)])
    is_true = np.ones(int(labels.max(initial=0)) + 1, bool)
    is_true[[0, *counts.false_positives]] = False
    return StudyVolumes(
        volume(truth > 0), volume(labels > 0), volume(is_hit[truth]), volume(is_true[labels])
    )


def volume_errors(studies: Sequence[StudyVolumes]) -> VolumeErrors:
    """Pool the studies."""
    mtv = np.array([one.drawn.mtv_ml - one.true.mtv_ml for one in studies])
    tlg = np.array([one.drawn.tlg_g - one.true.tlg_g for one in studies])

    def ratio(name: str) -> float | None:
        true = sum(getattr(one.hit_true, name) for one in studies)
        drawn = sum(getattr(one.hit_drawn, name) for one in studies)
        return float(drawn / true) if true else None

    return VolumeErrors(
        mtv_bias_ml=float(mtv.mean()),
        mtv_error_ml=float(np.abs(mtv).mean()),
        tlg_bias_g=float(tlg.mean()),
        tlg_error_g=float(np.abs(tlg).mean()),
        hit_mtv_ratio=ratio("mtv_ml"),
        hit_tlg_ratio=ratio("tlg_g"),
    )
