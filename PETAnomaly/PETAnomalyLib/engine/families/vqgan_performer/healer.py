"""Paper 1's healer, section 3: encode, find the unlikely tokens, draw them anew N times, decode.

Each healed latent is decoded K times with dropout; the N are dealt out to a few token grids
(token_grids.py).
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch

from PETAnomalyLib.engine.families.healer import Array, Healing, HealingRequest, OnProgress
from PETAnomalyLib.engine.families.vqgan_performer.decoding import (
    CHANNELS_LAST,
    DecodedLatents,
    decoder_multiplications,
)
from PETAnomalyLib.engine.families.vqgan_performer.familiarity import judged
from PETAnomalyLib.engine.families.vqgan_performer.resampling import (
    in_parts,
    log_likelihood_beside_hot,
    resample,
    resampling_mask,
    token_log_likelihood,
)
from PETAnomalyLib.engine.families.vqgan_performer.side_by_side import side_by_side, workers
from PETAnomalyLib.engine.families.vqgan_performer.speculation import MaskedGrid
from PETAnomalyLib.engine.families.vqgan_performer.token_grids import (
    Shift,
    body_tokens,
    moved,
    token_grids,
)
from PETAnomalyLib.engine.families.vqgan_performer.within_time import Pace, draw_in_time

# Shares of the seconds that healing the demo study takes, up to the end of each part.
_ENCODED, _JUDGED = 0.5, 0.75


class _Encoded(NamedTuple):
    """A study on one token grid: its PET tokens, 1 x T, its CT tokens or None, its body, T.

    All of a picture is body: what is not its object is background, and no air.
    """

    tokens: torch.Tensor
    context: torch.Tensor | None
    body: torch.Tensor


class VQGANPerformerHealer:
    """VQ-GAN tokens, a Performer's likelihoods, with or without cross-attention to CT.

    With networks of two dimensions it heals pictures, C x H x W where volumes are D x H x W.
    """

    def __init__(self, networks: dict[str, Any], device: torch.device) -> None:
        self._pet_vqgan = networks["pet_vqgan"].to(device)
        self._dims = self._pet_vqgan.sizes.spatial_dims
        if device.type == "cpu":  # the layout of the decoder's activations, see decoding.py
            self._pet_vqgan.to(memory_format=CHANNELS_LAST[self._dims])
        self._ct_vqgan = networks["ct_vqgan"].to(device) if "ct_vqgan" in networks else None
        self._performer = networks["transformer"].to(device)
        self._device = device

    def smaller(self, request: HealingRequest) -> HealingRequest | None:
        """Half as many samples at a time."""
        at_once = min(request.samples_at_once, request.samples)
        return None if at_once == 1 else replace(request, samples_at_once=(at_once + 1) // 2)

    @torch.inference_mode()
    def heal(
        self, pet: Array, ct: Array | None, request: HealingRequest, on_progress: OnProgress
    ) -> Healing:
        began = time.perf_counter()
        grids = token_grids(request.samples, self._pet_vqgan.sizes.stride, self._dims)
        encoded = self._all_encoded(
            pet, ct, [shift for shift, _ in grids], request, _part(on_progress, 0.0, _ENCODED)
        )
        encoded_at = time.perf_counter()
        log_p = self._log_likelihoods(encoded, request, _part(on_progress, _ENCODED, _JUDGED))
        judged_at = time.perf_counter()
        masks = [resampling_mask(one, request.resampling_threshold) for one in log_p]
        grid = self._performer.sizes.grid
        tokens, likelihood, body = (
            one.view(grid) for one in (encoded[0].tokens, log_p[0], encoded[0].body)
        )
        request.on_judged(judged(self._pet_vqgan, tokens, likelihood, body, pet))

        def drawn(samples: int, on_share: OnProgress) -> DecodedLatents:
            return self._drawn(encoded, masks, replace(request, samples=samples), on_share)

        body = torch.stack([one.body for one in encoded])
        share = float(torch.stack(masks).sum() / body.sum().clamp_min(1))
        pace = self._pace(share, encoded_at - began, judged_at - encoded_at, request.decodes)
        decoded = draw_in_time(drawn, request, pace, _part(on_progress, _JUDGED, 1.0))
        return Healing(
            decoded, log_p[0].view(grid).cpu().numpy(), masks[0].view(grid).cpu().numpy()
        )

    def _pace(self, share: float, encoding: float, judging: float, decodes: int) -> Pace:
        """From the share of the body's tokens to draw anew, and the seconds that it took so far.

        Fitted to seven runs of the shipped models on two cores (share 0.03 to 0.4, N = 4 to 16,
        K = 4): drawing foretold within a third, decoding within a fifth.
        """
        grid = self._performer.sizes.grid
        multiplications = [
            sum(decoder_multiplications(self._pet_vqgan, grid, k)) for k in (decodes, 4)
        ]
        networks = 1 if self._ct_vqgan is None else 2
        return Pace(
            beforehand=0.9 * judging,
            drawing=(0.02 + 0.52 * share) * judging,
            decoding=0.34 * encoding / networks * multiplications[0] / multiplications[1],
        )

    def _drawn(
        self,
        encoded: list[_Encoded],
        masks: list[torch.Tensor],
        request: HealingRequest,
        on_progress: OnProgress,
    ) -> DecodedLatents:
        """The healed latents of `request.samples` samples, grid after grid."""
        # On the CPU, so that a seed means the same draws on every device.
        generator = torch.Generator().manual_seed(request.seed)
        grids = token_grids(request.samples, self._pet_vqgan.sizes.stride, self._dims)
        masked = []
        for one, mask, (_, samples) in zip(encoded, masks, grids):
            shape = (samples, int(mask.sum()))
            uniforms = torch.rand(shape, generator=generator, dtype=torch.float64)
            masked.append(MaskedGrid(*one, mask, uniforms.to(self._device)))
        healed = self._resampled(masked, request, on_progress)
        return DecodedLatents(
            self._pet_vqgan,
            healed.view(-1, *self._performer.sizes.grid),
            request.decodes,
            request.seed,
            shifts=[shift for shift, samples in grids for _ in range(samples)],
        )

    def _all_encoded(
        self,
        pet: Array,
        ct: Array | None,
        shifts: list[Shift],
        request: HealingRequest,
        on_progress: OnProgress,
    ) -> list[_Encoded]:
        """The study on each grid; as many at a time as there are cores and memory for.

        A thread each: with other processes on the two cores all threads on one grid after the other
        took twice as long.
        """

        def encoded(shift: Shift, _: OnProgress) -> _Encoded:
            return self._encoded(moved(pet, shift), None if ct is None else moved(ct, shift))

        works = [partial(encoded, shift) for shift in shifts]
        return side_by_side(works, self._at_once(len(works), request), on_progress)

    def _at_once(self, works: int, request: HealingRequest) -> int:
        return min(workers(self._device), works, request.samples_at_once)

    def _encoded(self, pet: Array, ct: Array | None) -> _Encoded:
        tokens = self._pet_vqgan.tokens(self._tensor(pet)).flatten(1)
        context = None
        if self._ct_vqgan is not None:
            if ct is None:
                raise ValueError("this model judges PET by the CT, and there is none")
            context = self._ct_vqgan.tokens(self._tensor(ct)).flatten(1)
        if self._dims == 2:
            return _Encoded(tokens, context, torch.ones_like(tokens[0], dtype=torch.bool))
        body = torch.from_numpy(body_tokens(pet, self._performer.sizes.grid)).flatten()
        return _Encoded(tokens, context, body.to(self._device))

    def _log_likelihoods(
        self, encoded: list[_Encoded], request: HealingRequest, on_progress: OnProgress
    ) -> list[torch.Tensor]:
        """T values of each grid; as many grids at a time as there are cores and memory for.

        A picture's defect may be dark as well as bright: no token beside one goes with it.
        """
        uptake = self._pet_vqgan.code_uptake() if self._dims == 3 else None

        def judged(one: _Encoded, _: OnProgress) -> torch.Tensor:
            t = request.resampling_threshold
            if uptake is None:
                return token_log_likelihood(self._performer, *one, t)
            return log_likelihood_beside_hot(self._performer, *one, t, uptake)

        works = [partial(judged, one) for one in encoded]
        return side_by_side(works, self._at_once(len(works), request), on_progress)

    def _resampled(
        self, masked: list[MaskedGrid], request: HealingRequest, on_progress: OnProgress
    ) -> torch.Tensor:
        """Samples x T healed tokens, grid after grid."""
        groups = in_parts(masked, -(-request.samples // request.samples_at_once))
        return torch.cat(
            [
                resample(
                    self._performer,
                    group,
                    request.resampling_threshold,
                    _part(on_progress, number / len(groups), (number + 1) / len(groups)),
                )
                for number, group in enumerate(groups)
            ]
        )

    def _tensor(self, image: Array) -> torch.Tensor:
        """1 x C x H x W, or 1 x 1 x D x H x W."""
        whole = torch.from_numpy(np.ascontiguousarray(image))[None].to(self._device)
        return whole if self._dims == 2 else whole[None]


def _part(on_progress: OnProgress, start: float, stop: float) -> OnProgress:
    """Tells of a part's share as the whole's."""
    return lambda share: on_progress(start + (stop - start) * share)
