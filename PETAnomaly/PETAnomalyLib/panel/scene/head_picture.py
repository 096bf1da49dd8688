"""An MR's findings as a picture: axial slices through them, as the engine draws its overview."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt

from PETAnomalyLib.panel.scene.findings_segmentation import partOnGrid
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.volume_files import ijkToRas, physicalImage


def writeHeadPicture(
    path: Path,
    mr: Any,
    score: Any,
    segmentation: Any,
    rows: Sequence[Row],
    scorer: str,
    threshold: float | None = None,
) -> None:
    """Write a PNG.

    Args:
        path: the file.
        mr: its node.
        score: the map's node on its grid; None where it is gone.
        segmentation: the findings' node.
        rows: those that are drawn.
        scorer: that made the map.
        threshold: marked on the map's scale.
    """
    from PETAnomalyLib.engine.figures.head_overview import head_overview  # Pillow

    matrix, voxels = ijkToRas(mr), slicer.util.arrayFromVolume(mr).astype(np.float32)
    labels = np.zeros(voxels.shape, np.uint16)
    for row in rows:
        part = partOnGrid(segmentation, row.segment, mr)
        if part is None:
            continue
        mask, start = part
        box = tuple(slice(first, first + n) for first, n in zip(start, mask.shape))
        labels[box][mask] = row.finding.number
    scores = np.zeros_like(voxels)
    if score is not None:
        scores = slicer.util.arrayFromVolume(score).astype(np.float32)
    head_overview(
        path,
        physicalImage(voxels, matrix),
        physicalImage(scores, matrix),
        scorer,
        physicalImage(labels, matrix),
        [row.finding for row in rows],
        threshold=threshold,
    )
