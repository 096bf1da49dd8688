"""Stage `autoencoder`: paper 1's AE Dense, squared error on whole volumes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from PETAnomalyLib.engine.events import Reporter
from PETAnomalyLib.engine.networks.autoencoder import AutoencoderSizes, DenseAutoencoder
from PETAnomalyLib.engine.training.augmentation import intensity_scaled, shifted
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.progress import RunLog


@dataclass(frozen=True)
class AutoencoderSettings:
    """What the configuration file's `autoencoder` section holds."""

    sizes: AutoencoderSizes
    steps: int
    batch: int
    learning_rate: float = 1e-3


def train_autoencoder(
    settings: AutoencoderSettings,
    training: list[np.ndarray],
    validation: list[np.ndarray],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> DenseAutoencoder:
    """Train and return the network; volumes D x H x W in the model's intensity unit."""
    torch.manual_seed(0)
    random = np.random.default_rng(0)
    network = DenseAutoencoder(settings.sizes)
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate)
    if resume:
        state = run.resume()
        network.load_state_dict(state["network"])
        optimizer.load_state_dict(state["optimizer"])
        random.bit_generator.state = state["order"]
    log = RunLog(run, reporter)
    while run.progress() < 1.0:
        images = torch.from_numpy(
            np.stack(
                [
                    intensity_scaled(
                        shifted([training[i].astype(np.float32)], 2, random)[0], 0.1, random
                    )
                    for i in random.integers(len(training), size=settings.batch)
                ]
            )[:, None].astype(np.float32)
        )
        for group in optimizer.param_groups:
            group["lr"] = run.learning_rate(settings.learning_rate, warmup=50)
        error = (network(images) - images).square().mean() / images.var()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        run.step += 1
        log.step(error=error.item())
        if run.step % 50 == 0 or run.progress() >= 1.0:
            log.validation(validation_error=_validate(network, validation[:8]))
        if run.is_checkpoint_due():
            run.save(
                {
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "order": random.bit_generator.state,
                }
            )
        reporter.check_cancelled()
    return network.eval()


def _validate(network: DenseAutoencoder, volumes: list[np.ndarray]) -> float:
    errors = []
    with torch.no_grad():
        for volume in volumes:
            image = torch.from_numpy(volume.astype(np.float32))[None, None]
            errors.append(float((network(image) - image).square().mean() / image.var()))
    return float(np.mean(errors))
