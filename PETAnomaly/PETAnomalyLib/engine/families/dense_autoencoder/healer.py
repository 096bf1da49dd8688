"""The baseline's healer: the one reconstruction that the bottleneck lets through."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from PETAnomalyLib.engine.families.healer import (
    Array,
    Healing,
    HealingRequest,
    Judged,
    OnProgress,
    SingleReconstruction,
)

_CELL = 4  # voxels along an edge: 24 mm with the shipped model
_BODY_INTENSITY = 0.03  # SUV 0.12 with the shipped model


class DenseAutoencoderHealer:
    """The dense autoencoder: the one reconstruction that its bottleneck lets through."""

    def __init__(self, networks: dict[str, Any], device: torch.device) -> None:
        self._autoencoder = networks["autoencoder"].to(device)
        self._device = device

    def smaller(self, request: HealingRequest) -> None:
        """There are no pieces: the network sees a whole study."""

    @torch.inference_mode()
    def heal(
        self,
        pet: Array,
        ct: Array | None,  # noqa: ARG002 - all healers are asked the same way
        request: HealingRequest,
        on_progress: OnProgress,
    ) -> Healing:
        image = torch.from_numpy(np.ascontiguousarray(pet))[None, None].to(self._device)
        reconstruction = self._autoencoder(image)[0, 0]
        request.on_judged(_judged(pet, reconstruction.cpu().numpy()))
        on_progress(1.0)
        return Healing(SingleReconstruction(reconstruction), None, None)


def _judged(pet: Array, reconstruction: Array) -> Judged:
    """By cells of `_CELL` voxels; what is left over at a volume's end is looked at by none."""
    grid = tuple(n // _CELL for n in pet.shape)
    whole = tuple(slice(0, n * _CELL) for n in grid)
    blocks = [edge for n in grid for edge in (n, _CELL)]
    error = np.abs(reconstruction[whole] - pet[whole]).reshape(blocks).mean(axis=(1, 3, 5))
    body = pet[whole].reshape(blocks).mean(axis=(1, 3, 5)) > _BODY_INTENSITY
    return Judged(body, None, error.astype(np.float32))
