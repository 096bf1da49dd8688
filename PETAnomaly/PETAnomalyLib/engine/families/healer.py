"""Healers: a study in the model frame -> n pseudo-healthy reconstructions of it.

What every family's healer takes and gives. Healing is the expensive part and runs once; its
reconstructions are made when they are asked for, part by part, as often as wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
from torch import Tensor

Array = npt.NDArray[np.float32]
OnProgress = Callable[[float], None]


class Judged(NamedTuple):
    """What a model finds of a study before it heals, by the cells (tokens) of its own frame.

    Attributes:
        body: d x h x w bool, the cells that hold body.
        log_likelihood: d x h x w float32, nats, of each cell's token; None without tokens.
        error: d x h x w float32, mean absolute error with which the networks reconstruct the study
            as it is, model intensity; None where it is not known.
    """

    body: npt.NDArray[np.bool_]
    log_likelihood: Array | None
    error: Array | None


class Forecast(NamedTuple):
    """What is still to be done, known before it begins.

    Attributes:
        samples: how many will be drawn.
        drawing: seconds until they are.
        decoding: seconds for their reconstructions and the maps, after that.
        is_fewest: however long it takes, no fewer will be drawn.
    """

    samples: int
    drawing: float
    decoding: float
    is_fewest: bool


def _not_asked(_: Judged | Forecast) -> None:
    """Nobody asked."""


@dataclass(frozen=True)
class Healing:
    """What healing a study gives, all in the model frame.

    Attributes:
        decoded: the n reconstructions, made when they are asked for.
        token_log_likelihood: d x h x w float32, nats, of the frame's own token grid, lowered beside
            hot tokens (`resampling.log_likelihood_beside_hot`); None for a model without tokens.
        resampling_mask: d x h x w bool, true where a token of it was drawn anew; None likewise.
    """

    decoded: Reconstructions
    token_log_likelihood: Array | None
    resampling_mask: npt.NDArray[np.bool_] | None

    @property
    def reconstructions(self) -> Array:
        """All of them at once, n x D x H x W float32: for small models."""
        return self.decoded.array()


class DecodedTile(NamedTuple):
    """All reconstructions of a part of the volume.

    Attributes:
        voxels: the part, as slices of D x H x W.
        values: n x (the part's shape) float32, on the network's device.
    """

    voxels: tuple[slice, ...]
    values: Tensor


class Reconstructions(Protocol):
    """n pseudo-healthy reconstructions of a study, the model's intensity unit.

    Attributes:
        count: n.
        shape: D, H, W.
    """

    count: int
    shape: tuple[int, ...]

    def tiles(self, on_progress: OnProgress) -> Iterator[DecodedTile]:
        """Every part of the volume once, with all n reconstructions of it."""

    def array(self) -> Array:
        """All of them at once, n x D x H x W."""

    def smaller(self) -> Reconstructions | None:
        """The same in smaller pieces, or None where there are none."""


class SingleReconstruction:
    """The one reconstruction (D x H x W, on any device) of a model that makes no more."""

    def __init__(self, reconstruction: Tensor) -> None:
        self._values = reconstruction[None]
        self.count = 1
        self.shape = tuple(reconstruction.shape)

    def tiles(self, on_progress: OnProgress) -> Iterator[DecodedTile]:
        """The whole volume."""
        yield DecodedTile((slice(None),) * 3, self._values)
        on_progress(1.0)

    def array(self) -> Array:
        """1 x D x H x W."""
        return self._values.cpu().numpy()

    def smaller(self) -> None:
        """There are no pieces."""


class Healer(Protocol):
    """Turns one study into n >= 1 pseudo-healthy reconstructions."""

    def heal(
        self, pet: Array, ct: Array | None, request: HealingRequest, on_progress: OnProgress
    ) -> Healing:
        """Heal one study.

        Args:
            pet: D x H x W, the model's PET intensity.
            ct: D x H x W, the model's CT intensity, or None.
            request: how many reconstructions, and the random stream.
            on_progress: told the share done, 0..1; may raise to stop.

        Raises:
            ValueError: the model needs the CT.
        """

    def smaller(self, request: HealingRequest) -> HealingRequest | None:
        """The same healing in smaller pieces, for where memory ran out; None if there are none."""


@dataclass(frozen=True)
class HealingRequest:
    """How to heal.

    Attributes:
        samples: N healed latents.
        decodes: K dropout decodes of each.
        seed: of all random numbers.
        resampling_threshold: t; tokens with p(s_i) < t are drawn anew, and those beside hot ones.
        samples_at_once: samples that advance together, fewer where memory is short; the draws are
            the same whatever it is.
        on_judged: told once, before anything is drawn, what the model finds of the study; may raise
            to stop.
        on_forecast: told after that how long the rest takes, and again where that has changed.
        seconds_left: asked how long healing and decoding may still take, seconds; fewer samples are
            drawn where that is too short for all. None where it may take as long as it does.
    """

    samples: int
    decodes: int
    seed: int
    resampling_threshold: float
    samples_at_once: int
    on_judged: Callable[[Judged], None] = _not_asked
    on_forecast: Callable[[Forecast], None] = _not_asked
    seconds_left: Callable[[], float] | None = None
