"""The family `sc-tae` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.bundles.kinds import NetworkKind, register
from PETAnomalyLib.engine.families.convolution_inside_sizes import least_parameters
from PETAnomalyLib.engine.families.slice_family import slice_family
from PETAnomalyLib.engine.families.transformer_sizes import PATCHES, misfit_in_halves
from PETAnomalyLib.engine.families.unified_cnn_sizes import NARROWED


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.convolution_inside import InsideSizes
    from PETAnomalyLib.engine.families.sc_tae.network import SCTAE

    return SCTAE, InsideSizes


SIZES = {**PATCHES, **NARROWED}

FAMILY = slice_family(
    "sc-tae",
    NetworkKind(SIZES, least_parameters, _architecture),
    misfit=misfit_in_halves,
)

register(FAMILY)
