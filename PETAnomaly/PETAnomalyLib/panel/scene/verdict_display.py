"""What is physiological steps back in the views."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PETAnomalyLib.engine.findings.verdict import PHYSIOLOGICAL
from PETAnomalyLib.panel.scene.findings_table_node import Row

DIMMED = 0.3  # opacity; any other is the user's own and stays
PLAIN = 1.0


def dimPhysiological(segmentation: Any, rows: Sequence[Row]) -> None:
    """Show physiological findings faintly, in slices and in 3-D, and no others."""
    display = segmentation.GetDisplayNode() if segmentation is not None else None
    if display is None:
        return
    for row in rows:
        isDimmed = abs(display.GetSegmentOpacity2DOutline(row.segment) - DIMMED) < 1e-6
        if isDimmed == (row.verdict == PHYSIOLOGICAL):
            continue
        opacity = PLAIN if isDimmed else DIMMED
        display.SetSegmentOpacity2DOutline(row.segment, opacity)
        display.SetSegmentOpacity2DFill(row.segment, opacity)
        display.SetSegmentOpacity3D(row.segment, opacity)
