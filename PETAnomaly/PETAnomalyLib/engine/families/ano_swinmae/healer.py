"""Healing with a mask that moves over every slice, a few of its positions at a time."""

from __future__ import annotations

import torch
from torch import Tensor

from PETAnomalyLib.engine.families.healer import Array, HealingRequest, OnProgress
from PETAnomalyLib.engine.families.reconstruction_error import judged_by_error
from PETAnomalyLib.engine.families.slices import SliceHealer, parts, slices_of


class SlidingMaskHealer(SliceHealer):
    """One reconstruction of every slice, of which each part was predicted from what is round it."""

    @torch.inference_mode()
    def _reconstructed(
        self, pet: Array, request: HealingRequest, on_progress: OnProgress
    ) -> Tensor:
        axis = self._network.sizes.axis
        whole = torch.empty(pet.shape)
        for part in parts(pet.shape, axis):
            begun, share = part.start / pet.shape[axis], (part.stop - part.start) / pet.shape[axis]
            images = slices_of(pet, axis, part).to(self._device)
            healed = self._network.healed(
                images, lambda done, begun=begun, share=share: on_progress(begun + share * done)
            )
            whole.movedim(axis, 0)[part] = healed[:, 0].cpu()
        on_progress(1.0)
        request.on_judged(judged_by_error(pet, whole.numpy()))
        return whole
