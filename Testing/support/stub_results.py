"""A result folder in the documented format (DESIGN section 4), without an inference."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
from PETAnomalyLib.engine.findings.delineation import delineate
from PETAnomalyLib.engine.findings.head_measures import HeadFinding, measure_head
from PETAnomalyLib.engine.findings.measures import measure, write_csv
from PETAnomalyLib.engine.findings.segmentation import write_segmentation

THRESHOLD = 3.0
HEAD_SITE = "left frontal lobe"  # of every finding in an MR


def scoreArrays(suv: np.ndarray) -> dict[str, np.ndarray]:
    """Maps as an engine could give them: monotonous in the SUV."""
    return {"kde": suv * 1.5 - 2.0, "zscore": suv * 2.0, "residual": np.maximum(suv - 1.2, 0.0)}


def write(
    folder: Path, pet: sitk.Image, settings: dict[str, Any] | None = None, foreign: bool = False
) -> None:
    """A result folder in the documented format, drawn from the kde map.

    Args:
        foreign: the body's lowest third is unlike what the model knows.
    """
    settings = {"threshold": THRESHOLD, "grow": 0.4, "min_volume_ml": 0.5, **(settings or {})}
    folder.mkdir(parents=True)
    suv = sitk.GetArrayFromImage(pet)
    maps = {}
    for scorer, array in scoreArrays(suv).items():
        maps[scorer] = sitk.GetImageFromArray(array.astype(np.float32))
        maps[scorer].CopyInformation(pet)
        sitk.WriteImage(maps[scorer], str(folder / f"{scorer}.nii.gz"))
    scored = np.ones(suv.shape, np.uint8)
    if foreign:
        scored[: len(scored) // 3][suv[: len(scored) // 3] > 0] = 2
    mask = sitk.GetImageFromArray(scored)
    mask.CopyInformation(pet)
    sitk.WriteImage(mask, str(folder / "scored_mask.nii.gz"))
    score = maps[settings.get("scorer", "kde")]
    drawn = delineate(
        score,
        pet,
        settings["threshold"],
        grow=settings["grow"],
        min_volume_ml=settings["min_volume_ml"],
        scored_mask=mask,
    )
    findings = measure(drawn.labels, pet, score, drawn.growth_limited)
    write_segmentation(folder / "segmentation.seg.nrrd", drawn.labels, findings)
    write_csv(folder / "findings.csv", findings)
    report = {
        "settings": {"scorer": "kde", "seed": 0, **settings},
        "warnings": [*(["A third is foreign."] if foreign else []), "A stub wrote this."],
    }
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")


def writeOfHead(folder: Path, mr: sitk.Image, settings: dict[str, Any] | None = None) -> None:
    """The same of an MR: one map, no growing, and what an MR's findings measure."""
    settings = {"threshold": THRESHOLD, "min_volume_ml": 0.5, **(settings or {})}
    folder.mkdir(parents=True)
    values = sitk.GetArrayFromImage(mr)
    score = sitk.GetImageFromArray(scoreArrays(values)["residual"].astype(np.float32))
    mask = sitk.GetImageFromArray((values > 0).astype(np.uint8))
    for name, image in (("residual", score), ("scored_mask", mask)):
        image.CopyInformation(mr)
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    drawn = delineate(
        score,
        mr,
        settings["threshold"],
        grow=None,
        min_volume_ml=settings["min_volume_ml"],
        scored_mask=mask,
    )
    findings = measure_head(drawn.labels, score)
    write_segmentation(folder / "segmentation.seg.nrrd", drawn.labels, findings)
    sites = {"site": [HEAD_SITE] * len(findings)}
    write_csv(folder / "findings.csv", findings, sites, HeadFinding)
    report = {
        # As the engine writes them, whether an MR has a use for them or not.
        "settings": {"scorer": "residual", "seed": 0, "grow": 0.4, **settings},
        "inputs": {"mask": {"from": "given"}},
        "warnings": ["A stub wrote this."],
    }
    (folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
