"""Findings merged and split, as corrections of one click."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt

from PETAnomalyLib.engine.findings.splitting import split
from PETAnomalyLib.panel.scene import finding_tags
from PETAnomalyLib.panel.scene.carry_over import agreed
from PETAnomalyLib.panel.scene.findings import SceneFindings
from PETAnomalyLib.panel.scene.findings_segmentation import addSegment, partOnGrid, putVoxels
from PETAnomalyLib.panel.scene.findings_table_node import Row


def merge(findings: SceneFindings, image: Any, rows: Sequence[Row]) -> str:
    """Make one finding of several, the one with the lowest number; its segment's identifier."""
    first, *others = sorted(rows, key=lambda row: row.finding.number)
    parts = [partOnGrid(findings.segmentation, row.segment, image) for row in (first, *others)]
    mask, start = _union([part for part in parts if part is not None])
    verdict, comment = agreed(rows)
    with findings.step() as segmentation:
        segments = segmentation.GetSegmentation()
        for row in others:
            segments.RemoveSegment(row.segment)
        putVoxels(segmentation, first.segment, image, mask, start)
        segment = segments.GetSegment(first.segment)
        finding_tags.setVerdict(segment, verdict)
        finding_tags.setComment(segment, comment)
    return first.segment


def divide(findings: SceneFindings, heat: Any, row: Row) -> str:
    """Part a finding between its two hot spots: the identifier of what is new; empty where it has
    one hot spot only.

    Args:
        findings: that are parted.
        heat: the volume that says where they are hot, on their grid: the PET, or an MR's map.
        row: the finding.
    """
    part = partOnGrid(findings.segmentation, row.segment, heat)
    if part is None:
        return ""
    mask, start = part
    box = tuple(slice(s, s + n) for s, n in zip(start, mask.shape))
    halves = split(mask, slicer.util.arrayFromVolume(heat)[box])
    if halves is None:
        return ""
    number = findings.nextNumber
    with findings.step() as segmentation:
        putVoxels(segmentation, row.segment, heat, halves == 1, start)
        made = addSegment(segmentation, number, f"Finding {number} ", heat, halves == 2, start)
        segment = segmentation.GetSegmentation().GetSegment(made)
        finding_tags.setVerdict(segment, row.verdict)
    return made


def _union(parts: Sequence[tuple]) -> tuple[np.ndarray, tuple]:
    """One mask (k, j, i), and its first index, of several."""
    low = np.min([start for _mask, start in parts], axis=0)
    high = np.max([np.add(start, mask.shape) for mask, start in parts], axis=0)
    whole = np.zeros(high - low, bool)
    for mask, start in parts:
        box = tuple(slice(s - a, s - a + n) for s, a, n in zip(start, low, mask.shape))
        whole[box] |= mask
    return whole, tuple(int(first) for first in low)
