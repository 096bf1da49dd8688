"""How an image is cut into tiles that are decoded one after the other, and what each one needs.

A tile of the token grid is decoded from its own tokens and a margin: every layer of the decoder
looks one voxel further. The margin is trimmed layer by layer to what the next layer needs, so that
the costly layers close to the image see hardly any of it. The result is exactly that of the whole
volume; where a tile ends at the volume's own border the decoder's zero padding is the real one.

Which tiles? Larger ones repeat less margin; smaller ones hold less memory and more often have the
same tokens in all samples, which means decoding once instead of N times. `plan` counts the
multiplications of many ways to cut and takes the cheapest that memory allows.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

CUTS = (1, 2, 3, 4, 6, 8, 12, 16, 27)  # tiles along an axis that are considered
FLOAT_BYTES = 4


@dataclass(frozen=True)
class Layers:
    """A decoder as `plan` sees it: layers of kernel 3 (stride 1) or 4 (upsampling by 2).

    Attributes:
        strides: of each layer, the one after the dropout last.
        multiplications: of each layer, for one voxel of its input.
        widest: the most channels that the last but one layer's output has; for memory.
        taps: contributions of a voxel to the image in the last layer; for memory.
        image_channels: of the image.
    """

    strides: tuple[int, ...]
    multiplications: tuple[int, ...]
    widest: int
    taps: int
    image_channels: int


@dataclass(frozen=True)
class Tile:
    """A box of the volume.

    Attributes:
        boxes: the box of voxels needed of the input of each layer, then the box of the image; each
            box as a (start, stop) for each axis, on the grid of that layer.
    """

    boxes: tuple[tuple[tuple[int, int], ...], ...]

    @property
    def tokens(self) -> tuple[slice, ...]:
        """The tokens that the tile depends on, in d x h x w."""
        return tuple(slice(*span) for span in self.boxes[0])

    @property
    def voxels(self) -> tuple[slice, ...]:
        """Its place in the image, in D x H x W."""
        return tuple(slice(*span) for span in self.boxes[-1])

    def trimmed(self, layer: int, stride: int) -> tuple[slice, ...]:
        """What the next layer needs, within this layer's output on its own box."""
        return tuple(
            slice(wanted[0] - stride * given[0], wanted[1] - stride * given[0])
            for wanted, given in zip(self.boxes[layer + 1], self.boxes[layer])
        )


def spans(strides: Sequence[int], size: int, low: int, high: int) -> list[tuple[int, int]]:
    """What voxels low..high-1 of an axis need of the input of each layer; themselves last.

    Args:
        strides: of each layer.
        size: voxels along the axis.
        low: first voxel.
        high: one past the last voxel.
    """
    found = [(low, high)]
    for stride in reversed(strides):
        size //= stride
        # Output o of an upsampling layer comes from inputs (o - 1) // 2 and the one after it.
        low, high = (low - 1, high + 1) if stride == 1 else ((low - 1) // 2, (high + 2) // 2)
        low, high = max(low, 0), min(high, size)
        found.append((low, high))
    return found[::-1]


def plan(
    layers: Layers,
    differs: npt.NDArray[np.bool_],
    samples: int,
    decodes: int,
    memory: float,
) -> list[Tile]:
    """The cheapest way to cut the token grid whose tiles fit into memory.

    Args:
        layers: the decoder.
        differs: d x h x w, or h x w; true where a token is not the same in all samples.
        samples: N.
        decodes: K.
        memory: bytes that a tile's reconstructions and activations may take.

    Returns:
        Tiles that cover the volume without overlap. Where no way fits: that of least memory.
    """
    seen: npt.NDArray[np.int64] = differs.astype(np.int64)
    for axis in range(differs.ndim):
        seen = seen.cumsum(axis)
    seen = np.pad(seen, ((1, 0),) * differs.ndim)
    axes = [
        {c: _cut(layers.strides, tokens, c) for c in CUTS if c <= tokens}
        for tokens in differs.shape
    ]
    best: tuple[tuple[float, float], tuple[npt.NDArray[np.int64], ...]] | None = None
    for cuts in itertools.product(*axes):
        parts = tuple(axis[c] for axis, c in zip(axes, cuts))  # each: tiles x layers + 1 x 2
        bytes_, work = _bytes(layers, parts, samples * decodes), _work(layers, parts, seen)
        work_all = (work.shared + work.own * samples + work.last * samples * decodes).sum()
        rank = (max(bytes_, memory), float(work_all))
        if best is None or rank < best[0]:
            best = rank, parts
    assert best is not None  # one tile is always among them
    return [
        Tile(tuple(tuple(map(tuple, box)) for box in np.stack(tile, 1).tolist()))
        for tile in itertools.product(*best[1])
    ]


@dataclass(frozen=True)
class _Work:
    """Multiplications of each tile: once for all samples, for each sample, for each decode."""

    shared: npt.NDArray[np.float64]
    own: npt.NDArray[np.float64]
    last: npt.NDArray[np.float64]


def _cut(strides: Sequence[int], tokens: int, count: int) -> npt.NDArray[np.int64]:
    stride = int(np.prod(strides))
    edges = (np.linspace(0, tokens, count + 1).round().astype(int) * stride).tolist()
    return np.array([spans(strides, tokens * stride, a, b) for a, b in pairwise(edges)])


def _bytes(layers: Layers, parts: tuple[npt.NDArray[np.int64], ...], reconstructions: int) -> float:
    extents = [(part[..., 1] - part[..., 0]).max(0) for part in parts]  # layers + 1
    voxels = np.prod(extents, axis=0)
    # Of a residual block its input, both convolutions and their ReLU are alive; the contributions
    # of each voxel before the dropout in the last layer, in place of these.
    activations = voxels[-2] * max(5 * layers.widest, layers.widest + 2 * layers.taps)
    image = voxels[-1] * layers.image_channels
    return float(FLOAT_BYTES * (reconstructions * image + activations))


def _work(
    layers: Layers, parts: tuple[npt.NDArray[np.int64], ...], seen: npt.NDArray[np.int64]
) -> _Work:
    edges = [(part[:, :-1, 1] - part[:, :-1, 0]).astype(float) for part in parts]
    before = np.array(layers.multiplications[:-1], float)
    dims = len(parts)
    axes = "ijk"[:dims]
    every_layer = ",".join(f"{axis}l" for axis in axes)
    hidden = np.einsum(f"l,{every_layer}->{axes}", before, *(edge[:, :-1] for edge in edges))
    voxels = np.einsum(f"{','.join(axes)}->{axes}", *(edge[:, -1] for edge in edges))
    differing: npt.NDArray[np.int64] = np.zeros((), np.int64)
    for corner in itertools.product((0, 1), repeat=dims):
        at = np.ix_(*(part[:, 0, side] for part, side in zip(parts, corner)))
        differing = differing + (-1) ** (dims - sum(corner)) * seen[at]
    own = differing > 0
    return _Work(hidden * ~own, hidden * own, voxels * float(layers.multiplications[-1]))
