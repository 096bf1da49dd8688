"""Training on the slices of a cohort: what all stages of two-dimensional networks share.

Of pictures each channel counts as a slice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.nn import functional

from PETAnomalyLib.engine.bundles.kinds import Family
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.augmentation import intensity_changed, shifted
from PETAnomalyLib.engine.training.checkpoint import Run
from PETAnomalyLib.engine.training.processes import own_part
from PETAnomalyLib.engine.training.progress import RunLog
from PETAnomalyLib.engine.training.stage import Stage, StageConfiguration, choice
from PETAnomalyLib.engine.training.validation_pictures import draw_reconstructions

LARGEST_SHIFT = 2  # voxels
VALIDATION_SLICES = 64
VALIDATE_EVERY = 50  # steps
_EMPTY = (
    0.01  # of the model's intensity unit: a slice whose brightest voxel is darker holds no body
)
ERRORS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "absolute": functional.l1_loss,
    "squared": functional.mse_loss,
}
"""Of a reconstruction, by the name that a configuration has for it: the mean over voxels."""


@dataclass(frozen=True)
class SliceSettings:
    """What the configuration file's section holds.

    Attributes:
        sizes: the network's.
        steps, batch: optimisation steps, slices a step.
        learning_rate: Adam's.
        error: of the reconstruction: `absolute` or `squared`, the mean over voxels.
        seed: of the first weights.
    """

    sizes: Any
    steps: int
    batch: int
    learning_rate: float = 1e-3
    error: str = "absolute"
    seed: int = 0


def slice_stage(family: Family, network: str) -> Stage:
    """The stage of a family of one network, by the family's name.

    The network gives of B x 1 x h x w images a pair: its reconstruction, and what its loss has
    beside the reconstruction's error. Random numbers that it draws come from torch's own stream,
    which every step seeds.

    Args:
        family: that it trains.
        network: name of its one network.
    """

    return Stage(
        name=family.name,
        family=family,
        network=family.networks[network],
        settings=SliceSettings,
        keys={"error": choice(*ERRORS)},
        fixed=("error",),
        of_mr=True,
        of_pictures=True,
        check=check_slices,
        train=_train,
    )


def check_slices(configuration: StageConfiguration) -> None:
    """Of a family of one network: its sizes fit together, and the frame.

    Raises:
        InputError: naming the file and the key.
    """
    family = configuration.stage.family
    sizes = configuration.section.section("sizes").values
    configuration.refuse(family.misfit({family.whole_study: sizes}, configuration.size))


def _train(
    configuration: StageConfiguration,
    _beside: None,  # it builds upon no other run
    studies: list[list[AlignedStudy]],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> nn.Module:
    """The network as it was when the held-out slices were reconstructed best."""
    settings: SliceSettings = configuration.settings
    slices = TrainingSlices(studies, settings.sizes.axis, settings.batch, run.fabric)
    torch.manual_seed(settings.seed)
    architecture, _ = configuration.stage.network.architecture()
    network = architecture(settings.sizes)
    error_of = ERRORS[settings.error]

    def losses(reconstruct: Any, images: Tensor) -> dict[str, Tensor]:
        reconstruction, penalty = reconstruct(images)
        return {"error": error_of(reconstruction, images), "penalty": penalty}

    def judged(log: RunLog) -> float:
        return validate(network, slices, error_of, run, log)

    learn(network, slices, settings.learning_rate, losses, judged, run, resume, reporter)
    return network


def learn(
    network: nn.Module,
    slices: TrainingSlices,
    learning_rate: float,
    losses: Callable[[Any, Tensor], dict[str, Tensor]],
    judged: Callable[[RunLog], float],
    run: Run,
    resume: bool,
    reporter: Reporter,
) -> None:
    """Train a network by Adam; it ends as it was when it was judged best.

    Args:
        network: with its first weights.
        slices: of the cohort.
        learning_rate: Adam's.
        losses: of the network as Fabric wraps it, and of B x 1 x h x w images: name in the log ->
            a part of what is lost.
        judged: the error of held-out slices, which it logs and draws.
        run: whose steps these are.
        resume: go on from its last checkpoint.
        reporter: told of the progress, asked whether to stop.
    """
    forward, optimizer = run.fabric.setup(
        network, torch.optim.Adam(network.parameters(), learning_rate)
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
        run.set_learning_rate(optimizer, learning_rate)
        lost = losses(forward, images)
        optimizer.zero_grad()
        run.fabric.backward(reduce(torch.add, lost.values()))
        optimizer.step()
        run.advance()
        log.step(**lost)
        if run.step % VALIDATE_EVERY == 0 or run.progress() >= 1.0:
            best.offer(judged(log))
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
    network.eval()


class TrainingSlices:
    """What the steps of a training see, and what it is judged by.

    Args:
        studies: of the training and of the validation.
        axis: of D x H x W, that the slices lie along.
        batch: slices a step, of all processes together.
        fabric: the processes.

    Attributes:
        held_out: B x 1 x h x w: slices at even steps through the held-out studies.
        axis: as given.
    """

    def __init__(
        self, studies: list[list[AlignedStudy]], axis: int, batch: int, fabric: Fabric
    ) -> None:
        training, validation = ([study.image for study in part] for part in studies)
        self._volumes, self._fabric = training, fabric
        self._mine = own_part(fabric, batch)
        self._places = slices_with_body(training, axis)
        self.axis = axis
        self.held_out = _held_out(validation, axis).to(fabric.device)

    def batch(self, step: int) -> Tensor:
        """This process's part of a step, B x 1 x h x w, augmented by the step's own numbers.

        It seeds torch too: what the network then draws is the step's and the process's.
        """
        images = [
            _augmented(self._volumes, self._places, self.axis, np.random.default_rng((step, n)))
            for n in self._mine
        ]
        torch.manual_seed(step * self._fabric.world_size + self._fabric.global_rank)
        return torch.from_numpy(np.stack(images)).to(self._fabric.device)


def slices_with_body(volumes: list[np.ndarray], axis: int) -> list[tuple[int, int]]:
    """Study and place of every slice that holds more than air; of all where none does."""
    others = tuple(place for place in range(3) if place != axis)
    found = [
        (study, int(place))
        for study, volume in enumerate(volumes)
        for place in np.flatnonzero(volume.max(axis=others) > _EMPTY)
    ]
    return found or [(study, 0) for study in range(len(volumes))]


def _augmented(
    volumes: list[np.ndarray],
    places: list[tuple[int, int]],
    axis: int,
    random: np.random.Generator,
) -> np.ndarray:
    """1 x h x w float32."""
    study, place = places[random.integers(len(places))]
    image = np.moveaxis(volumes[study], axis, 0)[place][None]
    [image] = shifted([image], LARGEST_SHIFT, random)
    return intensity_changed(image, random)


def _held_out(volumes: list[np.ndarray], axis: int) -> Tensor:
    places = slices_with_body(volumes, axis)
    chosen = places[:: max(1, len(places) // VALIDATION_SLICES)]
    images = [np.moveaxis(volumes[study], axis, 0)[place] for study, place in chosen]
    return torch.from_numpy(np.stack(images)[:, None].astype(np.float32))


def validate(
    network: nn.Module,
    slices: TrainingSlices,
    error_of: Callable[[Tensor, Tensor], Tensor],
    run: Run,
    log: RunLog,
) -> float:
    """The error of the held-out slices' reconstructions, logged and drawn into the run's folder."""
    images = slices.held_out
    network.eval()
    with torch.no_grad():
        reconstruction = torch.cat([network(part)[0] for part in images.split(8)])
    network.train()
    error = float(error_of(reconstruction, images))
    validated(error, reconstruction, slices, run, log)
    return error


def validated(
    error: float, reconstruction: Tensor, slices: TrainingSlices, run: Run, log: RunLog
) -> None:
    """Log the error of the held-out slices, and draw what became of them into the run's folder."""
    log.validation(validation_error=error)
    if run.fabric.is_global_zero:
        upward = [1] if slices.axis == 0 else []  # a picture begins with its top: the front
        originals, made = (
            part[:: max(1, len(part) // 8), 0].flip(upward).cpu().numpy()
            for part in (slices.held_out, reconstruction)
        )
        draw_reconstructions(
            run.folder / "reconstructions.png",
            originals,
            made,
            f"Step {run.step}: held-out slices",
        )


class BestNetwork:
    """A network as it was when it reconstructed held-out slices best.

    Args:
        network: as it is before the first step.
    """

    def __init__(self, network: nn.Module) -> None:
        self._network = network
        self._weights, self._least = _copied(network), float("inf")

    def offer(self, error: float) -> None:
        """Keep the network as it is now, if its error is the least so far."""
        if error < self._least:
            self._weights, self._least = _copied(self._network), error

    def take(self) -> None:
        """Give the network the weights that were best."""
        self._network.load_state_dict(self._weights)

    def state(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"best": self._weights, "least": self._least}

    def restore(self, state: Mapping[str, Any]) -> None:
        """From a checkpoint."""
        self._weights, self._least = state["best"], float(state["least"])


def _copied(network: nn.Module) -> dict[str, Tensor]:
    return {name: value.detach().clone().cpu() for name, value in network.state_dict().items()}
