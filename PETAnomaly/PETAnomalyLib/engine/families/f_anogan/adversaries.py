"""Who learns what in f-AnoGAN's training, a step each."""

from __future__ import annotations

from typing import Any

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.nn import functional

from PETAnomalyLib.engine.families.f_anogan.critic import WassersteinCritic, slope_penalty
from PETAnomalyLib.engine.families.f_anogan.network import FAnoGAN
from PETAnomalyLib.engine.families.unified_cnn import DenseSizes
from PETAnomalyLib.engine.training.critic import frozen

PENALTY = 10.0  # times the slope's: as Gulrajani et al.
KAPPA = 1.0  # times the features' error in the encoder's loss: as Schlegl et al.
_MOMENTS = (0.0, 0.9)  # Adam's, of generator and critic: as Gulrajani et al.


class Adversaries:
    """Generator and critic against each other; then, with both frozen, the encoder.

    Args:
        sizes: of the network.
        learning_rate: Adam's, of all three.
        fabric: the processes that share the run.

    Attributes:
        network: encoder and generator.
        critic: for the training alone.
        optimizers: of `encoder`, `generator` and `critic`.
    """

    def __init__(self, sizes: DenseSizes, learning_rate: float, fabric: Fabric) -> None:
        self.network, self.critic = FAnoGAN(sizes), WassersteinCritic(sizes)
        self._fabric, self._code = fabric, sizes.code
        self.optimizers: dict[str, Any] = {}
        wrapped = {}
        for name, module, moments in (
            ("encoder", self.network.encoder, (0.9, 0.999)),
            ("generator", self.network.generator, _MOMENTS),
            ("critic", self.critic, _MOMENTS),
        ):
            adam = torch.optim.Adam(module.parameters(), learning_rate, moments)
            wrapped[name], self.optimizers[name] = fabric.setup(module, adam)
        self._encode, self._generate = wrapped["encoder"], wrapped["generator"]
        self._judge = wrapped["critic"]

    def learn_to_tell(self, images: Tensor) -> Tensor:
        """The critic's step: generated slices from images B x 1 x h x w; its loss."""
        with torch.no_grad(), self._fabric.autocast():
            made = self.network.cut(self.network.generator(self._codes(images))).float()
        share = torch.rand(len(images), 1, 1, 1, device=images.device)
        between = (share * images + (1.0 - share) * made).requires_grad_()
        scores, _ = self._judge(torch.cat([images, made, between]))
        of_images, of_made, of_between = scores.chunk(3)
        loss: Tensor = of_made.mean() - of_images.mean()
        loss = loss + PENALTY * slope_penalty(of_between, between)
        self._step("critic", loss)
        return loss.detach()

    def learn_to_generate(self, images: Tensor) -> Tensor:
        """The generator's step, of as many slices as there are images; its loss."""
        made = self.network.cut(self._generate(self._codes(images)))
        with frozen(self.critic), self._fabric.autocast():
            scores, _ = self.critic(made)
        loss: Tensor = -scores.float().mean()
        self._step("generator", loss)
        return loss.detach()

    def learn_to_encode(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """The encoder's step: squared errors of images generated from its codes and of the
        critic's features of them (Schlegl et al., equation of izi_f). Nothing else moves."""
        self.network.generator.eval()  # its normalisation too is that of its own training
        codes = self._encode(self.network.whole(images))
        with frozen(self.network.generator), frozen(self.critic), self._fabric.autocast():
            made = self.network.cut(self.network.generator(codes))
            (_, of_made), (_, of_images) = self.critic(made), self.critic(images)
        error = functional.mse_loss(made.float(), images)
        of_features = functional.mse_loss(of_made.float(), of_images.float())
        self._step("encoder", error + KAPPA * of_features)
        return error.detach(), of_features.detach()

    def state(self) -> dict[str, Any]:
        """All of it, for the checkpoint."""
        parts = {"network": self.network, "critic": self.critic, **self._named_optimizers()}
        return {name: part.state_dict() for name, part in parts.items()}

    def restore(self, state: dict[str, Any]) -> None:
        """What `state` gave."""
        parts = {"network": self.network, "critic": self.critic, **self._named_optimizers()}
        for name, part in parts.items():
            part.load_state_dict(state[name])

    def _named_optimizers(self) -> dict[str, Any]:
        return {f"{name}_optimizer": each for name, each in self.optimizers.items()}

    def _codes(self, images: Tensor) -> Tensor:
        return torch.randn(len(images), self._code, device=images.device)

    def _step(self, name: str, loss: Tensor) -> None:
        self.optimizers[name].zero_grad()
        self._fabric.backward(loss)
        self.optimizers[name].step()
