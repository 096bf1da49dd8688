"""The decoder's last layer, a transposed convolution to one channel, as one matrix product.

Stride 2, kernel 4, padding 1 along each axis: input voxel i reaches outputs 2i-1 .. 2i+2, so the
layer is a product of each voxel's channels with the 4 x 4 x 4 kernel, and sums of what overlaps.
The library's transposed convolution does not expect a single output channel; with K dropout passes
a latent it is this layer that counts.
"""

from __future__ import annotations

from torch import Tensor

TAPS = 64  # 4 x 4 x 4


def tap_weights(weight: Tensor) -> Tensor:
    """64 x channels, from the channels x 1 x 4 x 4 x 4 of `torch.nn.ConvTranspose3d`."""
    return weight.reshape(-1, TAPS).T


def overlap_add(taps: Tensor) -> Tensor:
    """The image that the contributions of all voxels add up to.

    Args:
        taps: 64 x D x H x W; number (a, b, c) of 4 x 4 x 4 at voxel (i, j, k) belongs to output
            voxel (2i - 1 + a, 2j - 1 + b, 2k - 1 + c).

    Returns:
        2D x 2H x 2W; what falls outside is dropped.
    """
    taps = taps.unflatten(0, (4, 4, 4))  # a b c D H W
    for _ in range(3):  # the first kernel axis goes with image axis 2 of what is left, each time
        taps = _overlapped(taps)
    return taps


def _overlapped(taps: Tensor) -> Tensor:
    """4 x ... -> ..., with the image axis 2 twice as long."""
    n = taps.shape[3]
    summed = taps.new_empty(*taps.shape[1:3], n, 2, *taps.shape[4:])
    even, odd = summed.select(3, 0), summed.select(3, 1)
    even.copy_(taps[1])
    even[:, :, 1:] += taps[3][:, :, :-1]
    odd.copy_(taps[2])
    odd[:, :, :-1] += taps[0][:, :, 1:]
    return summed.flatten(2, 3)
