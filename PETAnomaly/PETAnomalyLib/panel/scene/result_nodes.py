"""The engine's results as MRML nodes: named after what they are, the PET (or MR) and the model,
beside that, in a folder of the subject hierarchy.

Copying a map into the scene takes the GUI thread's time, so results are placed step by step
(`resultSteps`): the caller lets Qt breathe between the steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.findings.measures import Finding, FindingRow
from PETAnomalyLib.engine.findings.segmentation import segment_id
from PETAnomalyLib.engine.frame.region_atlas import COLUMN as SITE
from PETAnomalyLib.panel.environment.models import SCORER_TITLES, defaultThreshold
from PETAnomalyLib.panel.parameters import SCORERS, Parameters, live
from PETAnomalyLib.panel.scene import findings_segmentation, findings_table_node
from PETAnomalyLib.panel.scene.hatching import addHatching
from PETAnomalyLib.panel.scene.result_files import Results
from PETAnomalyLib.panel.scene.run_record import keepDrawnWith, keepParts, keepRun
from PETAnomalyLib.panel.scene.volume_nodes import (
    addVolume,
    folderBeside,
    folderOf,
    putBeside,
    putInto,
    removeEmptyFolder,
)
from PETAnomalyLib.panel.scene.windows import showMapColours

RESULTS = (*(f"{scorer}Map" for scorer in SCORERS), "scoredMask", "foreign", "segmentation",
           "table", "resultPet")  # fmt: skip
"""Of a run, by their names in the parameter node."""
OUTLINE_WIDTH = 2
# What differs comes first: the views' corners cut a long name in its middle.
SHORT_TITLES = {"kde": "KDE", "zscore": "Z-score", "residual": "Residual"}
SCORER_ATTRIBUTE = "PETAnomaly.Scorer"
THRESHOLD_ATTRIBUTE = "PETAnomaly.Threshold"  # the model's own, for a scene opened without it


def resultSteps(
    parameters: Parameters, pet: Any, results: Results, model: Any, replace: bool
) -> Iterator[str]:
    """Place a run's results; yields the name of what comes next before each step.

    Args:
        parameters: gets the references to the new nodes.
        pet: the node of the PET, or MR; None when it was deleted during the run: then nothing but
            the maps and the mask can be placed.
        results: what the run left.
        model: the bundle that made them.
        replace: remove the last run's results first; else they stay in the scene.
    """
    if replace:
        removeResults(parameters)
    else:
        forgetResults(parameters)
    name = pet.GetName() if pet is not None else _("Deleted PET")
    folder = folderBeside(pet, _("Run of {model}, {name}").format(model=model.name, name=name))
    for scorer, image in results.maps.items():
        yield _("{scorer} map").format(scorer=_(SCORER_TITLES[scorer]))
        node = addVolume(
            image, f"{SHORT_TITLES[scorer]} map, {name} ({model.name})", pet, autoWindow=False
        )
        putInto(node, folder)
        limit = defaultThreshold(model, scorer)
        node.SetAttribute(SCORER_ATTRIBUTE, scorer)
        node.SetAttribute(THRESHOLD_ATTRIBUTE, repr(limit))
        parameters.setValue(f"{scorer}Map", node)
        yield _("{scorer} map's colours").format(scorer=_(SCORER_TITLES[scorer]))
        if live(node) is not None:  # else the scene was changed between the two steps
            showMapColours(node, limit)
    if results.scoredMask is not None:
        yield _("field of view")
        title = f"Scored region, {name} ({model.name})"
        parameters.scoredMask = addVolume(
            results.scoredMask, title, pet, hidden=True, autoWindow=False
        )
    parameters.resultPet = pet
    if pet is None:
        return
    if results.hatching is not None:
        yield _("hatching")
        parameters.foreign = addHatching(
            f"Unlike the model, {name} ({model.name})", pet, results.hatching
        )
        putInto(parameters.foreign, folder)
    yield _("findings")
    segmentation = addSegmentation(f"Findings, {name} ({model.name})", pet)
    putInto(segmentation, folder)
    findings_segmentation.draw(segmentation, pet, results.labels, results.findings)
    keepRun(segmentation, model, results)
    parameters.segmentation = segmentation
    parameters.handEdited = False
    yield _("table of findings")
    title = f"Findings table, {name} ({model.name})"
    parameters.table = addTable(title, pet, results.findings, results.sites, results.kind)
    putInto(parameters.table, folder)
    keepParts(segmentation, {name: live(parameters.getValue(name)) for name in RESULTS})


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


def addTable(name: str, pet: Any, findings: Sequence[FindingRow], sites: Sequence[str] = (),
             kind: type = Finding) -> Any:  # fmt: skip
    """A table node with a row for each finding of a kind, and where these lie, if known."""
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLTableNode", slicer.mrmlScene.GenerateUniqueName(name)
    )
    rows = [findings_table_node.Row(finding, segment_id(finding.number)) for finding in findings]
    if sites:
        rows = [replace(row, further=((SITE, site),)) for row, site in zip(rows, sites)]
    findings_table_node.write(node, rows, kind)
    putBeside(node, pet)
    return node


def resultNodes(parameters: Parameters) -> list:
    """The last run's nodes that still exist."""
    nodes = [
        parameters.kdeMap,
        parameters.zscoreMap,
        parameters.residualMap,
        parameters.scoredMask,
        parameters.foreign,
        parameters.segmentation,
        parameters.table,
    ]
    return [node for node in map(live, nodes) if node is not None]


def removeResults(parameters: Parameters) -> None:
    """Remove the last run's nodes from the scene."""
    nodes = resultNodes(parameters)
    folders = {folderOf(node) for node in nodes}
    forgetResults(parameters)
    for node in nodes:
        slicer.mrmlScene.RemoveNode(node)
    for folder in folders:
        removeEmptyFolder(folder)


def forgetResults(parameters: Parameters) -> None:
    """Leave the last run's nodes alone from now on; they stay in the scene."""
    segmentation = live(parameters.segmentation)
    for node in (segmentation, live(parameters.foreign)):
        if node is not None:
            node.SetDisplayVisibility(False)  # else its outlines lie over the new ones
    if segmentation is not None:
        keepDrawnWith(segmentation, {"hand_edited": bool(parameters.handEdited)})
    for name in RESULTS:
        parameters.setValue(name, None)
    parameters.handEdited = False
