"""Stage `auto-ddpm`: slices are estimated from what noise of any level has made of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

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
    TrainingSlices,
    check_slices,
    learn,
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

    def losses(denoise: Any, images: Tensor) -> dict[str, Tensor]:
        return {"error": denoise(images)[1]}

    def judged(log: RunLog) -> float:
        return _validate(network, slices, run, log)

    learn(network, slices, settings.learning_rate, losses, judged, run, resume, reporter)
    return network


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
