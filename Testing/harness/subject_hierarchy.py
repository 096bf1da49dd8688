"""The subject hierarchy follows the scene: every visible data node has an item, as Slicer's plugins
make one.

Source: Slicer, Modules/Loadable/SubjectHierarchy/Widgets/qSlicerSubjectHierarchyPluginLogic.cxx
(that code is Qt, and so not in slicer-core; the hierarchy node itself is).
"""

from __future__ import annotations

from typing import Any

import slicer
import vtk

OWNER_PLUGINS = {
    "vtkMRMLScalarVolumeNode": "Volumes",
    "vtkMRMLLabelMapVolumeNode": "LabelMaps",
    "vtkMRMLSegmentationNode": "Segmentations",
    "vtkMRMLTableNode": "Tables",
    "vtkMRMLTextNode": "Texts",
    "vtkMRMLModelNode": "Models",
    "vtkMRMLMarkupsNode": "Markups",
    "vtkMRMLTransformNode": "Transforms",
}


def ownerPlugin(node: Any) -> str:
    """The plugin that would own the node's item, "" for a node that has none."""
    for className, plugin in OWNER_PLUGINS.items():
        if node.IsA(className) and not node.GetHideFromEditors():
            return plugin
    return ""


def addItem(scene: Any, node: Any) -> None:
    """Give the node an item below the scene, unless it has one or needs none."""
    plugin = ownerPlugin(node)
    if not plugin:
        return
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    if hierarchy.GetItemByDataNode(node) == hierarchy.GetInvalidItemID():
        hierarchy.CreateItem(hierarchy.GetSceneItemID(), node, plugin)


def follow(scene: Any) -> None:
    """Observe the scene from now on; nodes that come with a loaded scene get their items when it is
    complete.
    """

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAdded(_caller: Any, _event: str, node: Any) -> None:
        if not scene.IsImporting() and not scene.IsRestoring():
            addItem(scene, node)

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAboutToBeRemoved(_caller: Any, _event: str, node: Any) -> None:
        if scene.IsClosing() or not ownerPlugin(node):
            return
        hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
        item = hierarchy.GetItemByDataNode(node)
        if item != hierarchy.GetInvalidItemID():
            hierarchy.RemoveItem(item, False, False)

    def onSceneComplete(_caller: Any, _event: str) -> None:
        for index in range(scene.GetNumberOfNodes()):
            addItem(scene, scene.GetNthNode(index))

    scene.AddObserver(slicer.vtkMRMLScene.NodeAddedEvent, onNodeAdded)
    scene.AddObserver(slicer.vtkMRMLScene.NodeAboutToBeRemovedEvent, onNodeAboutToBeRemoved)
    for event in (slicer.vtkMRMLScene.EndImportEvent, slicer.vtkMRMLScene.EndRestoreEvent):
        scene.AddObserver(event, onSceneComplete)
