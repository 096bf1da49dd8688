"""The dropout before the decoder's last layer: masks that any part of a volume can look up.

Whether a value is dropped is a function of (seed, sample, decode) and of where it stands in the
volume, not of what was drawn before it. So a tile sees the mask that the whole volume would have,
on every device and with any number of threads, and nothing but the tile's own part is computed.

The function is the 32-bit finaliser of C. Wellons' hash-prospector ("lowbias32": two rounds of
xor-shift and multiply) over the position, with a key mixed in before either multiplication. One
32-bit number decides on two values, by its halves.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

DROPOUT = 0.05  # paper 1, appendix C.1

# A signed 32-bit number lies below this with probability 0.05.
_DROPPED_BELOW = round(DROPOUT * 2**32) - 2**31
_FIRST, _SECOND = 0x7FEB352D, 0x846CA68B - 2**32  # signed, as torch has no unsigned arithmetic


class DropoutKey(NamedTuple):
    """Two signed 32-bit numbers: which mask."""

    before: int
    between: int


def dropout_key(seed: int, sample: int, decode: int) -> DropoutKey:
    """The mask of one decode of one sample."""
    words = np.random.SeedSequence([seed, sample, decode]).generate_state(2, np.uint32)
    return DropoutKey(*words.view(np.int32).tolist())


def drop(values: Tensor, positions: Tensor, key: DropoutKey) -> Tensor:
    """Some voxels' values with the mask's zeros; the others are not scaled.

    Args:
        values: v x channels.
        positions: v, int32, where each voxel stands in the volume's raster order.
        key: which mask.
    """
    channels = values.shape[1]
    pairs = (channels + 1) // 2
    x = positions[:, None] * pairs + torch.arange(pairs, dtype=torch.int32, device=values.device)
    x ^= key.before
    x ^= (x >> 16).bitwise_and_(0xFFFF)  # a signed shift drags the sign along
    x *= _FIRST
    x += key.between
    x ^= (x >> 15).bitwise_and_(0x1FFFF)
    x *= _SECOND
    x ^= (x >> 16).bitwise_and_(0xFFFF)
    low = (x << 16)[:, : channels - pairs]
    return torch.cat(
        [
            values[:, :pairs].masked_fill(x < _DROPPED_BELOW, 0.0),
            values[:, pairs:].masked_fill(low < _DROPPED_BELOW, 0.0),
        ],
        1,
    )
