"""What a study's findings add up to, all of them or the lesions alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.findings.measures import total
from PETAnomalyLib.engine.findings.verdict import LESION
from PETAnomalyLib.panel.scene.findings_table_node import Row


@dataclass(frozen=True)
class ReadingTotals:
    """Of some findings.

    Attributes:
        count: how many.
        unfamiliar: how many of them lie where the study is unlike what the model knows.
        tmtv_ml, tlg_g: total metabolic tumour volume, total lesion glycolysis.
        suv_max: the highest SUV in any of them, g/ml; 0 without findings.
        dmax_mm: the largest distance between the centroids of two of them; 0 with fewer than two
            (Cottereau et al., Ann Oncol 2020;31:404).
    """

    count: int
    unfamiliar: int
    tmtv_ml: float
    tlg_g: float
    suv_max: float
    dmax_mm: float


def totalsOf(rows: Sequence[Row]) -> ReadingTotals:
    """What these findings add up to."""
    findings = [row.finding for row in rows]
    sums = total(findings)
    return ReadingTotals(
        count=sums.count,
        unfamiliar=sum(finding.unfamiliar for finding in findings),
        tmtv_ml=sums.tmtv_ml,
        tlg_g=sums.tlg_g,
        suv_max=max((finding.suv_max for finding in findings), default=0.0),
        dmax_mm=_largestDistance(
            np.array([(f.centroid_r_mm, f.centroid_a_mm, f.centroid_s_mm) for f in findings])
        ),
    )


def lesions(rows: Sequence[Row]) -> list[Row]:
    """Those that a reader has called lesions."""
    return [row for row in rows if row.verdict == LESION]


def _largestDistance(points: np.ndarray) -> float:
    """Between two of n points, (n, 3) mm."""
    if len(points) < 2:
        return 0.0
    return float(max(np.linalg.norm(points - point, axis=1).max() for point in points))
