"""The family `ae-dense` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.bundles.kinds import NetworkKind, register
from PETAnomalyLib.engine.families.slice_family import slice_family
from PETAnomalyLib.engine.families.unified_cnn_sizes import DENSE, least_parameters


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.ae_dense.network import AEDense
    from PETAnomalyLib.engine.families.unified_cnn import DenseSizes

    return AEDense, DenseSizes


FAMILY = slice_family("ae-dense", NetworkKind(DENSE, least_parameters, _architecture))

register(FAMILY)
