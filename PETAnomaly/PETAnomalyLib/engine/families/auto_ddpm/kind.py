"""The family `auto-ddpm` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from PETAnomalyLib.engine.bundles.kinds import Family, NetworkKind, Size, Sizes, register
from PETAnomalyLib.engine.families.auto_ddpm.levels import LEVELS
from PETAnomalyLib.engine.families.slice_family import PLANE, Misfit, slice_family

_MOST_CELLS = 1 << 14
"""Of a grid with attention, that takes their number squared. The paper's finest has 4,096."""


def _architecture() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.auto_ddpm import network

    return network.AutoDDPM, network.AutoDDPMSizes


def _healer() -> Any:
    from PETAnomalyLib.engine.families.auto_ddpm.healer import AutoDDPMHealer

    return AutoDDPMHealer


def _stage(family: Family) -> Any:
    from PETAnomalyLib.engine.families.auto_ddpm.train import stage

    return stage(family)


def _least_parameters(sizes: Sizes) -> int:
    """Convolutions within a width, down, in the middle and up; of the level of noise."""
    channels, blocks = sizes["channels"], sizes["residual_blocks"]
    within = sum((2 * blocks + 1) * 9 * c * c for c in channels) + 4 * 9 * channels[-1] ** 2
    return int(within + 20 * channels[0] ** 2)


def _misfit(sizes: Sizes) -> Misfit:
    levels, attention = len(sizes["channels"]), sizes["attention"]
    if attention > levels:
        return "attention", f"is {attention}, and channels has {levels} levels"
    coarser = 1 << max(0, levels - max(attention, 1))  # the middle attends, whatever it is
    cells = math.prod(-(-n // (sizes["patch"] * coarser)) for n in sizes["size"])
    if cells > _MOST_CELLS:
        return "attention", f"would be over {cells} cells of a slice, more than {_MOST_CELLS}"
    for noise, stride in (("noise", "stride"), ("resampled_noise", "resampled_stride")):
        if sizes[noise] % sizes[stride]:
            return stride, f"is {sizes[stride]}, which does not divide {noise}, {sizes[noise]}"
    return None


SIZES = {
    **PLANE,
    "patch": Size(1, 16),
    "channels": Size(1, 2048, length=(2, 6)),
    "attention": Size(0, 6),
    "residual_blocks": Size(1, 8),
    "noise": Size(1, LEVELS),
    "stride": Size(1, LEVELS),
    "mask_percent": Size(1, 99),
    "resampled_noise": Size(1, LEVELS),
    "resampled_stride": Size(1, LEVELS),
    "resamplings": Size(1, 50),
}

FAMILY = replace(
    slice_family(
        "auto-ddpm",
        NetworkKind(
            SIZES,
            _least_parameters,
            _architecture,
            of_healing=("stride", "mask_percent", "resampled_stride", "resamplings"),
        ),
        misfit=_misfit,
        stages={"auto-ddpm": _stage},
    ),
    healer=_healer,
)

register(FAMILY)
