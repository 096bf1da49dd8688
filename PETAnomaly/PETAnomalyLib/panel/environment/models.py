"""The installed pretrained models as the panel shows them: title, card, what they can't do."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any, Protocol

from slicer.i18n import tr as _

from PETAnomalyLib.engine import families  # noqa: F401 - enters every family
from PETAnomalyLib.engine.bundles.adding import add_bundle
from PETAnomalyLib.engine.bundles.installed import (
    DEFAULT_MODEL,
    damaged_bundles,
    installed_bundles,
)
from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.engine.runtime.printable import printable
from PETAnomalyLib.panel.parameters import MR, SCORERS

SCORER_TITLES = {
    "kde": "KDE (kernel density)",
    "zscore": "Z-score",
    "residual": "Residual",
}
SCORER_UNITS = {"kde": "nats", "zscore": "SD", "residual": ""}
SCORER_HELP = {
    "kde": "How improbable the uptake is under the distribution of the healed versions.",
    "zscore": "How many standard deviations the uptake lies above the healed versions' mean.",
    "residual": "How far the uptake lies above the healed versions' mean.",
}
SCORER_HELP_MR = {
    "kde": "How improbable a voxel is under the distribution of the healed versions.",
    "zscore": "How many standard deviations a voxel lies above the healed versions' mean.",
    "residual": "How far a voxel lies above the healed version; where darker counts too, from it.",
}
SCORER_HELP_NORMS = "How many standard deviations of healthy heads a voxel differs by at its place."
RESEARCH_USE = "Research use only."


class ModelSource(Protocol):
    """Where models come from; `InstalledModels` is the one there is."""

    def all(self) -> list: ...

    def damaged(self) -> list[str]: ...

    def add(self, path: Path) -> None: ...


class InstalledModels:
    """The bundles of the engine (`PETAnomalyLib.engine.bundles.bundle`), read without torch."""

    def all(self) -> list:
        """Every installed bundle, the default first, then by title."""
        found = installed_bundles()
        return sorted(found, key=lambda b: (b.name != DEFAULT_MODEL, b.title))

    def damaged(self) -> list[str]:
        """What is wrong with models that are installed but can't be used."""
        return [describeError(error) for error in damaged_bundles()]

    def add(self, path: Path) -> Any:
        """Verify a folder or zip and copy it to the user's models.

        Raises:
            BundleError, InputError: what was wrong with it, and what to do.
        """
        return add_bundle(path)


def find(models: list, name: str) -> Any:
    """The model of that name, or None."""
    return next((model for model in models if model.name == name), None)


def needsCt(model: Any) -> bool:
    """Detect can't run without a CT."""
    return model is not None and model.ct == "required"


def isOfMr(model: Any) -> bool:
    """It looks at brain MR, not at PET."""
    return model is not None and model.modality == MR


def countsDarker(model: Any) -> bool:
    """Of an MR it scores what is darker than its healed version as well, whoever asks."""
    return model is not None and bool((model.postprocessing or {}).get("darker_too", False))


def scorerHelp(model: Any, scorer: str) -> str:
    """What a scorer's map says."""
    if scorer == "zscore" and model is not None and model.normative is not None:
        return SCORER_HELP_NORMS
    return (SCORER_HELP_MR if isOfMr(model) else SCORER_HELP)[scorer]


def whyNoScorer(model: Any, scorer: str) -> str:
    """Why a model can't give a scorer's map; empty when it can."""
    if model is None or scorer in model.scorers:
        return ""
    return _(
        "{scorer} needs several healed versions of the study; {model} makes one. Choose {others}."
    ).format(
        scorer=_(SCORER_TITLES[scorer]),
        model=model.title,
        others=_(" or ").join(
            _(SCORER_TITLES[other]) for other in SCORERS if other in model.scorers
        ),
    )


def defaultThreshold(model: Any, scorer: str) -> float:
    """The model's calibrated threshold of a scorer's map, in the map's unit."""
    return float(model.thresholds["scorers"].get(scorer, 0.0))


def card(model: Any) -> str:
    """What a radiologist should know before trusting a model, as rich text."""
    if model is None:
        return _("No model is installed. Add one, or reinstall the extension.")
    manifest = model.manifest
    extent = [
        round(count * step / 10.0) for count, step in zip(model.size_voxels, model.spacing_mm)
    ]
    rows = [
        (_("Trained on"), _words(manifest.get("data_source"))),
        (_("Needs"), _needs(model)),
        (
            _("Sees"),
            _("{x} x {y} x {z} cm in voxels of {v:g} mm").format(
                x=extent[0], y=extent[1], z=extent[2], v=max(model.spacing_mm)
            ),
        ),
        (_("Figures"), _figures(manifest.get("eval_metrics"))),
        (_("Licence"), _words(manifest.get("license") or manifest.get("copyright"))),
        (_("Version"), _words(manifest.get("version"))),
        # Begins as in report.json and `petanomaly models show`: which model a name stands for.
        (_("SHA-256"), model.sha256[:16]),
    ]
    lines = [
        f"<tr><td style='padding-right:8px'><b>{html.escape(name)}</b></td><td>{value}</td></tr>"
        for name, value in rows
        if value
    ]
    intended = _words(manifest.get("intended_use")) or html.escape(_(RESEARCH_USE))
    return f"<table cellspacing='1'>{''.join(lines)}</table><p><i>{intended}</i></p>"


def _needs(model: Any) -> str:
    if isOfMr(model):
        text = _("Brain MR, {contrast}; the mask of the brain where there is one")
        return text.format(contrast=html.escape(model.contrast))
    return _("PET (SUVbw) and CT") if needsCt(model) else _("PET (SUVbw); no CT")


def describeError(error: Exception) -> str:
    """One or two sentences of an engine's refusal."""
    if isinstance(error, PETAnomalyError):
        return f"{error.message}\n\n{error.hint}" if error.hint else error.message
    return str(error)


def _words(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        value = ", ".join(str(part) for part in value)
    return html.escape(printable(str(value))) if value else ""


def _figures(metrics: Any) -> str:
    if not isinstance(metrics, dict):
        return _words(metrics)
    shown = []
    for name, value in metrics.items():
        number = f"{value:.2f}" if isinstance(value, float) else str(value)
        if not isinstance(value, (dict, list)):
            shown.append(f"{name.replace('_', ' ')} {number}")
    return html.escape(printable(", ".join(shown)))
