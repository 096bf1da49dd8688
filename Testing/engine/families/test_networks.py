"""Weights from a file into a network."""

from __future__ import annotations

from pathlib import Path

import torch
from PETAnomalyLib.engine.families.dense_autoencoder.network import (
    AutoencoderSizes,
    DenseAutoencoder,
)
from PETAnomalyLib.engine.families.networks import load_weights
from safetensors.torch import save_file

SIZES = AutoencoderSizes(size=(8, 8, 8), channels=(2, 2), bottleneck=4)


def test_what_is_stored_in_half_precision_is_computed_with_in_single(tmp_path: Path) -> None:
    torch.manual_seed(0)
    stored = DenseAutoencoder(SIZES).state_dict()
    stored["code.weight"] = stored["code.weight"].half()  # as the shipped model has it
    save_file(stored, tmp_path / "weights.safetensors")
    loaded = load_weights(DenseAutoencoder(SIZES), tmp_path / "weights.safetensors").state_dict()
    for name, weights in loaded.items():
        assert weights.dtype == torch.float32
        assert torch.equal(weights, stored[name].float())
