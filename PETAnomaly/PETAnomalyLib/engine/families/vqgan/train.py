"""Stage `slice-vqgan`: reconstruction and codebook against a patch discriminator (paper 3, 3.3).

Equation 3.13: what the reconstruction loses, the codebook's losses, and lambda times the
adversarial loss, lambda by equation 3.14. The reconstruction's part is its error, and the
perceptual loss where that is installed (`training/perceptual.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from lightning_fabric import Fabric
from monai.networks.nets import PatchDiscriminator
from torch import Tensor

from PETAnomalyLib.engine.bundles.kinds import Family
from PETAnomalyLib.engine.families.slice_family import NETWORK
from PETAnomalyLib.engine.families.vqgan.network import SliceVQGAN, SliceVQGANSizes
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.critic import Critic
from PETAnomalyLib.engine.training.perceptual import perceptual_loss
from PETAnomalyLib.engine.training.processes import mean
from PETAnomalyLib.engine.training.progress import RunLog
from PETAnomalyLib.engine.training.slices import (
    ERRORS,
    VALIDATE_EVERY,
    BestNetwork,
    TrainingSlices,
    check_slices,
    validate,
)
from PETAnomalyLib.engine.training.stage import Stage, StageConfiguration, choice, number, whole

DELTA = 1e-6  # of equation 3.14: Esser's
LARGEST_WEIGHT = 1e4  # lambda where the discriminator has nothing to say: Esser's


@dataclass(frozen=True)
class SliceVQGANSettings:
    """What the configuration file's section holds.

    Attributes:
        sizes: the network's.
        steps, batch: optimisation steps, slices a step.
        learning_rate: Adam's, of the network and of its discriminator (paper 3, 4.2.3).
        error: of the reconstruction: `absolute` or `squared`, the mean over voxels.
        perceptual_weight: of the perceptual loss beside that error.
        adversarial_from: share of the run after which the discriminator joins.
        discriminator_channels: of its first convolution.
        discriminator_layers: its convolutions of stride 2.
    """

    sizes: SliceVQGANSizes
    steps: int
    batch: int
    learning_rate: float = 1e-4
    error: str = "absolute"
    perceptual_weight: float = 1.0
    adversarial_from: float = 0.6
    discriminator_channels: int = 64
    discriminator_layers: int = 3


def stage(family: Family) -> Stage:
    """The stage `slice-vqgan`."""
    return Stage(
        name="slice-vqgan",
        family=family,
        network=family.networks[NETWORK],
        settings=SliceVQGANSettings,
        keys={
            "error": choice(*ERRORS),
            "perceptual_weight": number(0.0, 1e6),
            "adversarial_from": number(0.0, 1.0),
            "discriminator_channels": whole(1, 1024),
            "discriminator_layers": whole(1, 6),
        },
        fixed=("error", "discriminator_channels", "discriminator_layers"),
        of_mr=True,
        check=_check,
        train=_train,
    )


def _check(configuration: StageConfiguration) -> None:
    check_slices(configuration)
    sizes = configuration.section.section("sizes").values
    layers = configuration.settings.discriminator_layers
    smallest = 3 << layers  # of which its last two convolutions, without stride, leave one patch
    if min(sizes["size"]) < smallest:
        raise configuration.section.error(
            "discriminator_layers", f"is {layers}: for slices of {smallest} voxels or more"
        )


def discriminator(settings: SliceVQGANSettings) -> PatchDiscriminator:
    """Table 4.2 of paper 3."""
    return PatchDiscriminator(
        spatial_dims=2,
        channels=settings.discriminator_channels,
        in_channels=1,
        num_layers_d=settings.discriminator_layers,
        norm="BATCH",
    )


def adaptive_weight(
    lost: Tensor, opposition: Tensor, last_weights: Tensor, fabric: Fabric
) -> Tensor:
    """Lambda of equation 3.14: the norms of two losses' gradients at the decoder's last layer.

    Args:
        lost, opposition: the losses, scalars.
        last_weights: of that layer.
        fabric: the processes, whose gradients are averaged as in the step itself.
    """
    of_lost, of_opposition = (
        mean(fabric, torch.autograd.grad(loss, last_weights, retain_graph=True)[0]).norm()
        for loss in (lost, opposition)
    )
    return (of_lost / (of_opposition + DELTA)).clamp(max=LARGEST_WEIGHT)


def _train(
    configuration: StageConfiguration,
    _beside: None,  # it builds upon no other run
    studies: list[list[AlignedStudy]],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> SliceVQGAN:
    """The network as it was when the held-out slices were reconstructed best, of those that the
    discriminator has taught."""
    settings: SliceVQGANSettings = configuration.settings
    fabric = run.fabric
    slices = TrainingSlices(studies, settings.sizes.axis, settings.batch, fabric)
    torch.manual_seed(0)
    network = SliceVQGAN(settings.sizes)
    critic = Critic(discriminator(settings), "bce", settings.learning_rate, fabric)
    reconstruct, optimizer = fabric.setup(
        network, torch.optim.Adam(network.parameters(), settings.learning_rate)
    )
    parts: dict[str, Any] = {
        "network": network, "optimizer": optimizer,
        "discriminator": critic.network, "critic": critic.optimizer,
    }  # fmt: skip
    best = BestNetwork(network)
    if resume and (state := run.resume()):
        with run.restoring():
            for name, part in parts.items():
                part.load_state_dict(state[name])
            best.restore(state)
    perceptual = perceptual_loss(2, min(settings.sizes.size), fabric.device, reporter)
    log = RunLog(run, reporter)
    error_of = ERRORS[settings.error]
    while run.progress() < 1.0:
        images = slices.batch(run.step)
        adversarial = run.progress() >= settings.adversarial_from
        for each in (optimizer, critic.optimizer):
            run.set_learning_rate(each, settings.learning_rate)
        reconstruction, of_codebook = reconstruct(images)
        error = error_of(reconstruction, images)
        lost = error
        if perceptual is not None:
            lost = lost + settings.perceptual_weight * perceptual(reconstruction, images)
        opposition = weight = torch.zeros((), device=fabric.device)
        if adversarial:
            opposition = critic.loss(reconstruction, images)
            weight = adaptive_weight(lost, opposition, network.last_weights, fabric)
        optimizer.zero_grad()
        fabric.backward(lost + of_codebook + weight * opposition)
        optimizer.step()
        if adversarial:
            critic.learn(reconstruction, images)
        run.advance()
        log.step(error=error, codebook=of_codebook, adversarial=opposition, weight=weight)
        if run.step % VALIDATE_EVERY == 0 or run.progress() >= 1.0:
            found = validate(network, slices, error_of, run, log)
            # Beside the discriminator an error is larger than before it: only then it counts.
            joined = run.progress() >= settings.adversarial_from
            if joined or settings.adversarial_from >= 1.0:
                best.offer(found)
        if run.is_checkpoint_due():
            states = {name: part.state_dict() for name, part in parts.items()}
            run.save({**states, **best.state()})
        run.check_cancelled(reporter)
    best.take()
    return network.eval()
