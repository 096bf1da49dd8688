"""The family `dc-tae` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.bundles.kinds import NetworkKind, Sizes, register
from PETAnomalyLib.engine.families import transformer_sizes, unified_cnn_sizes
from PETAnomalyLib.engine.families.slice_family import slice_family


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.dc_tae import network

    return network.DCTAE, network.DCTAESizes


def _least_parameters(sizes: Sizes) -> int:
    of_transformer = transformer_sizes.least_parameters(sizes)
    return of_transformer + unified_cnn_sizes.least_parameters(sizes)


SIZES = {**transformer_sizes.PATCHES, **unified_cnn_sizes.DENSE}

FAMILY = slice_family(
    "dc-tae",
    NetworkKind(SIZES, _least_parameters, _architecture),
    misfit=transformer_sizes.misfit_in_halves,
)

register(FAMILY)
