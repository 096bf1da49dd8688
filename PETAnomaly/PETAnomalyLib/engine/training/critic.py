"""What a network that makes images plays against: a discriminator that learns beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from lightning_fabric import Fabric
from monai.losses import PatchAdversarialLoss
from torch import Tensor, nn


class Critic:
    """Tells reconstructions from images, patch by patch, and learns to.

    Args:
        network: MONAI's `PatchDiscriminator`.
        criterion: `least_squares` (as in arXiv 2012.09841 for volumes) or `bce`, the logarithms of
            the first GAN; the generator's is then -log D, which does not vanish where D is sure.
        learning_rate: Adam's.
        fabric: the processes that share the run.

    Attributes:
        network, optimizer: for the checkpoint.
    """

    def __init__(
        self, network: nn.Module, criterion: str, learning_rate: float, fabric: Fabric
    ) -> None:
        self.network = network
        self._fabric = fabric
        self._judge, self.optimizer = fabric.setup(
            network, torch.optim.Adam(network.parameters(), learning_rate)
        )
        self._adversarial = PatchAdversarialLoss("mean", criterion)

    def loss(self, reconstructions: Tensor, beside: Tensor | None = None) -> Tensor:
        """How far they are from being taken for images; it moves nothing of the critic.

        Args:
            reconstructions: to be judged.
            beside: images, which a critic that normalises over the batch needs here too: it learnt
                from batches of both, and of one kind alone it judges otherwise.
        """
        batch = reconstructions if beside is None else torch.cat([reconstructions, beside])
        with frozen(self.network), self._fabric.autocast():
            judged = self.network(batch)[-1][: len(reconstructions)].float()
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


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Gradients of what is computed within pass through the network, and none is left in it."""
    network.requires_grad_(False)
    try:
        yield
    finally:
        network.requires_grad_(True)
