"""The family `h-tae` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.bundles.kinds import NetworkKind, register
from PETAnomalyLib.engine.families.hierarchical_sizes import HIERARCHY, least_parameters, misfit
from PETAnomalyLib.engine.families.slice_family import slice_family


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.h_tae.network import HTAE
    from PETAnomalyLib.engine.families.hierarchical_transformer import HierarchicalSizes

    return HTAE, HierarchicalSizes


FAMILY = slice_family(
    "h-tae", NetworkKind(HIERARCHY, least_parameters, _architecture), misfit=misfit
)

register(FAMILY)
