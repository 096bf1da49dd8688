"""One convolution."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn


@dataclass(frozen=True)
class BlurSizes:
    """What the network is built from.

    Attributes:
        kernel: voxels along the kernel's edge, odd.
    """

    kernel: int


class Blur(nn.Module):
    """B x 1 x D x H x W to the same."""

    def __init__(self, sizes: BlurSizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.convolution = nn.Conv3d(1, 1, sizes.kernel, padding=sizes.kernel // 2, bias=False)
        nn.init.constant_(self.convolution.weight, 1.0 / sizes.kernel**3)

    def forward(self, images: Tensor) -> Tensor:
        blurred: Tensor = self.convolution(images)
        return blurred
