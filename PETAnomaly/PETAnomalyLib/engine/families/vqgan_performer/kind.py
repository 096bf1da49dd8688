"""The family `vqgan-performer` for the registry: its sizes and their bounds. No torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PETAnomalyLib.engine.bundles.kinds import (
    Family,
    NetworkKind,
    Size,
    Sizes,
    grid_after_halvings,
    register,
)


def _vqgan() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.vqgan_performer import vqgan

    return vqgan.VQGAN, vqgan.VQGANSizes


def _performer() -> tuple[type[Any], type[Any]]:
    from PETAnomalyLib.engine.families.vqgan_performer import performer

    return performer.Performer, performer.PerformerSizes


def _healer() -> Any:
    from PETAnomalyLib.engine.families.vqgan_performer.healer import VQGANPerformerHealer

    return VQGANPerformerHealer


def _vqgan_stage(family: Family) -> Any:
    from PETAnomalyLib.engine.families.vqgan_performer.train_vqgan import stage

    return stage(family)


def _transformer_stage(family: Family) -> Any:
    from PETAnomalyLib.engine.families.vqgan_performer.train_transformer import stage

    return stage(family)


def _least_vqgan(sizes: Sizes) -> int:
    channels = [sizes.get("image_channels", 1), *sizes["channels"]]
    dims = sizes.get("spatial_dims", 3)
    # Kernel 4, each way.
    strided = sum(4**dims * a * b for a, b in zip(channels[:-1], channels[1:]))
    # Three residual blocks unless stated: a 3x3x3 and a 1x1x1 convolution.
    blocks = sizes.get("residual_blocks", 3) * (3**dims + 1) * sum(c * c for c in channels[1:])
    to_code = 3**dims * channels[-1] * sizes["code_length"]
    return int(2 * (strided + blocks + to_code) + sizes["codebook"] * sizes["code_length"])


def _least_performer(sizes: Sizes) -> int:
    width = sizes.get("width", 256)
    attentions = 2 if sizes["context_codebook"] else 1
    layer = (4 * attentions + 2 * sizes.get("feedforward", 4)) * width**2
    layer += attentions * sizes.get("features", 128) * (width // sizes.get("heads", 8))
    tokens = sizes["codebook"] + sizes["context_codebook"] + sum(sizes["grid"])
    return int(sizes.get("layers", 14) * layer + tokens * width)


def _misfit(networks: Mapping[str, Sizes], size: tuple[int, ...]) -> tuple[str, str] | None:
    transformer = networks["transformer"]
    for name, codebook in (("pet_vqgan", "codebook"), ("ct_vqgan", "context_codebook")):
        codes = networks[name]["codebook"] if name in networks else 0
        if transformer[codebook] != codes:
            return (
                f"transformer.{codebook}",
                f"is {transformer[codebook]}, {name} has {codes} codes",
            )
        if name not in networks:
            continue
        dims, channels = (networks[name].get(*one) for one in _IMAGE)
        if channels != (size[0] if dims == 2 else 1):  # a picture is C x H x W
            return (
                f"{name}.image_channels",
                f"is {channels}, in {dims} dimensions; the frame has {list(size)}",
            )
        halvings = len(networks[name]["channels"])
        if grid_after_halvings(halvings, size[-dims:]) != tuple(transformer["grid"]):
            return (
                "transformer.grid",
                f"is {transformer['grid']} tokens; {halvings} halvings "
                f"({name}) of {list(size[-dims:])} voxels do not give that",
            )
    if transformer.get("width", 256) % transformer.get("heads", 8):
        return "transformer.width", "is not a multiple of heads"
    return None


_IMAGE = (("spatial_dims", 3), ("image_channels", 1))
"""Sizes that say what an image is, with what they are where nothing is said."""

VQGAN = NetworkKind(
    {
        "channels": Size(1, 4096, length=(1, 6)),
        "codebook": Size(2, 65536),
        "code_length": Size(1, 4096),
        "residual_blocks": Size(0, 16, required=False),
        "spatial_dims": Size(2, 3, required=False),
        "image_channels": Size(1, 3, required=False),
    },
    _least_vqgan,
    _vqgan,
)
PERFORMER = NetworkKind(
    {
        "grid": Size(1, 1024, length=(2, 3)),
        "codebook": Size(2, 65536),
        "context_codebook": Size(0, 65536),
        "layers": Size(1, 128, required=False),
        "heads": Size(1, 128, required=False),
        "width": Size(1, 8192, required=False),
        "features": Size(1, 8192, required=False),
        "feedforward": Size(1, 16, required=False),
    },
    _least_performer,
    _performer,
)

FAMILY = Family(
    name="vqgan-performer",
    networks={"pet_vqgan": VQGAN, "ct_vqgan": VQGAN, "transformer": PERFORMER},
    networks_with_ct=("ct_vqgan",),
    whole_study="transformer",
    gives_many_reconstructions=True,
    thresholds=("resampling",),
    healer=_healer,
    misfit=_misfit,
    stages={"vqgan": _vqgan_stage, "transformer": _transformer_stage},
)

register(FAMILY)
