"""Stage `blur`: squared error on whole volumes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from PETAnomalyLib.engine.bundles.kinds import Family
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.progress import RunLog
from PETAnomalyLib.engine.training.stage import Stage, StageConfiguration
from torch import nn

from toy_family.network import Blur, BlurSizes


@dataclass(frozen=True)
class BlurSettings:
    """What the configuration file's `blur` section holds."""

    sizes: BlurSizes
    steps: int
    learning_rate: float = 1e-3


def _train(
    configuration: StageConfiguration,
    _beside: None,
    studies: list[list[AlignedStudy]],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> nn.Module:
    settings: BlurSettings = configuration.settings
    network = Blur(settings.sizes)
    optimizer = torch.optim.Adam(network.parameters(), settings.learning_rate)
    if resume and (state := run.resume()):
        network.load_state_dict(state["network"])
    log = RunLog(run, reporter)
    volumes: list[Any] = [torch.from_numpy(study.image)[None, None].float() for study in studies[0]]
    while run.progress() < 1.0:
        image = volumes[run.step % len(volumes)]
        error = (network(image) - image).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        run.advance()
        log.step(error=error.detach())
        run.check_cancelled(reporter)
    run.save({"network": network.state_dict()})
    return network.eval()


def stage(family: Family) -> Stage:
    """The stage `blur`."""
    return Stage(
        name="blur",
        family=family,
        network=family.networks["blur"],
        settings=BlurSettings,
        train=_train,
    )
