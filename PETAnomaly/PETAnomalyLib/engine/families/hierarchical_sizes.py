"""Sizes of the hierarchical transformers, for the registry. No torch."""

from __future__ import annotations

from collections.abc import Mapping

from PETAnomalyLib.engine.bundles.kinds import Size, Sizes
from PETAnomalyLib.engine.families.slice_family import Misfit
from PETAnomalyLib.engine.families.transformer_sizes import PATCHES, layer_parameters
from PETAnomalyLib.engine.families.transformer_sizes import misfit as heads_misfit

HIERARCHY: Mapping[str, Size] = {**PATCHES, "mergings": Size(1, 4)}


def least_parameters(sizes: Sizes) -> int:
    """Weights of the layers at every step, the coarsest have most."""
    mergings = sizes["mergings"]
    each = sizes["layers"] // (2 * mergings + 2)
    widths = [sizes["width"] << step for step in range(mergings + 1)]
    return sum(2 * each * layer_parameters(width) for width in widths)


def misfit(sizes: Sizes) -> Misfit:
    """As many layers at each step, and twice as many at the coarsest."""
    steps = 2 * sizes["mergings"] + 2
    if sizes["layers"] % steps:
        return "layers", f"is {sizes['layers']}; {sizes['mergings']} mergings share them in {steps}"
    return heads_misfit(sizes)
