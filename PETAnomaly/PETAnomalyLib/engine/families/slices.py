"""Healing slice by slice: a two-dimensional network over all slices of a volume.

A family of slices gives a network that makes of B x 1 x h x w images a `Reconstructed`; where it
can draw more than one reconstruction, it also has `drawn`. Everything else is here: batches of
slices, so that memory does not grow with the volume, and volumes as every other healer gives them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from PETAnomalyLib.engine.families.healer import (
    Array,
    DecodedTile,
    Healing,
    HealingRequest,
    OnProgress,
    Reconstructions,
    SingleReconstruction,
)
from PETAnomalyLib.engine.families.reconstruction_error import judged_by_error

EMPTY = 0.05  # of the model's intensity unit: air, with the noise that training adds
VOXELS_AT_ONCE = 2 * 256 * 256  # a second or so of the slowest network: Cancel waits no longer


class Reconstructed(NamedTuple):
    """What a network makes of slices.

    Attributes:
        images: B x 1 x h x w, the most likely reconstruction.
        penalty: what its loss has beside the reconstruction's error; a scalar.
    """

    images: Tensor
    penalty: Tensor

    @classmethod
    def alone(cls, images: Tensor) -> Reconstructed:
        """Of a network whose loss is the reconstruction's error and nothing else."""
        return cls(images, images.new_zeros(()))


class SliceSizes(Protocol):
    """What the sizes of every network of slices have: the axis of the volume that they lie along.

    Attributes:
        axis: of D x H x W: 0 axial, 1 coronal, 2 sagittal slices.
    """

    @property
    def axis(self) -> int: ...


class SliceNetwork(Protocol):
    """A network that reconstructs slices."""

    @property
    def sizes(self) -> SliceSizes: ...

    def __call__(self, images: Tensor) -> Reconstructed: ...


class DrawingNetwork(SliceNetwork, Protocol):
    """One whose reconstructions are drawn from a distribution."""

    @property
    def noise(self) -> int:
        """How many standard normal numbers a reconstruction of one slice takes."""

    def drawn(self, images: Tensor, noise: Tensor) -> Tensor:
        """Reconstructions n x B x h x w of B x 1 x h x w images; noise: n x B x `self.noise`."""


class SliceHealer:
    """One reconstruction of every slice."""

    def __init__(self, networks: dict[str, Any], device: torch.device) -> None:
        [network] = networks.values()
        self._network = network.to(device)
        self._device = device

    def smaller(self, request: HealingRequest) -> None:
        """A few slices at a time are small enough."""

    def heal(
        self,
        pet: Array,
        ct: Array | None,  # noqa: ARG002 - all healers are asked the same way
        request: HealingRequest,
        on_progress: OnProgress,
    ) -> Healing:
        likely = self._reconstructed(pet, request, on_progress)
        return Healing(self._decoded(pet, likely, request), None, None)

    def _decoded(self, pet: Array, likely: Tensor, request: HealingRequest) -> Reconstructions:  # noqa: ARG002 - of those that draw
        return SingleReconstruction(likely)

    @torch.inference_mode()
    def _reconstructed(
        self, pet: Array, request: HealingRequest, on_progress: OnProgress
    ) -> Tensor:
        """The most likely reconstruction, D x H x W, which the request is told of."""
        axis = self._network.sizes.axis
        whole = torch.empty(pet.shape)
        for part in parts(pet.shape, axis):
            images = slices_of(pet, axis, part).to(self._device)
            whole.movedim(axis, 0)[part] = self._network(images).images[:, 0].cpu()
            on_progress(part.stop / pet.shape[axis])
        request.on_judged(judged_by_error(pet, whole.numpy()))
        return whole


class DrawnSlices:
    """n reconstructions, each slice's drawn when it is asked for.

    A slice's noise comes from the seed and its place alone, so the pieces change nothing.

    Args:
        network: on its device.
        pet: D x H x W, the model's intensity.
        count: n.
        seed: of all random numbers.
    """

    def __init__(
        self, network: DrawingNetwork, device: torch.device, pet: Array, count: int, seed: int
    ) -> None:
        self._network, self._device = network, device
        self._pet, self._seed = pet, seed
        self.count = count
        self.shape = pet.shape

    @torch.inference_mode()
    def tiles(self, on_progress: OnProgress) -> Iterator[DecodedTile]:
        """Some slices at a time, with all their reconstructions."""
        axis = self._network.sizes.axis
        n = self.shape[axis]
        for part in parts(self.shape, axis):
            images = slices_of(self._pet, axis, part).to(self._device)
            noise = self._noise(part).to(self._device)
            few = max(1, VOXELS_AT_ONCE // images.numel())
            drawn = torch.cat([self._network.drawn(images, some) for some in noise.split(few)])
            voxels = [slice(None)] * 3
            voxels[axis] = part
            yield DecodedTile(tuple(voxels), drawn.movedim(1, axis + 1))
            on_progress(part.stop / n)

    def _noise(self, part: slice) -> Tensor:
        return torch.stack(
            [
                torch.randn(
                    self.count,
                    self._network.noise,
                    generator=torch.Generator().manual_seed((self._seed << 12) + place),
                )
                for place in range(part.start, part.stop)
            ],
            dim=1,
        )

    def array(self) -> Array:
        """All of them at once, n x D x H x W."""
        whole = np.empty((self.count, *self.shape), np.float32)
        for tile in self.tiles(lambda _: None):
            whole[(slice(None), *tile.voxels)] = tile.values.cpu().numpy()
        return whole

    def smaller(self) -> None:
        """A few slices at a time are small enough."""


class DrawingHealer(SliceHealer):
    """Many reconstructions of every slice: N latents, K times as many draws."""

    def _decoded(self, pet: Array, likely: Tensor, request: HealingRequest) -> Reconstructions:  # noqa: ARG002
        count = request.samples * request.decodes
        return DrawnSlices(self._network, self._device, pet, count, request.seed)


def parts(shape: tuple[int, ...], axis: int) -> Iterator[slice]:
    """All slices along an axis of D x H x W, some at a time: fewer where they are large."""
    n = shape[axis]
    at_once = max(1, VOXELS_AT_ONCE * n // math.prod(shape))
    for start in range(0, n, at_once):
        yield slice(start, min(start + at_once, n))


def slices_of(volume: Array, axis: int, part: slice) -> Tensor:
    """B x 1 x h x w float32 of a D x H x W volume."""
    chosen = np.ascontiguousarray(np.moveaxis(volume, axis, 0)[part], dtype=np.float32)
    return torch.from_numpy(chosen)[:, None]
