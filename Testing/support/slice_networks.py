"""Networks of slices, of the papers' sizes and of small ones, with random weights."""

from __future__ import annotations

from typing import Any

import torch
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.families.networks import build_network
from PETAnomalyLib.engine.families.slice_family import NETWORK

_CNN = {"channels": [32, 64, 128, 128], "narrow": 16}
_TRANSFORMER = {"patch": 16, "width": 96, "layers": 12, "heads": 8}
_HIERARCHY = {"patch": 4, "width": 384, "layers": 8, "heads": 4, "mergings": 1}

PAPER_2: dict[str, dict[str, Any]] = {
    "ae-dense": {**_CNN, "code": 512},
    "ae-spatial": _CNN,
    "vae": {**_CNN, "code": 512},
    "vq-vae": {"channels": _CNN["channels"], "codebook": 512, "code_length": 16},
    "b-tae": _TRANSFORMER,
    "sc-tae": {**_TRANSFORMER, **_CNN},
    "dc-tae": {**_TRANSFORMER, **_CNN, "code": 512},
    "h-tae": _HIERARCHY,
    "h-tae-s": _HIERARCHY,
}
"""Table 4 of paper 2, for slices of 256 x 256; without `size`."""

_SMALL_CNN = {"channels": [4, 6], "narrow": 2}
_SMALL_TRANSFORMER = {"patch": 4, "width": 8, "layers": 2, "heads": 2}
_SMALL_HIERARCHY = {"patch": 2, "width": 8, "layers": 4, "heads": 2, "mergings": 1}

PAPER_3: dict[str, dict[str, Any]] = {
    "vae": {
        "channels": [32, 64, 128], "narrow": 16, "code": 128, "upward": [128, 64, 32],
        "normalised": 1,
    },
    "vqvae": {
        "channels": [32, 64, 128], "residual_blocks": 2, "residual_channels": 32,
        "codebook": 128, "code_length": 128,
    },
    "vqgan": {
        "channels": [128, 128, 256, 256, 512], "residual_blocks": 2, "codebook": 128,
        "code_length": 128,
    },
}  # fmt: skip
"""4.2.1 of paper 3, for slices of 95 x 79; without `size`."""

SMALL: dict[str, dict[str, Any]] = {
    "ae-dense": {**_SMALL_CNN, "code": 5},
    "ae-spatial": _SMALL_CNN,
    "vae": {**_SMALL_CNN, "code": 5},
    "vq-vae": {"channels": [4, 6], "codebook": 8, "code_length": 3},
    "b-tae": _SMALL_TRANSFORMER,
    "sc-tae": {**_SMALL_TRANSFORMER, **_SMALL_CNN},
    "dc-tae": {**_SMALL_TRANSFORMER, **_SMALL_CNN, "code": 5},
    "h-tae": _SMALL_HIERARCHY,
    "h-tae-s": _SMALL_HIERARCHY,
    "vqvae": {
        "channels": [4, 6], "residual_blocks": 1, "residual_channels": 3, "codebook": 8,
        "code_length": 3,
    },
    "vqgan": {"channels": [4, 4, 6], "residual_blocks": 1, "codebook": 8, "code_length": 3},
    "f-anogan": {**_SMALL_CNN, "code": 5},
    "mae": {
        **_SMALL_TRANSFORMER, "decoder_width": 6, "decoder_layers": 1, "window": 2,
        "masked_percent": 40,
    },
    "ano-swinmae": {
        "patch": 2, "width": 8, "depths": [2, 2], "heads": [2, 4], "window": 2,
        "hidden_patches": 2, "masked_percent": 35, "mask": 4,
    },
    "auto-ddpm": {
        "patch": 2, "channels": [4, 8], "attention": 1, "residual_blocks": 1, "noise": 200,
        "stride": 100, "mask_percent": 50, "resampled_noise": 50, "resampled_stride": 25,
        "resamplings": 2,
    },
}  # fmt: skip
"""These, and those of papers 3 and 4, in thousands of numbers; without `size`."""


def slice_network(family: str, sizes: dict[str, Any], size: tuple[int, int], axis: int = 0) -> Any:
    """The family's network, in evaluation mode, always with the same random weights."""
    torch.manual_seed(0)
    whole = {**sizes, "size": list(size), "axis": axis}
    return build_network(FAMILIES[family].networks[NETWORK], whole).eval()
