"""What a run said of itself, kept on its findings: model, settings, warnings."""

from __future__ import annotations

import json
from typing import Any

from PETAnomalyLib.panel.scene.result_files import Results

RUN_ATTRIBUTE = "PETAnomaly.Run"


def keepRun(segmentation: Any, model: Any, results: Results) -> None:
    """Keep it with the findings, for whoever opens the scene."""
    told = {
        "model": model.title,
        "sha256": model.sha256,
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


def warningsOf(segmentation: Any) -> list[str]:
    """What the engine found suspicious but usable; how little the study fits its model is first."""
    warnings = runOf(segmentation).get("warnings", [])
    return [str(text) for text in warnings] if isinstance(warnings, list) else []
