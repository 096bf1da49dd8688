"""Stage `auto-ddpm`: slices are estimated from what noise of any level has made of them."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from PETAnomalyLib.engine.bundles.kinds import Family
from PETAnomalyLib.engine.families.auto_ddpm.network import AutoDDPM, AutoDDPMSizes
from PETAnomalyLib.engine.families.slice_family import NETWORK
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.progress import RunLog
from PETAnomalyLib.engine.training.slices import (
    VALIDATE_EVERY,
    BestNetwork,
    TrainingSlices,
    check_slices,
    validated,
)
from PETAnomalyLib.engine.training.stage import Stage, StageConfiguration


@dataclass(frozen=True)
class AutoDDPMSettings:
    """What the configuration file's section holds.

    Attributes:
        sizes: the network's.
        steps, batch: optimisation steps, slices a step.
        learning_rate: Adam's.
    """

    sizes: AutoDDPMSizes
    steps: int
    batch: int
    learning_rate: float = 1e-4


def stage(family: Family) -> Stage:
    """The stage `auto-ddpm`."""
    return Stage(
        name=family.name,
        family=family,
        network=family.networks[NETWORK],
        settings=AutoDDPMSettings,
        of_mr=True,
        check=check_slices,
        train=_train,
    )


def _train(
    configuration: StageConfiguration,
    _beside: None,  # it builds upon no other run
    studies: list[list[AlignedStudy]],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> AutoDDPM:
    """The network as it was when it estimated held-out slices best."""
    settings: AutoDDPMSettings = configuration.settings
    slices = TrainingSlices(studies, settings.sizes.axis, settings.batch, run.fabric)
    torch.manual_seed(0)
    network = AutoDDPM(settings.sizes)
    denoise, optimizer = run.fabric.setup(
        network, torch.optim.Adam(network.parameters(), settings.learning_rate)
    )
    best = BestNetwork(network)
    if resume and (state := run.resume()):
        with run.restoring():
            network.load_state_dict(state["network"])
            optimizer.load_state_dict(state["optimizer"])
            best.restore(state)
    log = RunLog(run, reporter)
    while run.progress() < 1.0:
        images = slices.batch(run.step)
        run.set_learning_rate(optimizer, settings.learning_rate)
        _, error = denoise(images)
        optimizer.zero_grad()
        run.fabric.backward(error)
        optimizer.step()
        run.advance()
        log.step(error=error)
        if run.step % VALIDATE_EVERY == 0 or run.progress() >= 1.0:
            best.offer(_validate(network, slices, run, log))
        if run.is_checkpoint_due():
            run.save(
                {
                    "network": network.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    **best.state(),
                }
            )
        run.check_cancelled(reporter)
    best.take()
    return network.eval()


def _validate(network: AutoDDPM, slices: TrainingSlices, run: Run, log: RunLog) -> float:
    """The error of the held-out slices, estimated in one step from levels up to the highest.

    Levels and noise are always the same.
    """
    images = slices.held_out
    levels = torch.linspace(1, network.sizes.highest, len(images)).round().long()
    levels = levels.to(images.device)
    streams = [torch.Generator().manual_seed(place) for place in range(len(images))]
    noise = network.noise_for(images, streams)
    made: list[Tensor] = []
    error = 0.0
    with torch.no_grad():
        for part in range(0, len(images), 8):
            some = slice(part, part + 8)
            estimated, of_these = network.denoised(images[some], noise[some], levels[some])
            made.append(estimated)
            error += float(of_these) * len(estimated) / len(images)
    validated(error, torch.cat(made), slices, run, log)
    return error
