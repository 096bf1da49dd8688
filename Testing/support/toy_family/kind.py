"""The family `toy` for the registry. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PETAnomalyLib.engine.bundles.kinds import Family, NetworkKind, Size, Sizes, register


def _architecture() -> tuple[type[Any], type[Any]]:
    from toy_family import network

    return network.Blur, network.BlurSizes


def _healer() -> Any:
    from toy_family.healer import BlurHealer

    return BlurHealer


def _stage(family: Family) -> Any:
    from toy_family.train import stage

    return stage(family)


def _misfit(networks: Mapping[str, Sizes], size: tuple[int, ...]) -> tuple[str, str] | None:
    if networks["blur"]["kernel"] > min(size):
        return "blur.kernel", f"is larger than the frame of {list(size)} voxels"
    return None


BLUR = NetworkKind({"kernel": Size(1, 9)}, lambda sizes: int(sizes["kernel"]) ** 3, _architecture)

FAMILY = Family(
    name="toy",
    networks={"blur": BLUR},
    whole_study="blur",
    gives_many_reconstructions=True,
    healer=_healer,
    misfit=_misfit,
    stages={"blur": _stage},
)

register(FAMILY)
