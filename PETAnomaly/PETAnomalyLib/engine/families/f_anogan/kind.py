"""The family `f-anogan` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.bundles.kinds import Family, NetworkKind, register
from PETAnomalyLib.engine.families.slice_family import slice_family
from PETAnomalyLib.engine.families.unified_cnn_sizes import DENSE, least_parameters


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.f_anogan.network import FAnoGAN
    from PETAnomalyLib.engine.families.unified_cnn import DenseSizes

    return FAnoGAN, DenseSizes


def _stage(family: Family) -> Any:
    from PETAnomalyLib.engine.families.f_anogan.train import stage

    return stage(family)


FAMILY = slice_family(
    "f-anogan",
    NetworkKind(DENSE, least_parameters, _architecture),
    stages={"f-anogan": _stage},
)

register(FAMILY)
