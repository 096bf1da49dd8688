"""A small untrained model of brain MR in the frame of brain phantoms, as the sample head is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import SimpleITK as sitk
from made_once import made_once
from PETAnomalyLib.engine import families  # noqa: F401 - enters every family
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.bundles.writing import write_bundle
from PETAnomalyLib.engine.families.slice_family import NETWORK
from PETAnomalyLib.engine.phantom.brain.study import generate_brain
from PETAnomalyLib.engine.publishing.export import manifest
from safetensors.torch import save_file
from slice_networks import SMALL, slice_network
from tiny_head_bundles import INTENSITY

FAMILY = "ae-dense"
SPACING_MM = 4.0
SIZE = (48, 56, 48)  # x, y, z
TEMPLATE_SEED = 3_000_100
THRESHOLD = 0.9  # what is brightest: it has learnt nothing


def write_tiny_brain_bundle(folder: Path, contrast: str = "FLAIR") -> Bundle:
    """Its template is one healthy phantom; needs nilearn."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    name = f"brain-template-{contrast}"
    made_once(name, lambda empty: _write_template(empty, contrast), folder.parent)
    x, y, _z = SIZE
    network = slice_network(FAMILY, SMALL[FAMILY], (y, x))
    weights = folder.parent / f"{folder.name}.safetensors"
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, weights)
    settings = {
        "title": f"Untrained, {contrast}",
        "metadata": {
            "name": folder.name, "version": "0.0.1", "task": "test",
            "description": "random weights", "authors": "the tests", "copyright": "none",
            "license": "Apache-2.0", "intended_use": "tests", "data_source": "none",
        },
        "thresholds": {"scorers": {"residual": THRESHOLD}},
        "scorers": ["residual"],
        "sampling": {"samples": 1, "decodes": 1},
        "min_volume_ml": 0.5,
    }  # fmt: skip
    described = manifest(
        settings,
        FAMILIES[FAMILY],
        contrast=contrast,
        sizes={NETWORK: {**SMALL[FAMILY], "size": [y, x]}},
        frame={"spacing_mm": [SPACING_MM] * 3, "size_voxels": list(SIZE)},
        intensity=INTENSITY,
    )
    return write_bundle(
        folder,
        described,
        {NETWORK: weights},
        folder.parent / "template.nii.gz",
        "# Random weights\n\nFor tests.\n",
        template_mask=folder.parent / "template_mask.nii.gz",
    )


def _write_template(folder: Path, contrast: str) -> None:
    head = generate_brain(TEMPLATE_SEED, healthy=True, contrasts=(contrast,), voxel_mm=SPACING_MM)
    grid = sitk.Image(list(SIZE), sitk.sitkFloat32)
    grid.SetSpacing([SPACING_MM] * 3)
    grid.SetOrigin([-(n - 1) / 2 * SPACING_MM for n in SIZE])
    stated = head.mask.TransformContinuousIndexToPhysicalPoint
    kji = np.argwhere(sitk.GetArrayViewFromImage(head.mask) > 0)
    middle = stated([float(n) for n in (kji.min(0) + kji.max(0))[::-1] / 2])
    shift = sitk.TranslationTransform(3, list(middle))
    mask = sitk.Resample(head.mask, grid, shift, sitk.sitkNearestNeighbor, 0)
    image = sitk.Cast(head.images[contrast], sitk.sitkFloat32)
    image = sitk.Mask(sitk.Resample(image, grid, shift, sitk.sitkLinear, 0.0), mask)
    values = sitk.GetArrayFromImage(image)
    white = float(np.percentile(values[values > 0], 99))
    bright = sitk.GetImageFromArray(np.clip(values / white, 0, 1).astype(np.float32))
    bright.CopyInformation(image)
    sitk.WriteImage(bright, str(folder / "template.nii.gz"), useCompression=True)
    sitk.WriteImage(mask, str(folder / "template_mask.nii.gz"), useCompression=True)
