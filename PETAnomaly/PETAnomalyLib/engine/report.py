"""`report.json`: all that is needed to repeat a run, and to judge it."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.frame.alignment import Alignment

if TYPE_CHECKING:  # torch comes with these; a detection imports it while the study is aligned
    import torch

    from PETAnomalyLib.engine.families.healer import Healing


def write_report(
    path: Path,
    *,
    inputs: Mapping[str, Any],
    bundle: Bundle,
    model_path: str,
    settings: Mapping[str, Any],
    alignment: Alignment,
    fit: Mapping[str, Any],
    body_not_scored: float,
    drawn: Mapping[str, int],
    healing: Healing,
    findings: Mapping[str, Any],
    reference: Mapping[str, Any],
    warnings: Sequence[str],
    device: torch.device,
    seconds: Mapping[str, float],
) -> None:
    """Write the report.

    Args:
        path: the file.
        inputs: the study's description.
        bundle: the model.
        model_path: where it lies, as may be said.
        settings: every setting that was in force, the bundle's own included.
        alignment: from the model frame to the study.
        fit: how well the study fits the model.
        body_not_scored: share of the body outside the model's field of view.
        drawn: how many samples were drawn, and left out.
        healing: what was resampled.
        findings: the totals.
        reference: uptake of the liver and the blood pool, where it is known.
        warnings: everything that was said aloud.
        device: where healing ran in the end.
        seconds: wall-clock seconds of each stage.
    """
    from PETAnomalyLib.engine.runtime.devices import device_in_words, peak_memory

    report = {
        "inputs": inputs,
        "model": {
            "name": bundle.name,
            "title": bundle.title,
            "path": model_path,
            "sha256": bundle.sha256,
        },
        "settings": settings,
        "fit": fit,
        "frame": _frame(alignment, body_not_scored),
        "healing": _healing(healing, drawn),
        "findings": findings,
        "reference": reference,
        "warnings": warnings,
        "device": device_in_words(device),
        "seconds": seconds,
        "peak_memory": asdict(peak_memory()),
        "versions": versions(),
    }
    path.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _frame(alignment: Alignment, body_not_scored: float) -> dict[str, Any]:
    return {
        "quality": round(alignment.quality, 4),
        "model_to_study_lps_mm": {
            "rotation_rad": list(alignment.transform.GetParameters()[:3]),
            "translation_mm": list(alignment.transform.GetParameters()[3:]),
            "centre_mm": list(alignment.transform.GetCenter()),
        },
        "body_not_scored": round(body_not_scored, 4),
    }


def _healing(healing: Healing, drawn: Mapping[str, int]) -> dict[str, Any]:
    if healing.resampling_mask is None:
        return {"reconstructions": healing.decoded.count}
    return {
        **drawn,
        "reconstructions": healing.decoded.count,
        "tokens": int(healing.resampling_mask.size),
        "tokens_resampled": int(healing.resampling_mask.sum()),
    }


def versions() -> dict[str, str]:
    """Of Python, the system and the packages that a detection needs."""
    packages = ("petanomaly", "torch", "monai", "numpy", "scipy", "SimpleITK", "pydicom")
    # Not platform.platform(): it starts `uname -p`, which would outlive a run killed just then.
    system = "-".join((platform.system(), platform.release(), platform.machine()))
    found = {"python": platform.python_version(), "platform": system}
    for package in packages:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:  # run from a source checkout, inside Slicer
            continue
    return found
