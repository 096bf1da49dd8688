"""Stage `vqgan`: images to tokens and back, one modality (paper 1, appendix C).

Loss: squared error and the spectral loss of equation 5, both over the image's variance so that the
commitment (beta = 0.25) weighs the same for every intensity scaling, and a least-squares patch
discriminator after a warm-up (Esser et al., arXiv 2012.09841). Trained on random crops: the network
is fully convolutional.

The EMA codebook collapses onto a single code when it starts from random numbers (perplexity 1.0 in
a trial): it starts from real encodings, and codes that die are given new ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from monai.losses import JukeboxLoss, PatchAdversarialLoss
from monai.networks.nets import PatchDiscriminator
from torch import Tensor

from PETAnomalyLib.engine.events import Reporter
from PETAnomalyLib.engine.networks.vqgan import VQGAN, VQGANSizes
from PETAnomalyLib.engine.training.augmentation import intensity_scaled
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.progress import RunLog

REVIVE_EVERY = 25  # steps
DEAD = 0.02  # of the mean usage


@dataclass(frozen=True)
class VQGANSettings:
    """What the configuration file's `vqgan` section holds.

    Attributes:
        modality: `pet` or `ct`.
        sizes: the network.
        steps, batch, crop: optimisation steps, crops a step, voxels along a crop's edge.
        learning_rate, discriminator_learning_rate: Adam.
        adversarial_from: share of the run after which the discriminator joins.
        adversarial_weight: of the generator's adversarial loss.
        body_intensity: crops are centred on voxels above it, most of the time.
    """

    modality: str
    sizes: VQGANSizes
    steps: int
    batch: int
    crop: int
    learning_rate: float = 4e-4
    discriminator_learning_rate: float = 5e-4
    adversarial_from: float = 0.6
    adversarial_weight: float = 0.01
    body_intensity: float = 0.03


def train_vqgan(
    settings: VQGANSettings,
    training: list[np.ndarray],
    validation: list[np.ndarray],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> VQGAN:
    """Train and return the network; its curve and checkpoint are in `run.folder`.

    Args:
        settings: from the configuration file.
        training: volumes D x H x W in the model's intensity unit.
        validation: the same, held out.
        run: where and how long.
        resume: go on from the checkpoint.
        reporter: told of the progress.
    """
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    network = VQGAN(settings.sizes)
    discriminator = PatchDiscriminator(
        spatial_dims=3, channels=16, in_channels=1, num_layers_d=2, norm="INSTANCE"
    )
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate)
    critic = torch.optim.Adam(discriminator.parameters(), settings.discriminator_learning_rate)
    parts: dict[str, Any] = {
        "network": network, "discriminator": discriminator, "optimizer": optimizer, "critic": critic
    }  # fmt: skip
    if resume:
        state = run.resume()
        for name, part in parts.items():
            part.load_state_dict(state[name])
        random.bit_generator.state = state["crops"]
    spectral, adversarial = JukeboxLoss(spatial_dims=3), PatchAdversarialLoss("mean")
    log = RunLog(run, reporter)
    held_out = _crops(validation, settings, np.random.default_rng(1), 8)
    network.train()
    while run.progress() < 1.0:
        images = _crops(training, settings, random, settings.batch)
        if run.step == 0:
            _start_codes(network, training, settings, random)
        for group in optimizer.param_groups:
            group["lr"] = run.learning_rate(settings.learning_rate, warmup=50)
        reconstruction, commitment, tokens = network(images)
        variance = images.var().clamp_min(1e-4)
        error = (reconstruction - images).square().mean() / variance
        spectrum = spectral(reconstruction, images) / variance
        loss = error + spectrum + commitment
        if run.progress() >= settings.adversarial_from:
            judged = discriminator(reconstruction)[-1]
            loss = loss + settings.adversarial_weight * adversarial(judged, True, False)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if run.progress() >= settings.adversarial_from:
            fake = adversarial(discriminator(reconstruction.detach())[-1], False, True)
            real = adversarial(discriminator(images)[-1], True, True)
            critic.zero_grad()
            ((fake + real) / 2).backward()
            critic.step()
        run.step += 1
        # The decoder must be able to settle on the codes that there are.
        if run.step % REVIVE_EVERY == 0 and run.progress() < settings.adversarial_from:
            revive_dead_codes(network, images)
        log.step(error=error.item(), spectrum=spectrum.item(), commitment=commitment.item(),
                 perplexity=perplexity(tokens, settings.sizes.codebook))  # fmt: skip
        if run.step % 100 == 0 or run.progress() >= 1.0:
            log.validation(**_validate(network, held_out))
        if run.is_checkpoint_due():
            run.save(
                {**{name: part.state_dict() for name, part in parts.items()},
                 "crops": random.bit_generator.state}
            )  # fmt: skip
        reporter.check_cancelled()
    return network.eval()


def perplexity(tokens: Tensor, codebook: int) -> float:
    """exp of the entropy of the codes' usage: from 1 (all one code) to the codebook's size."""
    usage = torch.bincount(tokens.flatten(), minlength=codebook).double()
    share = usage[usage > 0] / usage.sum()
    return float(torch.exp(-(share * share.log()).sum()))


def revive_dead_codes(network: VQGAN, images: Tensor) -> int:
    """Give codes that are hardly used a real encoding of this batch; returns how many."""
    quantizer = network.quantizer
    usage = quantizer.ema_cluster_size
    dead = (usage < DEAD * usage.mean()).nonzero()[:, 0]
    if len(dead):
        with torch.no_grad():
            encodings = _flat_encodings(network, images)
        _set_codes(network, dead, encodings[torch.randperm(len(encodings))[: len(dead)]])
    return len(dead)


def _start_codes(
    network: VQGAN,
    volumes: list[np.ndarray],
    settings: VQGANSettings,
    random: np.random.Generator,
) -> None:
    with torch.no_grad():
        images = _crops(volumes, settings, random, 16)
        encodings = _flat_encodings(network, images)
        # Bring the encodings to unit spread: the commitment then has a scale to hold on to.
        last: Any = network.encoder.blocks[-1].conv
        spread = encodings.std().clamp_min(1e-6)
        last.weight /= spread
        last.bias /= spread
        encodings = encodings / spread
    codes = torch.arange(settings.sizes.codebook)
    _set_codes(network, codes, encodings[torch.randperm(len(encodings))[: len(codes)]])


def _set_codes(network: VQGAN, codes: Tensor, encodings: Tensor) -> None:
    quantizer = network.quantizer
    codes = codes[: len(encodings)]
    fair = quantizer.ema_cluster_size.mean().clamp_min(1.0)
    quantizer.embedding.weight.data[codes] = encodings
    quantizer.ema_cluster_size[codes] = fair
    quantizer.ema_w[codes] = encodings * fair


def _flat_encodings(network: VQGAN, images: Tensor) -> Tensor:
    return network.encoder(images).movedim(1, -1).flatten(0, -2)


def _validate(network: VQGAN, images: Tensor) -> dict[str, float]:
    network.eval()
    with torch.no_grad():
        reconstruction, _, tokens = network(images)
    network.train()
    codebook = network.sizes.codebook
    return {
        "validation_error": float(
            ((reconstruction - images).square().mean() / images.var()).item()
        ),
        "validation_absolute_error": float((reconstruction - images).abs().mean()),
        "perplexity": perplexity(tokens, codebook),
        "codes_used": float(tokens.unique().numel()),
    }


def _crops(
    volumes: list[np.ndarray], settings: VQGANSettings, random: np.random.Generator, count: int
) -> Tensor:
    edge = settings.crop
    crops = []
    for _ in range(count):
        volume = volumes[random.integers(len(volumes))]
        start = [int(random.integers(0, max(1, n - edge + 1))) for n in volume.shape]
        crop = volume[tuple(slice(s, s + edge) for s in start)].astype(np.float32)
        # Nine in ten crops show the body: air is a single token and needs no more practice.
        if crop.mean() < settings.body_intensity and random.random() < 0.9:
            middle = [n // 2 - edge // 2 for n in volume.shape[1:]]
            window = (slice(start[0], start[0] + edge), *(slice(m, m + edge) for m in middle))
            crop = volume[window].astype(np.float32)
        crop = intensity_scaled(crop, 0.1, random)
        crops.append(crop + random.normal(0.0, 0.005, crop.shape).astype(np.float32))
    return torch.from_numpy(np.stack(crops)[:, None].astype(np.float32))
