"""The family `b-tae` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.bundles.kinds import NetworkKind, register
from PETAnomalyLib.engine.families.slice_family import slice_family
from PETAnomalyLib.engine.families.transformer_sizes import PATCHES, least_parameters, misfit


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.b_tae.network import BTAE
    from PETAnomalyLib.engine.families.vision_transformer import PatchSizes

    return BTAE, PatchSizes


FAMILY = slice_family("b-tae", NetworkKind(PATCHES, least_parameters, _architecture), misfit=misfit)

register(FAMILY)
