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


def folderBeside(sibling: Any, name: str) -> int:
    """A folder beside a node in the subject hierarchy; its item, 0 without a hierarchy."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    if hierarchy is None or sibling is None:
        return 0
    item = hierarchy.GetItemByDataNode(sibling)
    parent = hierarchy.GetItemParent(item) if item else hierarchy.GetSceneItemID()
    return int(hierarchy.CreateFolderItem(parent, hierarchy.GenerateUniqueItemName(name)))


def putInto(node: Any, folder: int) -> None:
    """Move a node's item into a folder of the subject hierarchy; 0 for nowhere."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    if hierarchy is None or not folder or node.GetHideFromEditors():
        return
    item = hierarchy.GetItemByDataNode(node)
    if item:
        hierarchy.SetItemParent(item, folder)


def removeEmptyFolder(folder: int) -> None:
    """Remove a folder that nothing is left in."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    if hierarchy is None or not folder:
        return
    if hierarchy.GetItemLevel(folder) == "Folder" and not hierarchy.GetNumberOfItemChildren(folder):
        hierarchy.RemoveItem(folder)


def folderOf(node: Any) -> int:
    """The item that holds a node's item; 0 for none."""
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(node) if hierarchy is not None else 0
    return int(hierarchy.GetItemParent(item)) if item else 0


def _imageIjkToRas(image: sitk.Image) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix
