"""The baseline's healer: the one reconstruction that the bottleneck lets through."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from PETAnomalyLib.engine.families.healer import (
    Array,
    Healing,
    HealingRequest,
    OnProgress,
    SingleReconstruction,
)
from PETAnomalyLib.engine.families.reconstruction_error import judged_by_error


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
        request.on_judged(judged_by_error(pet, reconstruction.cpu().numpy()))
        on_progress(1.0)
        return Healing(SingleReconstruction(reconstruction), None, None)
