"""A study healed slice by slice, each slice's noise from the seed and its place."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from PETAnomalyLib.engine.families.healer import Array, HealingRequest, OnProgress
from PETAnomalyLib.engine.families.reconstruction_error import judged_by_error
from PETAnomalyLib.engine.families.slices import SliceHealer, parts, slices_of


class AutoDDPMHealer(SliceHealer):
    """One reconstruction, drawn; the same by the same seed, whatever the pieces."""

    _network: Any

    @torch.inference_mode()
    def _reconstructed(
        self, pet: Array, request: HealingRequest, on_progress: OnProgress
    ) -> Tensor:
        """D x H x W; the request is told how far the pseudo-healthy study is from this one."""
        axis = self._network.sizes.axis
        whole, pseudo_healthy = torch.empty(pet.shape), torch.empty(pet.shape)
        for part in parts(pet.shape, axis):
            images = slices_of(pet, axis, part).to(self._device)
            streams = [stream(request.seed, place) for place in range(part.start, part.stop)]

            def on_step(share: float, part: slice = part) -> None:
                done = part.start + share * (part.stop - part.start)
                on_progress(done / pet.shape[axis])

            healed = self._network.heal(images, streams, on_step)
            for volume, made in (
                (whole, healed.images),
                (pseudo_healthy, healed.pseudo_healthy),
            ):
                volume.movedim(axis, 0)[part] = made[:, 0].cpu()
        request.on_judged(judged_by_error(pet, pseudo_healthy.numpy()))
        return whole


def stream(seed: int, place: int) -> torch.Generator:
    """The random numbers of one slice."""
    return torch.Generator().manual_seed((seed << 12) + place)
