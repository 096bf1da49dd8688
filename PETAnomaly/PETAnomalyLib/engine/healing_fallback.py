"""Healing where memory is short: smaller pieces, then the CPU, each said aloud."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import torch

from PETAnomalyLib.engine.bundle import Bundle
from PETAnomalyLib.engine.devices import device_in_words, is_out_of_memory
from PETAnomalyLib.engine.errors import OutOfMemoryError
from PETAnomalyLib.engine.healing import (
    Array,
    Healing,
    HealingRequest,
    OnProgress,
    Reconstructions,
    build_healer,
)
from PETAnomalyLib.engine.token_grids import most_on_one_grid

Warn = Callable[[str], None]


def heal_within_memory(
    bundle: Bundle,
    device: torch.device,
    image: Array,
    ct: Array | None,
    request: HealingRequest,
    on_progress: OnProgress,
    warn: Warn,
) -> tuple[Healing, torch.device]:
    """Heal one study on the device, or as near to that as memory allows.

    Args:
        bundle: the model.
        device: where to begin.
        image, ct: D x H x W, the model's intensities.
        request: how many reconstructions; the result is the same in smaller pieces.
        on_progress: told the share done, 0..1; may raise to stop.
        warn: told of each retreat.

    Returns:
        The healing, and the device that it ran on in the end.

    Raises:
        OutOfMemoryError: not even one sample at a time on the CPU.
    """
    most = most_on_one_grid(request.samples)  # one grid is healed after the other
    request = replace(request, samples_at_once=min(request.samples_at_once, most))
    while True:
        try:
            return build_healer(bundle, device).heal(image, ct, request, on_progress), device
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        if device.type == "cuda":
            torch.cuda.empty_cache()
        if request.samples_at_once > 1:
            request = replace(request, samples_at_once=(request.samples_at_once + 1) // 2)
            warn(
                f"out of memory on {device_in_words(device)}: going on with "
                f"{request.samples_at_once} samples at a time"
            )
        elif device.type != "cpu":
            warn(f"out of memory on {device_in_words(device)}: going on, slower, on the CPU")
            device = torch.device("cpu")
            request = replace(request, samples_at_once=most)
        else:
            raise OutOfMemoryError(
                "memory ran out even one sample at a time on the CPU",
                "close other programs, or lower --samples and --decodes",
            )


def smaller_pieces(decoded: Reconstructions, warn: Warn) -> Reconstructions:
    """The same reconstructions in smaller pieces, after memory ran out while decoding.

    Raises:
        OutOfMemoryError: these are the smallest already.
    """
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    smaller = decoded.smaller()
    if smaller is None:
        raise OutOfMemoryError(
            "memory ran out even while decoding in the smallest pieces on the CPU",
            "close other programs, or lower --samples and --decodes",
        )
    warn("out of memory while decoding: beginning again with smaller pieces")
    return smaller
