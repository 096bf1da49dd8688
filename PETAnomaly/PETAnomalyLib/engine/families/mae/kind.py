"""The family `mae` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.bundles.kinds import NetworkKind, Size, Sizes, register
from PETAnomalyLib.engine.families import transformer_sizes
from PETAnomalyLib.engine.families.slice_family import Misfit, slice_family


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.mae import network

    return network.MAE, network.MAESizes


def _least_parameters(sizes: Sizes) -> int:
    of_decoder = sizes["decoder_layers"] * transformer_sizes.layer_parameters(
        sizes["decoder_width"]
    )
    return transformer_sizes.least_parameters(sizes) + int(of_decoder)


def _misfit(sizes: Sizes) -> Misfit:
    if sizes["decoder_width"] % sizes["heads"]:
        return "heads", f"is {sizes['heads']}, which does not divide decoder_width"
    if sizes["window"] * sizes["patch"] >= min(sizes["size"]):
        return "window", "is as large as the slice: nothing would be left to see"
    return transformer_sizes.misfit(sizes)


SIZES = {
    **transformer_sizes.PATCHES,
    "decoder_width": Size(1, 4096),
    "decoder_layers": Size(1, 64),
    "window": Size(1, 64),
    "masked_percent": Size(1, 99),
}

FAMILY = slice_family("mae", NetworkKind(SIZES, _least_parameters, _architecture), misfit=_misfit)

register(FAMILY)
