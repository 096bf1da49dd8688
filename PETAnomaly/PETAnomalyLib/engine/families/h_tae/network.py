"""H_TAE of paper 2: the hierarchical transformer without skip connections."""

from __future__ import annotations

from PETAnomalyLib.engine.families.hierarchical_transformer import (
    HierarchicalSizes,
    HierarchicalTransformer,
)


class HTAE(HierarchicalTransformer):
    """B x 1 x h x w, reconstructed; in the model's intensity unit."""

    def __init__(self, sizes: HierarchicalSizes) -> None:
        super().__init__(sizes, skips=False)
