"""Stage `autoencoder`: paper 1's AE Dense, squared error on whole volumes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from PETAnomalyLib.engine.bundles.kinds import Family
from PETAnomalyLib.engine.families.dense_autoencoder.network import (
    AutoencoderSizes,
    DenseAutoencoder,
)
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.augmentation import deformed, intensity_changed, shifted
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.processes import own_part, variance
from PETAnomalyLib.engine.training.progress import RunLog
from PETAnomalyLib.engine.training.stage import Stage, StageConfiguration
from PETAnomalyLib.engine.training.validation_pictures import draw_reconstructions

LARGEST_SHIFT = 2  # voxels


@dataclass(frozen=True)
class AutoencoderSettings:
    """What the configuration file's `autoencoder` section holds.

    Attributes:
        sizes: the network.
        steps, batch: optimisation steps, studies a step.
        learning_rate: Adam.
    """

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
    fabric = run.fabric
    mine = own_part(fabric, settings.batch)
    torch.manual_seed(0)
    network = DenseAutoencoder(settings.sizes)
    reconstruct, optimizer = fabric.setup(
        network, torch.optim.Adam(network.parameters(), settings.learning_rate)
    )
    if resume and (state := run.resume()):
        with run.restoring():
            network.load_state_dict(state["network"])
            optimizer.load_state_dict(state["optimizer"])
    log = RunLog(run, reporter)
    held_out = np.stack(validation[:8])[:, None].astype(np.float32)
    while run.progress() < 1.0:
        seen = [training] * len(mine)
        if run.stream is not None:
            studies = run.stream.of_step(run.step, settings.batch, mine)
            seen = [[study.image] for study in studies]
        volumes = [_augmented(s, np.random.default_rng((run.step, n))) for s, n in zip(seen, mine)]
        images = torch.from_numpy(np.stack(volumes)[:, None]).to(fabric.device)
        run.set_learning_rate(optimizer, settings.learning_rate)
        error = (reconstruct(images) - images).square().mean() / variance(fabric, images)
        optimizer.zero_grad()
        fabric.backward(error)
        optimizer.step()
        run.advance()
        log.step(error=error)
        if run.step % 50 == 0 or run.progress() >= 1.0:
            _validate(network, torch.from_numpy(held_out).to(fabric.device), run, log)
        if run.is_checkpoint_due():
            run.save({"network": network.state_dict(), "optimizer": optimizer.state_dict()})
        run.check_cancelled(reporter)
    return network.eval()


def _augmented(volumes: list[np.ndarray], random: np.random.Generator) -> np.ndarray:
    [volume] = shifted([volumes[random.integers(len(volumes))]], LARGEST_SHIFT, random)
    if random.random() < 0.5:
        [volume] = deformed([volume], random)
    return intensity_changed(volume, random)


def _validate(network: DenseAutoencoder, images: Tensor, run: Run, log: RunLog) -> None:
    with torch.no_grad():
        reconstruction = torch.cat([network(image[None]) for image in images])
    errors = (reconstruction - images).square().mean((1, 2, 3, 4)) / images.var((1, 2, 3, 4))
    log.validation(validation_error=float(errors.mean()))
    if run.fabric.is_global_zero:
        draw_reconstructions(
            run.folder / "reconstructions.png",
            images[:, 0].amax(2).cpu().numpy(),  # coronal
            reconstruction[:, 0].amax(2).cpu().numpy(),
            f"Step {run.step}: coronal MIPs of held-out studies",
        )


def _check(configuration: StageConfiguration) -> None:
    sizes = configuration.section.section("sizes").values
    misfit = configuration.stage.family.misfit({"autoencoder": sizes}, configuration.size)
    configuration.refuse(misfit)


def _train(
    configuration: StageConfiguration,
    _beside: None,  # it builds upon no other run
    studies: list[list[AlignedStudy]],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> DenseAutoencoder:
    training, validation = ([study.image for study in part] for part in studies)
    return train_autoencoder(configuration.settings, training, validation, run, resume, reporter)


def stage(family: Family) -> Stage:
    """The stage `autoencoder`."""
    return Stage(
        name="autoencoder",
        family=family,
        network=family.networks["autoencoder"],
        settings=AutoencoderSettings,
        of_stream=True,
        check=_check,
        train=_train,
    )
