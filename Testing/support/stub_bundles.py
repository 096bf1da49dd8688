"""Models for the panel's tests: manifests without weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.runtime.errors import BundleError


def model(name: str = "petct-phantom", ct: str = "required", **changes: Any) -> Bundle:
    """A bundle as `PETAnomalyLib.engine.bundles.bundle` would read it."""
    manifest = {
        "version": "1.0.0",
        "intended_use": "Research use only.",
        "data_source": "1000 phantoms <made here>",
        "eval_metrics": {"best_dice": 0.5},
        "copyright": "Apache-2.0",
        "petanomaly": {},
    }
    fields: dict[str, Any] = {
        "path": Path("nowhere"),
        "name": name,
        "title": f"Model {name}",
        "manifest": manifest,
        "healer": {"family": "vqgan-performer"},
        "weights": {},
        "template": Path("nowhere/template.nii.gz"),
        "size_voxels": (88, 68, 144),
        "spacing_mm": (6.0, 6.0, 6.0),
        "intensity": {},
        "thresholds": {"scorers": {"kde": 3.0, "zscore": 4.0, "residual": 0.2}},
        "scorers": ("kde", "zscore", "residual"),
        "ct": ct,
        "samples": 16,
        "decodes": 4,
        "min_volume_ml": 0.5,
        "sha256": "0" * 64,
    }
    return Bundle(**{**fields, **changes})


def headModel(name: str = "head-flair", contrast: str = "FLAIR", **changes: Any) -> Bundle:
    """A model of brain MR that gives one reconstruction."""
    return model(
        name,
        ct="unused",
        contrast=contrast,
        scorers=("residual",),
        thresholds={"scorers": {"residual": 3.0}},
        samples=1,
        decodes=1,
        **changes,
    )


class ModelShelf:
    """A `models.ModelSource` with these models; refuses to add any other."""

    def __init__(self, *models: Bundle) -> None:
        self.models = list(models)

    def all(self) -> list[Bundle]:
        return self.models

    def damaged(self) -> list[str]:
        return []

    def add(self, path: Path) -> Bundle:
        raise BundleError(f"{path.name} has a wrong hash.", "Get it again.")
