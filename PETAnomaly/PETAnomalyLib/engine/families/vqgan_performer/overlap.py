"""The decoder's last layer, a transposed convolution to few channels, as one matrix product.

Stride 2, kernel 4, padding 1 along each axis: input voxel i reaches outputs 2i-1 .. 2i+2, so the
layer is a product of each voxel's channels with the 4 x 4 x 4 kernel, and sums of what overlaps.
The library's transposed convolution does not expect a single output channel; with K dropout passes
a latent it is this layer that counts. Of pictures it is 4 x 4, and one such product a channel.
"""

from __future__ import annotations

from torch import Tensor

KERNEL = 4
TAPS = KERNEL**3  # of a volume


def tap_weights(weight: Tensor) -> Tensor:
    """64 x channels, from the channels x 1 x 4 x 4 x 4 of `torch.nn.ConvTranspose3d`.

    Of a picture (image channels * 16) x channels.
    """
    return weight.reshape(len(weight), -1).T


def overlap_add(taps: Tensor) -> Tensor:
    """The image that the contributions of all voxels add up to.

    Args:
        taps: 64 x D x H x W; number (a, b, c) of 4 x 4 x 4 at voxel (i, j, k) belongs to output
            voxel (2i - 1 + a, 2j - 1 + b, 2k - 1 + c). Of a picture 16 x H x W.

    Returns:
        2D x 2H x 2W; what falls outside is dropped.
    """
    dims = taps.dim() - 1
    taps = taps.unflatten(0, (KERNEL,) * dims)  # a b c D H W
    for _ in range(dims):  # the first kernel axis goes with one axis of the image, each time
        taps = _overlapped(taps, dims - 1)
    return taps


def _overlapped(taps: Tensor, axis: int) -> Tensor:
    """4 x ... -> ..., with an axis of what is left twice as long."""
    shape = taps.shape[1:]
    n = shape[axis]
    summed = taps.new_empty(*shape[:axis], n, 2, *shape[axis + 1 :])
    even, odd = summed.select(axis + 1, 0), summed.select(axis + 1, 1)
    even.copy_(taps[1])
    even.narrow(axis, 1, n - 1).add_(taps[3].narrow(axis, 0, n - 1))
    odd.copy_(taps[2])
    odd.narrow(axis, 0, n - 1).add_(taps[0].narrow(axis, 1, n - 1))
    return summed.flatten(axis, axis + 1)
