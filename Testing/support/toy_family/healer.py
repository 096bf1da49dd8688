"""The blurred study, n times with another brightness."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from PETAnomalyLib.engine.families.healer import (
    Array,
    DecodedTile,
    Healing,
    HealingRequest,
    OnProgress,
)

JITTER = 0.05  # of the brightness, standard deviation


class Brightened:
    """n x D x H x W: one volume with n factors."""

    def __init__(self, volume: torch.Tensor, factors: torch.Tensor) -> None:
        self._volume, self._factors = volume, factors
        self.count = len(factors)
        self.shape = tuple(volume.shape)

    def tiles(self, on_progress: OnProgress) -> Iterator[DecodedTile]:
        yield DecodedTile((slice(None),) * 3, self._volume * self._factors.view(-1, 1, 1, 1))
        on_progress(1.0)

    def array(self) -> Array:
        whole: Array = np.concatenate([tile.values.numpy() for tile in self.tiles(lambda _: None)])
        return whole

    def smaller(self) -> None:
        return None


class BlurHealer:
    def __init__(self, networks: dict[str, Any], device: torch.device) -> None:
        self._blur = networks["blur"].to(device)
        self._device = device

    def smaller(self, request: HealingRequest) -> None:  # noqa: ARG002
        return None

    @torch.inference_mode()
    def heal(
        self,
        pet: Array,
        ct: Array | None,  # noqa: ARG002 - it looks at PET alone
        request: HealingRequest,
        on_progress: OnProgress,
    ) -> Healing:
        blurred = self._blur(torch.from_numpy(pet)[None, None].to(self._device))[0, 0]
        generator = torch.Generator().manual_seed(request.seed)
        n = request.samples * request.decodes
        factors = 1.0 + JITTER * torch.randn(n, generator=generator)
        on_progress(1.0)
        return Healing(Brightened(blurred, factors), None, None)
