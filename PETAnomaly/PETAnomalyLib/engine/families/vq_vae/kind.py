"""The family `vq-vae` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.bundles.kinds import NetworkKind, Size, Sizes, register
from PETAnomalyLib.engine.families.slice_family import slice_family
from PETAnomalyLib.engine.families.unified_cnn_sizes import CONVOLUTIONS, least_parameters


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.vq_vae import network

    return network.VQVAE, network.VQVAESizes


def _least_parameters(sizes: Sizes) -> int:
    return least_parameters(sizes) + int(sizes["codebook"] * sizes["code_length"])


SIZES = {**CONVOLUTIONS, "codebook": Size(2, 65536), "code_length": Size(1, 4096)}

FAMILY = slice_family("vq-vae", NetworkKind(SIZES, _least_parameters, _architecture))

register(FAMILY)
