"""Where findings lie, and what they are beside reference uptake: further columns of findings.csv.

Where the model has a region atlas, `site`; where somebody has segmented the organs, `organ` and its
companions, and the ratios to the liver and the blood pool.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.engine.findings.organs import COLUMNS, Organs, places
from PETAnomalyLib.engine.findings.reference_columns import References, references_in
from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.frame.region_atlas import COLUMN, RegionAtlas, sites

Columns = dict[str, Sequence[float | str]]


class Placing:
    """Places the findings of one study.

    Args:
        atlas: the model's; None where it has none.
        alignment: of the study to the model's frame.
        organs: on the PET's grid; None where nobody has segmented them.
        pet: SUVbw.

    Attributes:
        references: what the ratios are to.
        warnings: why one of them is missing, in sentences.
    """

    def __init__(
        self, atlas: Path | None, alignment: Alignment, organs: Organs | None, pet: sitk.Image
    ) -> None:
        self._atlas = None if atlas is None else RegionAtlas.read(atlas)
        self._alignment, self._organs = alignment, organs
        self.references = References()
        self.warnings: tuple[str, ...] = ()
        if organs is not None:
            suv = sitk.GetArrayViewFromImage(pet)
            self.references, self.warnings = references_in(organs, suv, ras_affine(pet))

    def columns(self, labels: sitk.Image, findings: Sequence[Finding]) -> Columns:
        """Name of a column -> a value a finding.

        Args:
            labels: the findings' numbers, on the PET's grid.
            findings: measured on them.
        """
        found: Columns = {}
        if self._atlas is not None:
            found[COLUMN] = sites(labels, self._atlas, self._alignment.transform)
        if self._organs is not None:
            cells = [place.cells() for place in places(labels, self._organs)]
            found |= {name: [row[n] for row in cells] for n, name in enumerate(COLUMNS)}
        ratios = [self.references.columns(finding) for finding in findings]
        for name in ratios[0] if ratios else ():
            found[name] = [row[name] for row in ratios]
        return found


def ras_affine(image: sitk.Image) -> NDArray[np.float64]:
    """(4, 4), from voxel indices (i, j, k) to RAS mm; SimpleITK's own points are LPS."""
    affine = np.eye(4)
    affine[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    affine[:2] *= -1
    return affine
