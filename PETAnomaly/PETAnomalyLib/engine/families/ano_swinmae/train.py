"""Stage `ano-swinmae`: what windows hide of slices is predicted, and that alone is judged.

Paper 4, 3.2: the mean squared error of the masked part, Adam.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from PETAnomalyLib.engine.bundles.kinds import Family
from PETAnomalyLib.engine.families.ano_swinmae.network import AnoSwinMAE, AnoSwinMAESizes
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
class AnoSwinMAESettings:
    """What the configuration file's section holds.

    Attributes:
        sizes: the network's.
        steps, batch: optimisation steps, slices a step.
        learning_rate: Adam's.
    """

    sizes: AnoSwinMAESizes
    steps: int
    batch: int
    learning_rate: float = 1e-3


def stage(family: Family) -> Stage:
    """The stage `ano-swinmae`."""
    return Stage(
        name=family.name,
        family=family,
        network=family.networks[NETWORK],
        settings=AnoSwinMAESettings,
        of_mr=True,
        check=check_slices,
        train=_train,
    )


def masked_error(filled: Tensor, images: Tensor, hidden: Tensor) -> Tensor:
    """Mean squared error over the voxels that are hidden, of B x 1 x h x w."""
    return ((filled - images).square() * hidden).sum() / hidden.sum()


def _train(
    configuration: StageConfiguration,
    _beside: None,  # it builds upon no other run
    studies: list[list[AlignedStudy]],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> AnoSwinMAE:
    """The network as it was when it filled in held-out slices best."""
    settings: AnoSwinMAESettings = configuration.settings
    slices = TrainingSlices(studies, settings.sizes.axis, settings.batch, run.fabric)
    torch.manual_seed(0)
    network = AnoSwinMAE(settings.sizes).to(run.fabric.device)
    torch.manual_seed(0)
    judged_windows = network.some_windows(slices.held_out)

    def losses(fill: Any, images: Tensor) -> dict[str, Tensor]:
        hidden = network.some_windows(images)
        filled = fill(images, hidden).images
        return {"error": masked_error(filled, images, network.voxels(hidden))}

    def judged(log: RunLog) -> float:
        return _validate(network, slices, judged_windows, run, log)

    learn(network, slices, settings.learning_rate, losses, judged, run, resume, reporter)
    return network


def _validate(
    network: AnoSwinMAE, slices: TrainingSlices, hidden: Tensor, run: Run, log: RunLog
) -> float:
    """The error of held-out slices under windows that are always the same, logged and drawn.

    The mask that moves over a slice takes a dozen times as long, for the same order of networks.
    """
    images = slices.held_out
    network.eval()
    with torch.no_grad():
        parts = zip(images.split(8), hidden.split(8))
        filled = torch.cat([network.filled(*part) for part in parts])
    network.train()
    error = float(masked_error(filled, images, network.voxels(hidden)))
    validated(error, filled, slices, run, log)
    return error
