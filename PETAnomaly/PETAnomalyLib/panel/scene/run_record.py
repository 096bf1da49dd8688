"""What a run said of itself, kept on its findings: model, settings, warnings."""

from __future__ import annotations

import json
from typing import Any

from slicer.i18n import tr as _

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.scene.result_files import Results

RUN_ATTRIBUTE = "PETAnomaly.Run"


def keepRun(segmentation: Any, model: Any, results: Results) -> None:
    """Keep it with the findings, for whoever opens the scene."""
    told = {
        "model": model.title,
        "name": model.name,
        "version": results.report.get("versions", {}).get("petanomaly", __version__),
        "ct": model.ct == "required",
        # Another computer's model of that name may be another one.
        "sha256": results.report.get("model", {}).get("sha256", model.sha256),
        "frame": results.report.get("frame", {}).get("model_to_study_lps_mm"),
        "warnings": results.warnings,
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
