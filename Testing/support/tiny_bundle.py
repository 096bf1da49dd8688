"""Small models with random weights and a small study, so that the whole pipeline runs in seconds.

They find nothing sensible: they are for everything about detection that does not depend on what a
model has learnt. The study is a synthetic phantom on 8 mm voxels, the models see 24 mm ones.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import torch
from made_once import made_once
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.bundles.writing import write_bundle
from PETAnomalyLib.engine.families.networks import build_network
from PETAnomalyLib.engine.phantom import generate
from PETAnomalyLib.engine.publishing.export import manifest
from safetensors.torch import save_file

FRAME: dict[str, list[Any]] = {"spacing_mm": [24.0, 24.0, 24.0], "size_voxels": [24, 20, 36]}
INTENSITY = {
    "pet": {"scaling": "arcsinh", "unit_suv": 1.0, "max_suv": 30.0},
    "ct": {"scaling": "window", "min_hu": -350, "max_hu": 450},
}
VQGAN = {"channels": [4, 6], "codebook": 16, "code_length": 8, "residual_blocks": 1}
PERFORMER = {
    "grid": [9, 5, 6], "codebook": 16, "context_codebook": 16,
    "layers": 2, "heads": 2, "width": 16, "features": 8, "feedforward": 2,
}  # fmt: skip
AUTOENCODER = {"size": [36, 20, 24], "channels": [4, 4], "bottleneck": 8}
NETWORKS = {
    "petct": {"pet_vqgan": VQGAN, "ct_vqgan": VQGAN, "transformer": PERFORMER},
    "pet": {"pet_vqgan": VQGAN, "transformer": {**PERFORMER, "context_codebook": 0}},
    "autoencoder": {"autoencoder": AUTOENCODER},
}


def write_tiny_study(folder: Path, seed: int = 3_000_001, spacing: float = 8.0) -> Path:
    """A phantom on coarse voxels, in the autoPET layout; returns the folder of its three files."""

    def make(empty: Path) -> None:
        phantom = generate(seed)
        for name, image, outside in (
            ("SUV", phantom.suv, 0.0),
            ("CTres", phantom.ct, -1000.0),
            ("SEG", phantom.lesions, 0.0),
        ):
            coarse = _coarse(image, spacing, outside, nearest=name == "SEG")
            sitk.WriteImage(coarse, str(empty / f"{name}.nii.gz"), useCompression=True)

    made_once(f"study-{seed}-{spacing:g}", make, folder)
    return folder


def write_tiny_bundle(folder: Path, kind: str = "petct", seed: int = 0) -> Bundle:
    """A bundle with random weights; `kind` is a key of `NETWORKS`."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    one = kind == "autoencoder"
    family = FAMILIES["autoencoder-dense" if one else "vqgan-performer"]
    weights = {}
    for name, sizes in NETWORKS[kind].items():
        network = build_network(family.networks[name], sizes)
        weights[name] = folder.parent / f"{folder.name}-{name}.safetensors"
        save_file({k: v.contiguous() for k, v in network.state_dict().items()}, weights[name])
    made_once("tiny-template", _write_template, folder.parent)
    template = folder.parent / "template.nii.gz"
    settings = {
        "title": f"Random weights ({kind})",
        "metadata": {
            "name": folder.name,
            "version": "0.0.1",
            "task": "test",
            "description": "random weights",
            "authors": "the tests",
            "copyright": "none",
            "license": "Apache-2.0",
            "intended_use": "tests",
            "data_source": "none",
        },
        "thresholds": {
            "resampling": 0.05, "min_bandwidth": 0.02, "epsilon_percentile": 50.0,
            "scorers": {"residual": 0.2} if one else {"kde": 3.0, "zscore": 3.0, "residual": 0.2},
        },
        "scorers": ["residual"] if one else ["kde", "zscore", "residual"],
        "sampling": {"samples": 1, "decodes": 1} if one else {"samples": 3, "decodes": 2},
        "min_volume_ml": 5.0,
    }  # fmt: skip
    return write_bundle(
        folder,
        manifest(settings, family, sizes=NETWORKS[kind], frame=FRAME, intensity=INTENSITY),
        weights,
        template,
        "# Random weights\n\nFor tests.\n",
    )


def _write_template(folder: Path) -> None:
    suv = generate(3_000_002, healthy=True).suv
    centre = suv.TransformContinuousIndexToPhysicalPoint([n / 2 for n in suv.GetSize()])
    grid = sitk.Image(FRAME["size_voxels"], sitk.sitkFloat32)
    grid.SetSpacing(FRAME["spacing_mm"])
    grid.SetOrigin([-(n - 1) * s / 2 for n, s in zip(FRAME["size_voxels"], FRAME["spacing_mm"])])
    smooth = sitk.SmoothingRecursiveGaussian(suv, 10.0)
    template = sitk.Resample(
        smooth, grid, sitk.TranslationTransform(3, list(centre)), sitk.sitkLinear, 0.0
    )
    sitk.WriteImage(template, str(folder / "template.nii.gz"))


def _coarse(image: sitk.Image, spacing: float, outside: float, nearest: bool) -> sitk.Image:
    size = [int(np.ceil(n * s / spacing)) for n, s in zip(image.GetSize(), image.GetSpacing())]
    grid = sitk.Image(size, image.GetPixelID())
    grid.SetSpacing([spacing] * 3)
    grid.SetOrigin(image.GetOrigin())
    grid.SetDirection(image.GetDirection())
    how = sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear
    return sitk.Resample(image, grid, sitk.Transform(), how, outside)
