"""Small untrained models of brain MR, in the frame of ellipsoid heads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch
from ellipsoid_heads import SHAPE, SPACING_MM, write_head
from made_once import made_once
from PETAnomalyLib.engine import families  # noqa: F401 - enters every family
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.bundles.writing import write_bundle
from PETAnomalyLib.engine.families.slice_family import NETWORK
from PETAnomalyLib.engine.publishing.export import manifest
from PETAnomalyLib.engine.study.brain_cohort import find_brain_studies
from PETAnomalyLib.engine.training.head_template import MASK_NAME
from safetensors.torch import save_file
from slice_networks import SMALL, slice_network

FRAME: dict[str, list[Any]] = {
    "spacing_mm": [SPACING_MM] * 3,
    "size_voxels": list(reversed(SHAPE)),
}
_NO_OTHER_STEP = {"median_voxels": 1, "squash_percentile": 0.0, "eroded_voxels": 0}
INTENSITY = {"mr": {"scaling": "percentiles", "low": 1.0, "high": 99.0}}


def write_tiny_head_bundle(
    folder: Path,
    family: str,
    contrast: str = "FLAIR",
    sizes: dict[str, Any] | None = None,
    objects: dict[str, Any] | None = None,
    with_norms: bool = False,
) -> Bundle:
    """An untrained model of a family of slices, named as its folder.

    Args:
        folder: of the bundle, not there yet.
        family: a key of `slice_networks.SMALL`.
        contrast: FLAIR or T1w.
        sizes: in place of the small ones.
        objects: what its map is post-processed with; None for nothing.
        with_norms: of healthy heads, by chance.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    made_once(f"head-template-{contrast}", lambda f: _write_template(f, contrast), folder.parent)
    x, y, _ = FRAME["size_voxels"]
    torch.manual_seed(0)
    whole = {**SMALL[family], **(sizes or {})}
    network = slice_network(family, whole, (y, x))
    weights = folder.parent / f"{folder.name}.safetensors"
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, weights)
    many = FAMILIES[family].gives_many_reconstructions
    settings = {
        "title": f"Untrained {family}",
        "metadata": {
            "name": folder.name, "version": "0.0.1", "task": "test",
            "description": "random weights", "authors": "the tests", "copyright": "none",
            "license": "Apache-2.0", "intended_use": "tests", "data_source": "none",
        },
        "thresholds": {
            "scorers": {"residual": 0.2 if objects is None else 0.5},
            **({"min_bandwidth": 0.02, "epsilon_percentile": 50.0} if many else {}),
        },
        "scorers": ["residual"],
        "sampling": {"samples": 2 if many else 1, "decodes": 1},
        "min_volume_ml": 1.0,
        **({} if objects is None else {"postprocessing": {**_NO_OTHER_STEP, "objects": objects}}),
    }  # fmt: skip
    norms = _write_norms(folder) if with_norms else None
    if norms is not None:
        names = {name: f"models/residual_{name}.nii.gz" for name in ("mean", "std")}
        settings["normative"] = {"heads": 10, **names}
    described = manifest(
        settings,
        FAMILIES[family],
        contrast=contrast,
        sizes={NETWORK: {**whole, "size": [y, x]}},
        frame=FRAME,
        intensity=INTENSITY,
    )
    return write_bundle(
        folder,
        described,
        {NETWORK: weights},
        folder.parent / "template.nii.gz",
        "# Random weights\n\nFor tests.\n",
        template_mask=folder.parent / MASK_NAME,
        normative=norms,
    )


def _write_norms(folder: Path) -> tuple[Path, Path]:
    template = sitk.ReadImage(str(folder.parent / "template.nii.gz"))
    rng = np.random.default_rng(5)
    files = []
    for name, low, high in (("mean", -0.1, 0.1), ("std", 0.05, 0.3)):
        image = sitk.GetImageFromArray(rng.uniform(low, high, SHAPE).astype(np.float32))
        image.CopyInformation(template)
        files.append(folder.parent / f"{folder.name}.{name}.nii.gz")
        sitk.WriteImage(image, str(files[-1]), useCompression=True)
    return files[0], files[1]


def _write_template(folder: Path, contrast: str) -> None:
    """The mean of heads that lie alike already: laying them onto each other takes seconds each."""
    for seed in range(901, 905):
        write_head(folder / "heads", "healthy", seed)
    studies = find_brain_studies(folder / "heads")
    stored = [sitk.ReadImage(str(s.images[contrast])) for s in studies if contrast in s.images]
    arrays = [sitk.GetArrayFromImage(image).astype(np.float32) for image in stored]
    inside = np.mean([a > 0 for a in arrays], axis=0) >= 0.5
    bright = [np.clip(a / np.percentile(a[a > 0], 99), 0, 1) for a in arrays]
    for name, array in (
        ("template.nii.gz", np.mean(bright, axis=0) * inside),
        (MASK_NAME, inside.astype(np.uint8)),
    ):
        image = sitk.GetImageFromArray(array)
        image.CopyInformation(stored[0])
        sitk.WriteImage(image, str(folder / name), useCompression=True)
