"""Images as volume nodes, beside the volume that they belong to."""

from __future__ import annotations

from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer  # slicer.util looks for qt

from PETAnomalyLib.panel.scene.volume_files import ijkToRas

SAME_GEOMETRY = 1e-3  # mm: NIfTI keeps its matrix in float32


def addVolume(
    image: sitk.Image, name: str, sibling: Any, hidden: bool = False, autoWindow: bool = True
) -> Any:
    """A scalar volume node of an image, beside another node in the subject hierarchy.

    The sibling's own matrix is used where the image lies on its grid, so that a map's voxels are
    the PET's to the last digit. A hidden node appears in no selector and not in the hierarchy.
    Without `autoWindow` the caller sets the window: Slicer's own is made from a histogram of all
    voxels, four fifths of the time that it takes to place a volume.
    """
    array = sitk.GetArrayViewFromImage(image)
    matrix = _imageIjkToRas(image)
    if sibling is not None and sibling.GetImageData() is not None:
        own = ijkToRas(sibling)
        sameSize = sibling.GetImageData().GetDimensions() == image.GetSize()
        if sameSize and np.allclose(own, matrix, atol=SAME_GEOMETRY):
            matrix = own
    node = slicer.mrmlScene.CreateNodeByClass("vtkMRMLScalarVolumeNode")
    node.UnRegister(None)  # the Python variable holds it
    node.SetName(slicer.mrmlScene.GenerateUniqueName(name))
    node.SetHideFromEditors(hidden)  # before it is added: the hierarchy decides then
    slicer.mrmlScene.AddNode(node)
    if not autoWindow:  # said before there are voxels
        node.CreateDefaultDisplayNodes()
        node.GetDisplayNode().AutoWindowLevelOff()
    slicer.util.updateVolumeFromArray(node, array)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    node.CreateDefaultDisplayNodes()
    putBeside(node, sibling)
    return node


def putBeside(node: Any, sibling: Any) -> None:
    """Give the node the sibling's parent in the subject hierarchy (patient and study)."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    if hierarchy is None or sibling is None or node.GetHideFromEditors():
        return
    siblingItem = hierarchy.GetItemByDataNode(sibling)
    parent = hierarchy.GetItemParent(siblingItem) if siblingItem else hierarchy.GetSceneItemID()
    item = hierarchy.GetItemByDataNode(node)
    if item:
        hierarchy.SetItemParent(item, parent)
    else:
        hierarchy.CreateItem(parent, node)


def _imageIjkToRas(image: sitk.Image) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix
