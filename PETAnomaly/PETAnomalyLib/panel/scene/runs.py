"""The runs that are in the scene: what each found, which one is shown, showing another.

Each run has its map, mask, segmentation and table, and the verdicts on its segments. The parameter
node refers to those of the run that is shown; a run's segmentation knows them all.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import slicer  # slicer.util looks for qt

from PETAnomalyLib.engine.findings.verdict import PHYSIOLOGICAL
from PETAnomalyLib.panel.parameters import (
    DEFAULT_GROWTH,
    SCORERS,
    Parameters,
    findingsSegmentation,
    isOfMr,
    live,
    setThreshold,
    studyImage,
)
from PETAnomalyLib.panel.scene import finding_tags, findings_table_node
from PETAnomalyLib.panel.scene.finding_kinds import volumeMl
from PETAnomalyLib.panel.scene.result_nodes import (
    RESULTS,
    THRESHOLD_ATTRIBUTE,
    forgetResults,
    removeResults,
)
from PETAnomalyLib.panel.scene.run_record import drawnWithOf, keepParts, partsOf, runOf
from PETAnomalyLib.panel.scene.volume_nodes import folderOf, removeEmptyFolder


@dataclass(frozen=True)
class SceneRun:
    """A run of the chosen PET, or MR.

    Attributes:
        segmentation: its findings' node, by which it is known.
        time: when it ended, ISO 8601 with the time zone; empty where that was not kept.
        model, name: of the bundle, for people and in short.
        scorer: whose map its findings are drawn from now.
        count, volume_ml: number and total volume of its findings, but for what a reader has called
            physiological.
        isShown: it is the one that panel and views show.
    """

    segmentation: Any
    time: str
    model: str
    name: str
    scorer: str
    count: int
    volume_ml: float
    isShown: bool


def runsOf(parameters: Parameters) -> list[SceneRun]:
    """The chosen PET's, or MR's, runs that are in the scene, the oldest first."""
    image = studyImage(parameters)
    shown = findingsSegmentation(parameters)
    if image is None:
        return []
    _knowItsParts(parameters, shown)
    found = []
    for node in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        parts = partsOf(node, ("resultPet", "table"))
        if parts["resultPet"] is not image or parts["table"] is None:
            continue
        run, counted = runOf(node), _counted(node, parts["table"])
        found.append(
            SceneRun(
                segmentation=node,
                time=str(run.get("time", "")),
                model=str(run.get("model", "")),
                name=str(run.get("name", "")),
                scorer=str(drawnWithOf(node).get("scorer", "")),
                count=len(counted),
                volume_ml=sum(volumeMl(row.finding) for row in counted),
                isShown=node is shown,
            )
        )
    return sorted(found, key=lambda run: run.time)


def showRun(parameters: Parameters, segmentation: Any, installed: Collection[str] = ()) -> None:
    """Let panel and views show another run, as it was left.

    Args:
        parameters: gets the references to its nodes, and what its findings are drawn with.
        segmentation: the run's.
        installed: names of models: the run's is chosen where it is among them.
    """
    forgetResults(parameters)
    parts, drawn = partsOf(segmentation, RESULTS), drawnWithOf(segmentation)
    maps = [scorer for scorer in SCORERS if parts[f"{scorer}Map"] is not None]
    scorer = drawn.get("scorer")
    with slicer.util.NodeModify(parameters):
        for part, node in parts.items():
            parameters.setValue(part, node)
        model = runOf(segmentation).get("name")
        if model in installed:
            parameters.model = model
        if maps:
            parameters.scorer = scorer if scorer in maps else maps[0]
        for one in SCORERS:
            own = one == parameters.scorer and one in maps
            setThreshold(parameters, one, _ownThreshold(parts[f"{one}Map"], drawn) if own else None)
        if not isOfMr(parameters):
            parameters.growth = float(drawn.get("grow", DEFAULT_GROWTH))
        parameters.minimumVolume = float(drawn.get("min_volume_ml", parameters.minimumVolume))
        parameters.handEdited = bool(drawn.get("hand_edited", False))
    for node in (segmentation, parts["foreign"]):
        if node is not None:
            node.SetDisplayVisibility(True)


def lookAt(parameters: Parameters, modality: str) -> None:
    """Turn from PET to MR, or back: what was shown is left as it is, and the last run of what is
    chosen now is shown, if it has one.

    Args:
        parameters: of the study.
        modality: `parameters.PET` or `MR`.
    """
    runsOf(parameters)  # findings of a scene saved by an earlier version learn what belongs to them
    forgetResults(parameters)
    parameters.modality = modality
    runs = runsOf(parameters)
    if runs:
        showRun(parameters, runs[-1].segmentation)


def removeRun(parameters: Parameters, segmentation: Any) -> None:
    """Remove a run's nodes from the scene, and its folder when nothing else lies in it."""
    if segmentation is live(parameters.segmentation):
        removeResults(parameters)
        return
    parts = partsOf(segmentation, RESULTS)
    del parts["resultPet"]
    nodes = [node for node in parts.values() if node is not None]
    folders = {folderOf(node) for node in nodes}
    for node in nodes:
        slicer.mrmlScene.RemoveNode(node)
    for folder in folders:
        removeEmptyFolder(folder)


def _knowItsParts(parameters: Parameters, shown: Any) -> None:
    """A scene that an earlier version saved names them on the parameter node alone."""
    if shown is not None and partsOf(shown, ("segmentation",))["segmentation"] is None:
        keepParts(shown, {name: live(parameters.getValue(name)) for name in RESULTS})


def _counted(segmentation: Any, table: Any) -> list[findings_table_node.Row]:
    """The rows but for those that a reader has called physiological."""
    segments = segmentation.GetSegmentation()
    return [
        row
        for row in findings_table_node.read(table)
        if (segment := segments.GetSegment(row.segment)) is not None
        and finding_tags.verdictOf(segment) != PHYSIOLOGICAL
    ]


def _ownThreshold(node: Any, drawn: dict[str, Any]) -> float | None:
    """What the findings are drawn at, where that is not the model's own."""
    value = drawn.get("threshold")
    if value is None or repr(float(value)) == node.GetAttribute(THRESHOLD_ATTRIBUTE):
        return None
    return float(value)
