"""What a run said of itself, kept on its findings: model, settings, warnings, which nodes are its,
and with what the findings are drawn now.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from slicer.i18n import tr as _

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.scene.result_files import Results

RUN_ATTRIBUTE = "PETAnomaly.Run"
DRAWN_WITH_ATTRIBUTE = "PETAnomaly.DrawnWith"
_PART = "PETAnomaly.Part."  # roles of node references: a scene that is loaded keeps them


def keepRun(segmentation: Any, model: Any, results: Results) -> None:
    """Keep it with the findings, for whoever opens the scene."""
    told = {
        "model": model.title,
        "name": model.name,
        "time": datetime.now().astimezone().isoformat(timespec="seconds"),
        "version": results.report.get("versions", {}).get("petanomaly", __version__),
        "modality": model.modality,
        "ct": model.ct == "required",
        # Another computer's model of that name may be another one.
        "sha256": results.report.get("model", {}).get("sha256", model.sha256),
        "frame": results.report.get("frame", {}).get("model_to_study_lps_mm"),
        "warnings": results.warnings,
        "mask": results.report.get("inputs", {}).get("mask", {}).get("from"),
        "settings": results.report.get("settings", {}),
    }
    segmentation.SetAttribute(RUN_ATTRIBUTE, json.dumps(told))


def runOf(segmentation: Any) -> dict[str, Any]:
    """What was kept; empty for a scene saved by an earlier version, and without findings."""
    text = segmentation.GetAttribute(RUN_ATTRIBUTE) if segmentation is not None else None
    try:
        told = json.loads(text or "{}")
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def keepParts(segmentation: Any, parts: Mapping[str, Any]) -> None:
    """Keep which nodes belong to the findings.

    Args:
        segmentation: the findings' node.
        parts: name in the parameter node -> node, or None.
    """
    for name, node in parts.items():
        segmentation.SetNodeReferenceID(_PART + name, node.GetID() if node is not None else None)


def partsOf(segmentation: Any, names: Iterable[str]) -> dict[str, Any]:
    """The nodes of these names that belong to the findings, None where there is none (any more)."""
    return {name: segmentation.GetNodeReference(_PART + name) for name in names}


def keepDrawnWith(segmentation: Any, drawnWith: Mapping[str, Any]) -> None:
    """Keep what the findings are drawn with, by the names of report.json, and `hand_edited`."""
    told = json.dumps({**drawnWithOf(segmentation), **drawnWith})
    if segmentation.GetAttribute(DRAWN_WITH_ATTRIBUTE) != told:
        segmentation.SetAttribute(DRAWN_WITH_ATTRIBUTE, told)


def drawnWithOf(segmentation: Any) -> dict[str, Any]:
    """What was kept; before that the run's own settings."""
    try:
        told = json.loads(segmentation.GetAttribute(DRAWN_WITH_ATTRIBUTE) or "null")
    except ValueError:
        told = None
    return told if isinstance(told, dict) else dict(runOf(segmentation).get("settings", {}))


def detectorOf(segmentation: Any, drawnWith: dict[str, Any]) -> dict[str, Any]:
    """As much of report.json as a DICOM result needs: what found these findings.

    Args:
        segmentation: the findings' node.
        drawnWith: settings that have changed since the run.

    Raises:
        InputError: nothing was kept, or by a version that kept less.
    """
    told = runOf(segmentation)
    if not all(isinstance(told.get(part), str) for part in ("name", "version", "sha256")):
        raise InputError(
            _("These findings do not say which model found them: an earlier version saved them."),
            _("Run Detect again."),
        )
    return {
        "model": {"name": told["name"], "sha256": told["sha256"]},
        "settings": {**told.get("settings", {}), **drawnWith},
        "inputs": {"pet": {}, "ct": {}} if told.get("ct") else {"pet": {}},
        "versions": {"petanomaly": told["version"]},
    }


def warningsOf(segmentation: Any) -> list[str]:
    """What the engine found suspicious but usable; how little the study fits its model is first."""
    warnings = runOf(segmentation).get("warnings", [])
    return [str(text) for text in warnings] if isinstance(warnings, list) else []
