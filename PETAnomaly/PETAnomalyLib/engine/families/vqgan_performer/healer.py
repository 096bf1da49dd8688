"""Paper 1's healer, section 3: encode, find the unlikely tokens, draw them anew N times, decode.

Each healed latent is decoded K times with dropout; the N are dealt out to a few token grids
(token_grids.py).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import torch

from PETAnomalyLib.engine.families.healer import Array, Healing, HealingRequest, OnProgress
from PETAnomalyLib.engine.families.vqgan_performer.decoding import DecodedLatents
from PETAnomalyLib.engine.families.vqgan_performer.resampling import (
    log_likelihood_beside_hot,
    resample,
    resampling_mask,
)
from PETAnomalyLib.engine.families.vqgan_performer.token_grids import (
    body_tokens,
    most_on_one_grid,
    moved,
    token_grids,
)


class _HealedGrid(NamedTuple):
    """One token grid, healed.

    Attributes:
        latents: its samples, N x d x h x w tokens.
        log_p: d x h x w, nats.
        mask: d x h x w, true where a token was drawn anew.
    """

    latents: torch.Tensor
    log_p: torch.Tensor
    mask: torch.Tensor


class VQGANPerformerHealer:
    """VQ-GAN tokens, a Performer's likelihoods, with or without cross-attention to CT."""

    def __init__(self, networks: dict[str, Any], device: torch.device) -> None:
        self._pet_vqgan = networks["pet_vqgan"].to(device)
        if device.type == "cpu":  # the layout of the decoder's activations, see decoding.py
            self._pet_vqgan.to(memory_format=torch.channels_last_3d)
        self._ct_vqgan = networks["ct_vqgan"].to(device) if "ct_vqgan" in networks else None
        self._performer = networks["transformer"].to(device)
        self._device = device

    def smaller(self, request: HealingRequest) -> HealingRequest | None:
        """Half as many samples at a time; one grid is healed after the other."""
        at_once = min(request.samples_at_once, most_on_one_grid(request.samples))
        return None if at_once == 1 else replace(request, samples_at_once=(at_once + 1) // 2)

    @torch.inference_mode()
    def heal(
        self, pet: Array, ct: Array | None, request: HealingRequest, on_progress: OnProgress
    ) -> Healing:
        # On the CPU, so that a seed means the same draws on every device.
        generator = torch.Generator().manual_seed(request.seed)
        grids = token_grids(request.samples, self._pet_vqgan.sizes.stride)
        uptake = self._pet_vqgan.code_uptake()
        healed = []
        for number, (shift, samples) in enumerate(grids):

            def on_grid(share: float, done: int = number) -> None:
                on_progress(min(1.0, (done + share) / len(grids)))  # sums of shares round

            own_ct = None if ct is None else moved(ct, shift)
            of_grid = replace(request, samples=samples)
            healed.append(
                self._on_grid(moved(pet, shift), own_ct, uptake, of_grid, generator, on_grid)
            )
        decoded = DecodedLatents(
            self._pet_vqgan,
            torch.cat([one.latents for one in healed]),
            request.decodes,
            request.seed,
            shifts=[shift for shift, samples in grids for _ in range(samples)],
        )
        own = healed[0]
        return Healing(decoded, own.log_p.cpu().numpy(), own.mask.cpu().numpy())

    def _on_grid(
        self,
        pet: Array,
        ct: Array | None,
        uptake: torch.Tensor,
        request: HealingRequest,
        generator: torch.Generator,
        on_progress: OnProgress,
    ) -> _HealedGrid:
        """One token grid: its tokens, their likelihoods, and its healed latents."""
        grid = self._performer.sizes.grid
        tokens = self._pet_vqgan.tokens(self._tensor(pet)).flatten(1)  # 1 T
        context = None
        if self._ct_vqgan is not None:
            if ct is None:
                raise ValueError("this model judges PET by the CT, and there is none")
            context = self._ct_vqgan.tokens(self._tensor(ct)).flatten(1)  # 1 T
        body = torch.from_numpy(body_tokens(pet, grid)).flatten().to(self._device)  # T
        on_progress(0.05)
        t = request.resampling_threshold
        log_p = log_likelihood_beside_hot(self._performer, tokens, context, body, t, uptake)  # T
        mask = resampling_mask(log_p, t)  # T
        on_progress(0.1)

        masked = int(mask.sum())
        uniforms = torch.rand((request.samples, masked), generator=generator, dtype=torch.float64)
        uniforms = uniforms.to(self._device)
        healed = []
        for start in range(0, request.samples, request.samples_at_once):
            group = uniforms[start : start + request.samples_at_once]
            done = 0.1 + 0.9 * start / request.samples
            share = 0.9 * len(group) / request.samples / max(1, masked)

            def on_drawn(drawn: int, done: float = done, share: float = share) -> None:
                on_progress(done + share * drawn)

            healed.append(
                resample(self._performer, tokens, context, body, mask, group, t, on_drawn)
            )
        on_progress(1.0)
        latents = torch.cat(healed).view(-1, *grid)  # N d h w
        return _HealedGrid(latents, log_p.view(grid), mask.view(grid))

    def _tensor(self, volume: Array) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(volume))[None, None].to(self._device)
