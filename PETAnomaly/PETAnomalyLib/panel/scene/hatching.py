"""Hatching over the parts of a study that are unlike what the model knows (2 in the scored mask).

Stripes that are a segment of their own, so that every Slicer draws them, PET and map are seen
between them, and the scene keeps them. They are slabs askew to all three axes of the grid, so that
each of the three planes cuts them to lines.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.parameters import Parameters, foreignRegions, live
from PETAnomalyLib.panel.scene.findings_segmentation import orientedImage
from PETAnomalyLib.panel.scene.label_block import LabelBlock, cutOut
from PETAnomalyLib.panel.scene.volume_files import ijkToRas
from PETAnomalyLib.panel.scene.volume_nodes import putBeside

FOREIGN = 2  # in scored_mask.nii.gz
EVERY = 7.0  # voxels from stripe to stripe, along an axis
WIDTH = 1.5  # voxels: less would tear where a stripe passes from one voxel to the next
COLOUR = (0.1, 0.9, 0.9)  # of no map and no window of the PET
OPACITY = 0.45  # of the stripes


@dataclass(frozen=True)
class Hatching:
    """Where a study is foreign, and the stripes there; both uint8 on the PET's grid."""

    region: LabelBlock
    stripes: LabelBlock


def hatched(mask: np.ndarray, spacing: Sequence[float]) -> Hatching | None:
    """Hatch what is foreign; None where nothing is. A worker's job: it walks through the volume.

    Args:
        mask: (k, j, i), the scored mask.
        spacing: mm from voxel to voxel along i, j and k.
    """
    foreign = mask == FOREIGN
    if not foreign.any():
        return None
    region = cutOut(foreign.astype(np.uint8))
    k, j, i = (step * np.arange(n) for step, n in zip(reversed(spacing), region.voxels.shape))
    across = k[:, None, None] + j[:, None] + i  # mm
    voxel = float(np.mean(spacing))
    inStripe = np.mod(across, EVERY * voxel) < WIDTH * voxel
    return Hatching(region, LabelBlock(region.voxels * inStripe, region.start))


def addHatching(name: str, pet: Any, hatching: Hatching) -> Any:
    """A segmentation node of the region's outline and of its stripes, on the PET's grid."""
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLSegmentationNode", slicer.mrmlScene.GenerateUniqueName(name)
    )
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(pet)
    display = node.GetDisplayNode()
    for title, block, isFilled in (
        (_("Unlike what the model knows"), hatching.region, False),
        (_("Stripes"), hatching.stripes, True),
    ):
        segment = slicer.vtkSegment()
        segment.SetName(title)
        segment.SetColor(*COLOUR)
        segment.AddRepresentation("Binary labelmap", orientedImage(block, ijkToRas(pet), 1))
        identifier = "Stripes" if isFilled else "Region"
        node.GetSegmentation().AddSegment(segment, identifier)
        display.SetSegmentVisibility2DFill(identifier, isFilled)
        display.SetSegmentVisibility2DOutline(identifier, not isFilled)
        display.SetSegmentOpacity2DFill(identifier, OPACITY)
    display.SetVisibility3D(False)
    putBeside(node, pet)
    return node


def showHatching(parameters: Parameters) -> None:
    """Show or hide it in the slice views."""
    node = live(parameters.foreign)
    if node is not None and node.GetDisplayNode() is not None:
        belongs = foreignRegions(parameters) is not None
        node.GetDisplayNode().SetVisibility2D(parameters.hatching and belongs)
