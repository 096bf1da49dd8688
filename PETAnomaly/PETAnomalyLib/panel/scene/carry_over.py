"""What a reader said of findings goes over to those that are drawn in their place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from PETAnomalyLib.engine.findings.verdict import UNSURE
from PETAnomalyLib.panel.scene.findings_segmentation import partOnGrid
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.label_block import LabelBlock, shared


def carriedOver(
    node: Any, pet: Any, rows: Sequence[Row], block: LabelBlock
) -> dict[int, tuple[str, str]]:
    """Verdict and comment of new findings, by their number.

    A finding passes on what was said of it to the new one that holds most of its voxels. Where
    several meet in one, their comments are joined, and verdicts that differ leave it unsure.

    Args:
        node: the segmentation of the old findings.
        pet: the PET's node.
        rows: the old findings.
        block: the new findings' labels, cut out of the PET's grid.
    """
    heirs: dict[int, list[Row]] = {}
    for row in rows:
        if row.verdict == UNSURE and not row.comment:
            continue
        part = partOnGrid(node, row.segment, pet)
        heir = 0
        if part is not None:
            mask, start = part
            heir = _mostCommonLabel(mask, start, block)
        if heir:
            heirs.setdefault(heir, []).append(row)
    return {number: agreed(forebears) for number, forebears in heirs.items()}


def agreed(rows: Sequence[Row]) -> tuple[str, str]:
    """Verdict and comment of findings that become one."""
    verdicts = {row.verdict for row in rows}
    comments = dict.fromkeys(row.comment for row in rows if row.comment)
    return (verdicts.pop() if len(verdicts) == 1 else UNSURE), "; ".join(comments)


def _mostCommonLabel(mask: np.ndarray, start: tuple[int, int, int], block: LabelBlock) -> int:
    """Of the labels under a mask (k, j, i) that begins at an index of the grid; 0 for none."""
    common = shared(start, mask.shape, block.start, block.voxels.shape)
    if common is None:
        return 0
    own, labels = common
    count = np.bincount(block.voxels[labels][mask[own]])
    return int(count[1:].argmax()) + 1 if count[1:].any() else 0
