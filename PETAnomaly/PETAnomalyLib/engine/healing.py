"""Healers: a study in the model frame -> n pseudo-healthy reconstructions of it.

`VQGANPerformerHealer` is paper 1, section 3: encode, find the unlikely tokens, draw them anew N
times, decode each healed latent K times with dropout; the N are dealt out to a few token grids
(token_grids.py). `AutoencoderHealer` is the paper's baseline: one reconstruction. `build_healer`
makes the one that a bundle names; a new family adds a class here and its network to
`networks/registry.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import torch

from PETAnomalyLib.engine.body_tokens import body_tokens
from PETAnomalyLib.engine.bundle import Bundle
from PETAnomalyLib.engine.decoding import DecodedLatents, DecodedTile
from PETAnomalyLib.engine.errors import BundleError
from PETAnomalyLib.engine.networks.registry import build_network, load_weights
from PETAnomalyLib.engine.resampling import log_likelihood_beside_hot, resample, resampling_mask
from PETAnomalyLib.engine.token_grids import moved, token_grids

Array = npt.NDArray[np.float32]
OnProgress = Callable[[float], None]


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

    def __init__(self, reconstruction: torch.Tensor) -> None:
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


@dataclass(frozen=True)
class HealingRequest:
    """How to heal.

    Attributes:
        samples: N healed latents.
        decodes: K dropout decodes of each.
        seed: of all random numbers.
        resampling_threshold: t; tokens with p(s_i) < t are drawn anew, and those beside hot ones.
        samples_at_once: samples of a token grid that advance together, fewer where memory is short;
            the draws are the same whatever it is.
    """

    samples: int
    decodes: int
    seed: int
    resampling_threshold: float
    samples_at_once: int


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


class AutoencoderHealer:
    """The dense autoencoder: the one reconstruction that its bottleneck lets through."""

    def __init__(self, networks: dict[str, Any], device: torch.device) -> None:
        self._autoencoder = networks["autoencoder"].to(device)
        self._device = device

    @torch.inference_mode()
    def heal(
        self,
        pet: Array,
        ct: Array | None,  # noqa: ARG002 - all healers are asked the same way
        request: HealingRequest,  # noqa: ARG002
        on_progress: OnProgress,
    ) -> Healing:
        image = torch.from_numpy(np.ascontiguousarray(pet))[None, None].to(self._device)
        reconstruction = self._autoencoder(image)[0, 0]
        on_progress(1.0)
        return Healing(SingleReconstruction(reconstruction), None, None)


# Family -> its healer, and for each of its weights: the network's name in the registry.
_FAMILIES: dict[str, tuple[type, dict[str, str]]] = {
    "vqgan-performer": (
        VQGANPerformerHealer,
        {"pet_vqgan": "vqgan", "ct_vqgan": "vqgan", "transformer": "performer"},
    ),
    "autoencoder-dense": (AutoencoderHealer, {"autoencoder": "autoencoder-dense"}),
}


def build_healer(bundle: Bundle, device: torch.device) -> Healer:
    """The bundle's healer with its weights loaded, on `device`.

    Raises:
        BundleError: weights that do not fit what the manifest describes.
    """
    healer, network_names = _FAMILIES[bundle.healer["family"]]
    networks = {}
    for name, path in bundle.weights.items():
        if name not in network_names:
            raise BundleError(
                f"{bundle.path}: weights named '{name}' are not part of the family "
                f"'{bundle.healer['family']}' (configs/metadata.json, key petanomaly.weights)"
            )
        network = build_network(network_names[name], bundle.healer[name])
        networks[name] = load_weights(network, path)
    return healer(networks, device)  # type: ignore[no-any-return]  # its classes are above
