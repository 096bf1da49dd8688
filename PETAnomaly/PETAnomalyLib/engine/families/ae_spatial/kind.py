"""The family `ae-spatial` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.bundles.kinds import NetworkKind, register
from PETAnomalyLib.engine.families.slice_family import slice_family
from PETAnomalyLib.engine.families.unified_cnn_sizes import NARROWED, least_parameters


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.ae_spatial import network

    return network.AESpatial, network.AESpatialSizes


FAMILY = slice_family("ae-spatial", NetworkKind(NARROWED, least_parameters, _architecture))

register(FAMILY)
