"""Whether a study has been seen already: by the same model, with the same settings."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection_settings import DetectionSettings, resolve
from PETAnomalyLib.engine.runtime.json_file import read_json


def is_result_of(report: Path, bundle: Bundle, wanted: DetectionSettings) -> bool:
    """Whether a report is of this model with these settings; a damaged one is of none.

    Args:
        report: the `report.json`, which may be missing.
        bundle: the model.
        wanted: the settings.
    """
    if not report.exists():
        return False
    try:
        made = read_json(report)
        settings, sha256 = made["settings"], made["model"]["sha256"]
    except (OSError, ValueError, KeyError, TypeError):  # damaged, or not of this program
        return False
    same = settings == json.loads(json.dumps(asdict(resolve(wanted, bundle))))
    return bool(same and sha256 == bundle.sha256)
