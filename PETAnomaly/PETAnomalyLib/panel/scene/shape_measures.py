"""What the table can show of a finding besides what findings.csv has: its largest diameter."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.findings.diameter import largest_diameter
from PETAnomalyLib.panel.scene.findings_segmentation import partOnGrid
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.volume_files import ijkToRas


class Diameters:
    """The findings' largest diameters in mm; each is measured once, and when it has changed."""

    def __init__(self) -> None:
        self._known: dict[tuple, float] = {}

    def of(self, row: Row, segmentation: Any, pet: Any) -> float:
        """Of a row's segment on the PET's grid; 0 where it is empty or gone."""
        if segmentation.GetSegmentation().GetSegment(row.segment) is None:
            return 0.0  # a row that is about to go
        key = (segmentation.GetID(), row.segment, row.finding)  # what a hand changes is another
        if key not in self._known:
            part = partOnGrid(segmentation, row.segment, pet)
            axes = ijkToRas(pet)[:3, :3]
            self._known[key] = largest_diameter(part[0], axes) if part is not None else 0.0
        return self._known[key]

    def forget(self) -> None:
        """Another study."""
        self._known = {}
