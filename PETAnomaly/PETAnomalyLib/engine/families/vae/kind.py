"""The family `vae` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.bundles.kinds import NetworkKind, Size, Sizes, register
from PETAnomalyLib.engine.families.slice_family import Misfit, slice_family
from PETAnomalyLib.engine.families.unified_cnn_sizes import DENSE, least_parameters


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.vae.network import VAE, VAESizes

    return VAE, VAESizes


def _misfit(sizes: Sizes) -> Misfit:
    down, up = len(sizes["channels"]), len(sizes.get("upward", sizes["channels"]))
    if down != up:
        return "upward", f"has {up} steps up; channels has {down} down"
    return None


SIZES = {
    **DENSE,
    "upward": Size(1, 1024, length=(1, 6), required=False),
    "normalised": Size(0, 1, required=False),
}

FAMILY = slice_family(
    "vae",
    NetworkKind(SIZES, least_parameters, _architecture),
    gives_many_reconstructions=True,
    misfit=_misfit,
)

register(FAMILY)
