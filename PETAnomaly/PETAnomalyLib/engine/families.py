"""The families of healers that a bundle may name: what each is made of and can give. No torch.

A manifest is data from elsewhere: every size in it is bounded here, and `least_parameters` says how
many numbers networks of those sizes hold at least, so that a few bytes of JSON cannot ask for more
memory than the weight files beside them fill.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

SCORERS = ("kde", "zscore", "residual")
"""Every scorer there is; all but `residual` need two or more reconstructions."""


@dataclass(frozen=True)
class Size:
    """One size of a network: a whole number, or a list of them where `length` is given.

    Attributes:
        low, high: smallest and largest value, both allowed.
        length: smallest and largest number of entries of a list; None for a single number.
        required: whether a manifest must state it (else the network has its own default).
    """

    low: int
    high: int
    length: tuple[int, int] | None = None
    required: bool = True


Sizes = Mapping[str, Any]


@dataclass(frozen=True)
class NetworkKind:
    """One architecture: its sizes, and a lower bound of its number of parameters."""

    sizes: Mapping[str, Size]
    least_parameters: Callable[[Sizes], int]


@dataclass(frozen=True)
class Family:
    """A kind of healer.

    Attributes:
        name: as in the manifest's `healer.family`.
        networks: name of the weights and of their sizes in the manifest -> kind of network.
        networks_with_ct: those that only a model with CT has, and then must have.
        gives_many_reconstructions: whether KDE and z-score are possible.
        misfit: what is wrong between the sizes of all networks and the grid (D, H, W), as
            (key below `healer`, sentence), or None.
    """

    name: str
    networks: Mapping[str, NetworkKind]
    networks_with_ct: tuple[str, ...]
    gives_many_reconstructions: bool
    misfit: Callable[[Mapping[str, Sizes], tuple[int, ...]], tuple[str, str] | None]

    @property
    def scorers(self) -> tuple[str, ...]:
        """The scorers that this family's reconstructions allow."""
        return SCORERS if self.gives_many_reconstructions else ("residual",)


def _least_vqgan(sizes: Sizes) -> int:
    channels = [1, *sizes["channels"]]
    strided = sum(4**3 * a * b for a, b in zip(channels[:-1], channels[1:]))  # kernel 4, each way
    # Three residual blocks unless stated: a 3x3x3 and a 1x1x1 convolution.
    blocks = sizes.get("residual_blocks", 3) * 28 * sum(c * c for c in channels[1:])
    to_code = 3**3 * channels[-1] * sizes["code_length"]
    return int(2 * (strided + blocks + to_code) + sizes["codebook"] * sizes["code_length"])


def _least_performer(sizes: Sizes) -> int:
    width = sizes.get("width", 256)
    attentions = 2 if sizes["context_codebook"] else 1
    layer = (4 * attentions + 2 * sizes.get("feedforward", 4)) * width**2
    layer += attentions * sizes.get("features", 128) * (width // sizes.get("heads", 8))
    tokens = sizes["codebook"] + sizes["context_codebook"] + sum(sizes["grid"])
    return int(sizes.get("layers", 14) * layer + tokens * width)


def _least_autoencoder(sizes: Sizes) -> int:
    channels = [1, *sizes["channels"]]
    stride = 2 ** len(sizes["channels"])
    cells = channels[-1]
    for n in sizes["size"]:
        cells *= n // stride
    strided = sum(4**3 * a * b for a, b in zip(channels[:-1], channels[1:]))
    return int(2 * (strided + cells * sizes["bottleneck"]))


_GRID = Size(1, 1024, length=(3, 3))
_CHANNELS = Size(1, 4096, length=(1, 6))

_VQGAN = NetworkKind(
    {
        "channels": _CHANNELS,
        "codebook": Size(2, 65536),
        "code_length": Size(1, 4096),
        "residual_blocks": Size(0, 16, required=False),
    },
    _least_vqgan,
)
_PERFORMER = NetworkKind(
    {
        "grid": _GRID,
        "codebook": Size(2, 65536),
        "context_codebook": Size(0, 65536),
        "layers": Size(1, 128, required=False),
        "heads": Size(1, 128, required=False),
        "width": Size(1, 8192, required=False),
        "features": Size(1, 8192, required=False),
        "feedforward": Size(1, 16, required=False),
    },
    _least_performer,
)
_AUTOENCODER = NetworkKind(
    {"size": _GRID, "channels": _CHANNELS, "bottleneck": Size(1, 65536)},
    _least_autoencoder,
)


def _tokens(channels: list[int], size: tuple[int, ...]) -> tuple[int, ...] | None:
    """The grid after one halving for each entry of `channels`; None where it does not fit."""
    stride = 2 ** len(channels)
    return None if any(n % stride for n in size) else tuple(n // stride for n in size)


def _vqgan_performer_misfit(
    networks: Mapping[str, Sizes], size: tuple[int, ...]
) -> tuple[str, str] | None:
    transformer = networks["transformer"]
    for name, codebook in (("pet_vqgan", "codebook"), ("ct_vqgan", "context_codebook")):
        codes = networks[name]["codebook"] if name in networks else 0
        if transformer[codebook] != codes:
            return (
                f"transformer.{codebook}",
                f"is {transformer[codebook]}, {name} has {codes} codes",
            )
        if name in networks and _tokens(networks[name]["channels"], size) != tuple(
            transformer["grid"]
        ):
            return (
                "transformer.grid",
                f"is {transformer['grid']} tokens; {len(networks[name]['channels'])} halvings "
                f"({name}) of {list(size)} voxels do not give that",
            )
    if transformer.get("width", 256) % transformer.get("heads", 8):
        return "transformer.width", "is not a multiple of heads"
    return None


def _autoencoder_misfit(
    networks: Mapping[str, Sizes], size: tuple[int, ...]
) -> tuple[str, str] | None:
    autoencoder = networks["autoencoder"]
    if tuple(autoencoder["size"]) != size:
        return "autoencoder.size", f"is {autoencoder['size']}; the frame has {list(size)} voxels"
    return None


FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        Family(
            name="vqgan-performer",
            networks={"pet_vqgan": _VQGAN, "ct_vqgan": _VQGAN, "transformer": _PERFORMER},
            networks_with_ct=("ct_vqgan",),
            gives_many_reconstructions=True,
            misfit=_vqgan_performer_misfit,
        ),
        Family(
            name="autoencoder-dense",
            networks={"autoencoder": _AUTOENCODER},
            networks_with_ct=(),
            gives_many_reconstructions=False,
            misfit=_autoencoder_misfit,
        ),
    )
}
