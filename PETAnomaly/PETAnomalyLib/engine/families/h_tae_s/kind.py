"""The family `h-tae-s` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.bundles.kinds import NetworkKind, register
from PETAnomalyLib.engine.families.hierarchical_sizes import HIERARCHY, least_parameters, misfit
from PETAnomalyLib.engine.families.slice_family import slice_family


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.h_tae_s.network import HTAES
    from PETAnomalyLib.engine.families.hierarchical_transformer import HierarchicalSizes

    return HTAES, HierarchicalSizes


FAMILY = slice_family(
    "h-tae-s", NetworkKind(HIERARCHY, least_parameters, _architecture), misfit=misfit
)

register(FAMILY)
