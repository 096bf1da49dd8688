"""The VQ-GAN's opponent: a patch discriminator with a least-squares loss (arXiv 2012.09841)."""

from __future__ import annotations

import torch
from lightning_fabric import Fabric
from monai.losses import PatchAdversarialLoss
from monai.networks.nets import PatchDiscriminator
from torch import Tensor


class Critic:
    """Tells reconstructions from images, patch by patch, and learns to.

    Attributes:
        network, optimizer: for the checkpoint.
    """

    def __init__(self, learning_rate: float, fabric: Fabric) -> None:
        self.network = PatchDiscriminator(
            spatial_dims=3, channels=16, in_channels=1, num_layers_d=2, norm="INSTANCE"
        )
        self._fabric = fabric
        self._judge, self.optimizer = fabric.setup(
            self.network, torch.optim.Adam(self.network.parameters(), learning_rate)
        )
        self._adversarial = PatchAdversarialLoss("mean")

    def loss(self, reconstructions: Tensor) -> Tensor:
        """How far they are from being taken for images."""
        judged = self._judge(reconstructions)[-1]
        loss: Tensor = self._adversarial(judged, True, False)
        return loss

    def learn(self, reconstructions: Tensor, images: Tensor) -> None:
        """One step of its own."""
        both = torch.cat([reconstructions.detach(), images])
        fake, real = self._judge(both)[-1].chunk(2)
        loss = self._adversarial(fake, False, True) + self._adversarial(real, True, True)
        self.optimizer.zero_grad()
        self._fabric.backward(loss / 2)
        self.optimizer.step()
