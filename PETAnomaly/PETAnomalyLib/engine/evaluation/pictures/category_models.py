"""Four models of each category and seed, trained and judged, for paper 5's Table 2.

Everything lies below one folder: `<category>-<pictures>/seed-<n>/<run>/`, a training run each, and
`figures.json` beside them when all four are judged. <pictures> is a hash of which files there are.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from PETAnomalyLib.engine import families
from PETAnomalyLib.engine.evaluation.pictures.judged_pictures import (
    PictureFigures,
    figures_of,
    maps_of,
    read_test_pictures,
)
from PETAnomalyLib.engine.evaluation.pictures.picture_models import (
    MapOf,
    slice_model,
    token_model,
)
from PETAnomalyLib.engine.families.healer import Array
from PETAnomalyLib.engine.runtime.output import write_whole
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.picture_cohort import Category, find_category
from PETAnomalyLib.engine.training.configuration import read_configuration, read_stage
from PETAnomalyLib.engine.training.pictures import training_pictures
from PETAnomalyLib.engine.training.run import train

AE, VAE, TOKENS, MASKED = "AE", "VAE", "VQ-VAE + Transformer", "ILTM"
METHODS = (AE, VAE, TOKENS, MASKED)

_FAMILIES = Path(families.__file__).parent
_VQVAE = "picture-vqvae"
_RUNS: dict[str, tuple[str, str, dict[str, Any]]] = {
    # run -> stage, configuration, what is changed in its section
    _VQVAE: ("vqgan", "vqgan_performer/configs/picture-vqvae.json", {}),
    "all-tokens": (
        "transformer", "vqgan_performer/configs/picture-transformer.json", {"masking_rounds": []},
    ),
    "masked": ("transformer", "vqgan_performer/configs/picture-transformer.json", {}),
    "ae": ("ae-dense", "ae_dense/configs/picture.json", {}),
    "vae": ("vae", "vae/configs/picture.json", {}),
}  # fmt: skip


def judged_category(folder: Path, out: Path, seed: int, fewer: int = 1) -> dict[str, Any]:
    """The figures of each of `METHODS`, as `PictureFigures` in plain values; kept for another time.

    Args:
        folder: of the category.
        out: of the runs.
        seed: of the first weights and of what is drawn.
        fewer: that many times fewer steps than the configurations say, for trying the way.

    Raises:
        InputError: a category that cannot be used.
    """
    category = find_category(folder)
    place = out / f"{category.name}-{_pictures(category)}" / f"seed-{seed}"
    kept = place / "figures.json"
    if kept.exists():
        return dict(json.loads(kept.read_text(encoding="utf-8")))
    place.mkdir(parents=True, exist_ok=True)
    for name in _RUNS:
        _train(name, folder, place, seed, fewer)
    size = read_stage(place / _VQVAE / "config.json", "vqgan").size
    test = read_test_pictures(category, size)
    _, held_out = training_pictures(category, size, SilentReporter())
    models = _models(place, [study.image.astype(np.float32) for study in held_out])
    found = {}
    for method in METHODS:
        maps = maps_of(models[method], test, SilentReporter())
        found[method] = asdict(figures_of(maps, test.truths))
    write_whole(kept, json.dumps(found))
    return found


def as_figures(values: dict[str, Any]) -> dict[str, PictureFigures]:
    """What `judged_category` gives, as it was."""
    return {method: PictureFigures(**of_method) for method, of_method in values.items()}


def _models(place: Path, held_out: list[Array]) -> dict[str, MapOf]:
    return {
        AE: slice_model(place / "ae", "ae-dense"),
        VAE: slice_model(place / "vae", "vae"),
        TOKENS: token_model(place, "all-tokens", held_out),
        MASKED: token_model(place, "masked", held_out),
    }


def _train(name: str, cohort: Path, place: Path, seed: int, fewer: int) -> None:
    if (place / name / "weights.safetensors").exists():
        return
    stage, file, changes = _RUNS[name]
    settings = read_configuration(_FAMILIES / file)
    steps = max(1, settings[stage]["steps"] // fewer)
    settings[stage] |= {"seed": seed, "steps": steps, **changes}
    config = place / f"{name}.json"
    write_whole(config, json.dumps(settings, indent=2))
    train(stage, cohort, config, place / name, None, True, SilentReporter())


def _pictures(category: Category) -> str:
    """Eight digits that change where a picture or a mask is added, removed or replaced."""
    content = hashlib.sha256()
    for one in (*category.training, *category.test):
        for path in (one.path, one.mask):
            if path is not None:
                state = path.stat()
                content.update(repr((one.name, state.st_size, state.st_mtime_ns)).encode())
    return content.hexdigest()[:8]
