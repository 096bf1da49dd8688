"""Stage `f-anogan`: a Wasserstein GAN, and then an encoder into its codes.

T. Schlegl et al. (Medical Image Analysis 2019). The first share of the run belongs to generator and
critic; for the rest both are frozen, and the encoder learns.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from PETAnomalyLib.engine.bundles.kinds import Family
from PETAnomalyLib.engine.families.f_anogan.adversaries import Adversaries
from PETAnomalyLib.engine.families.f_anogan.network import FAnoGAN
from PETAnomalyLib.engine.families.slice_family import NETWORK
from PETAnomalyLib.engine.families.unified_cnn import DenseSizes
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.progress import RunLog
from PETAnomalyLib.engine.training.slices import (
    ERRORS,
    VALIDATE_EVERY,
    BestNetwork,
    TrainingSlices,
    check_slices,
    validate,
)
from PETAnomalyLib.engine.training.stage import Stage, StageConfiguration, number

CRITIC_STEPS = 5  # to one of the generator: as Gulrajani et al.


@dataclass(frozen=True)
class FAnoGANSettings:
    """What the configuration file's section holds.

    Attributes:
        sizes: the network's.
        steps, batch: optimisation steps, slices a step.
        learning_rate: Adam's, of encoder, generator and critic.
        encoder_from: share of the run after which the encoder learns, and it alone.
    """

    sizes: DenseSizes
    steps: int
    batch: int
    learning_rate: float = 1e-4
    encoder_from: float = 0.6


def stage(family: Family) -> Stage:
    """The stage `f-anogan`."""
    return Stage(
        name=family.name,
        family=family,
        network=family.networks[NETWORK],
        settings=FAnoGANSettings,
        keys={"encoder_from": number(0.0, 1.0)},
        fixed=("encoder_from",),
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
) -> FAnoGAN:
    """The network whose encoder reconstructed held-out slices best."""
    settings: FAnoGANSettings = configuration.settings
    slices = TrainingSlices(studies, settings.sizes.axis, settings.batch, run.fabric)
    torch.manual_seed(0)
    adversaries = Adversaries(settings.sizes, settings.learning_rate, run.fabric)
    network = adversaries.network
    best = BestNetwork(network)
    if resume and (state := run.resume()):
        with run.restoring():
            adversaries.restore(state)
            best.restore(state)
    log = RunLog(run, reporter)
    while run.progress() < 1.0:
        encodes = run.progress() >= settings.encoder_from
        images = slices.batch(run.step)
        for optimizer in adversaries.optimizers.values():
            run.set_learning_rate(optimizer, settings.learning_rate)
        if encodes:
            error, of_features = adversaries.learn_to_encode(images)
            found = {"error": error, "features": of_features}
        else:
            found = {"critic": adversaries.learn_to_tell(images)}
            if run.step % CRITIC_STEPS == CRITIC_STEPS - 1:
                found["generator"] = adversaries.learn_to_generate(images)
        run.advance()
        log.step(**found)
        if (encodes and run.step % VALIDATE_EVERY == 0) or run.progress() >= 1.0:
            best.offer(validate(network, slices, ERRORS["squared"], run, log))
        if run.is_checkpoint_due():
            run.save({**adversaries.state(), **best.state()})
        run.check_cancelled(reporter)
    best.take()
    return network.eval()
