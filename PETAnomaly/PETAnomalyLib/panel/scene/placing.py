"""The engine's results as MRML nodes: named after the PET and the model, beside the PET.

Copying a map into the scene takes the GUI thread's time, so results are placed step by step
(`resultSteps`): the caller lets Qt breathe between the steps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.panel.environment.models import SCORER_TITLES, defaultThreshold
from PETAnomalyLib.panel.parameters import SCORERS, Parameters, live
from PETAnomalyLib.panel.scene import findings_segmentation, findings_table_node
from PETAnomalyLib.panel.scene.results import Results
from PETAnomalyLib.panel.scene.volume_files import ijkToRas

MAP_COLOURS = "vtkMRMLColorTableNodeIron"  # red to yellow: told apart from CT and PET
CLEAR_SHARE = 0.5  # of the way from the lowest score to the threshold
SAMPLED_VOXELS = 500_000
OTHER_RESULTS = ("scoredMask", "segmentation", "table", "resultPet")
SAME_GEOMETRY = 1e-3  # mm: NIfTI keeps its matrix in float32
OUTLINE_WIDTH = 2
SCORER_ATTRIBUTE = "PETAnomaly.Scorer"
THRESHOLD_ATTRIBUTE = "PETAnomaly.Threshold"  # the model's own, for a scene opened without it


def resultSteps(
    parameters: Parameters, pet: Any, results: Results, model: Any, replace: bool
) -> Iterator[str]:
    """Place a run's results; yields the name of what comes next before each step.

    Args:
        parameters: gets the references to the new nodes.
        pet: the PET's node; None when it was deleted during the run: then nothing but the maps and
            the mask can be placed.
        results: what the run left.
        model: the bundle that made them.
        replace: remove the last run's results first; else they stay in the scene.
    """
    if replace:
        removeResults(parameters)
    else:
        forgetResults(parameters)
    name = pet.GetName() if pet is not None else _("Deleted PET")
    for scorer, image in results.maps.items():
        yield _("{scorer} map").format(scorer=_(SCORER_TITLES[scorer]))
        node = addVolume(image, f"{name} {scorer} map ({model.name})", pet, autoWindow=False)
        limit = defaultThreshold(model, scorer)
        node.SetAttribute(SCORER_ATTRIBUTE, scorer)
        node.SetAttribute(THRESHOLD_ATTRIBUTE, repr(limit))
        parameters.setValue(f"{scorer}Map", node)
        yield _("{scorer} map's colours").format(scorer=_(SCORER_TITLES[scorer]))
        if live(node) is not None:  # else the scene was changed between the two steps
            showMapColours(node, limit)
    if results.scoredMask is not None:
        yield _("field of view")
        title = f"{name} scored region ({model.name})"
        parameters.scoredMask = addVolume(
            results.scoredMask, title, pet, hidden=True, autoWindow=False
        )
    parameters.resultPet = pet
    if pet is None:
        return
    yield _("findings")
    segmentation = addSegmentation(f"{name} findings ({model.name})", pet)
    findings_segmentation.draw(segmentation, pet, results.labels, results.findings)
    parameters.segmentation = segmentation
    parameters.handEdited = False
    yield _("table of findings")
    parameters.table = addTable(f"{name} findings table ({model.name})", pet, results.findings)


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


def addSegmentation(name: str, pet: Any) -> Any:
    """An empty segmentation node with the PET's geometry, shown as outlines."""
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLSegmentationNode", slicer.mrmlScene.GenerateUniqueName(name)
    )
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(pet)
    display = node.GetDisplayNode()
    display.SetVisibility2DFill(False)
    display.SetVisibility2DOutline(True)
    display.SetSliceIntersectionThickness(OUTLINE_WIDTH)
    putBeside(node, pet)
    return node


def addTable(name: str, pet: Any, findings: list[Finding]) -> Any:
    """A table node with a row for each finding."""
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLTableNode", slicer.mrmlScene.GenerateUniqueName(name)
    )
    rows = [
        findings_table_node.Row(finding, findings_segmentation.segmentId(finding.number))
        for finding in findings
    ]
    findings_table_node.write(node, rows)
    putBeside(node, pet)
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


def showMapColours(node: Any, limit: float) -> None:
    """Colours and window of an anomaly map: clear up to half the threshold, then red to yellow.

    Args:
        node: the map's node.
        limit: the usual threshold, in the map's unit.
    """
    scores = slicer.util.arrayFromVolume(node)
    sample = scores.reshape(-1)[:: max(1, scores.size // SAMPLED_VOXELS)]
    low, high = float(sample.min()), float(scores.max())
    clear = low + CLEAR_SHARE * max(limit - low, 0.0)
    above = sample[sample > clear]
    top = float(np.percentile(above, 99.0)) if above.size else high
    top = max(top, low + 2.0 * (limit - low), clear + 1e-3)
    display = node.GetDisplayNode()
    display.SetAndObserveColorNodeID(existingColour(MAP_COLOURS))
    display.AutoWindowLevelOff()
    display.SetWindowLevelMinMax(clear, top)
    display.AutoThresholdOff()
    display.SetThreshold(clear, max(high, top))
    display.ApplyThresholdOn()


def existingColour(*nodeIds: str) -> str:
    """The first of these colour nodes that this Slicer has."""
    for nodeId in nodeIds:
        if slicer.mrmlScene.GetNodeByID(nodeId) is not None:
            return nodeId
    return "vtkMRMLColorTableNodeGrey"


def resultNodes(parameters: Parameters) -> list:
    """The last run's nodes that still exist."""
    nodes = [
        parameters.kdeMap,
        parameters.zscoreMap,
        parameters.residualMap,
        parameters.scoredMask,
        parameters.segmentation,
        parameters.table,
    ]
    return [node for node in map(live, nodes) if node is not None]


def removeResults(parameters: Parameters) -> None:
    """Remove the last run's nodes from the scene."""
    nodes = resultNodes(parameters)
    forgetResults(parameters)
    for node in nodes:
        slicer.mrmlScene.RemoveNode(node)


def forgetResults(parameters: Parameters) -> None:
    """Leave the last run's nodes alone from now on; they stay in the scene."""
    segmentation = live(parameters.segmentation)
    if segmentation is not None:
        segmentation.SetDisplayVisibility(False)  # else its outlines lie over the new ones
    for name in (*(f"{scorer}Map" for scorer in SCORERS), *OTHER_RESULTS):
        parameters.setValue(name, None)
    parameters.handEdited = False


def _imageIjkToRas(image: sitk.Image) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * image.GetSpacing()
    matrix[:3, 3] = image.GetOrigin()
    return np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix
