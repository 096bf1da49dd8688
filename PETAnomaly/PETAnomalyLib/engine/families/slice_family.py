"""What families that work slice by slice enter into the registry. No torch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PETAnomalyLib.engine.bundles.kinds import Family, NetworkKind, Size, Sizes

NETWORK = "autoencoder"

PLANE: Mapping[str, Size] = {
    "size": Size(8, 1024, length=(2, 2)),  # rows and columns of a slice
    "axis": Size(0, 2, required=False),  # 0 axial, 1 coronal, 2 sagittal
}
"""Sizes that every network of slices has."""

Misfit = tuple[str, str] | None


def slice_family(
    name: str,
    network: NetworkKind,
    *,
    gives_many_reconstructions: bool = False,
    misfit: Callable[[Sizes], Misfit] = lambda _: None,
    stages: Mapping[str, Callable[[Family], Any]] | None = None,
) -> Family:
    """A family of one network, trained by a stage of the family's own name.

    Args:
        name: of the family.
        network: its sizes hold those of `PLANE`.
        gives_many_reconstructions: whether its network has `drawn`.
        misfit: what is wrong among its own sizes, as (key, sentence), or None.
        stages: as `Family` has them; None where the reconstruction's error and the network's own
            penalty are all that it is trained by.
    """

    def check(networks: Mapping[str, Sizes], size: tuple[int, ...]) -> Misfit:
        sizes = networks[NETWORK]
        axis = sizes.get("axis", 0)
        plane = [n for place, n in enumerate(size) if place != axis]
        if list(sizes["size"]) != plane:
            return f"{NETWORK}.size", f"is {sizes['size']}; the frame's slices have {plane} voxels"
        wrong = misfit(sizes)
        return (f"{NETWORK}.{wrong[0]}", wrong[1]) if wrong else None

    def healer() -> Any:
        from PETAnomalyLib.engine.families import slices

        return slices.DrawingHealer if gives_many_reconstructions else slices.SliceHealer

    def stage(family: Family) -> Any:
        from PETAnomalyLib.engine.training.slices import slice_stage

        return slice_stage(family, NETWORK)

    return Family(
        name=name,
        networks={NETWORK: network},
        whole_study=NETWORK,
        gives_many_reconstructions=gives_many_reconstructions,
        healer=healer,
        misfit=check,
        stages={name: stage} if stages is None else stages,
    )
