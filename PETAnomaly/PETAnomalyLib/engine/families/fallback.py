"""Healing where memory is short: smaller pieces, then the CPU, each said aloud."""

from __future__ import annotations

from collections.abc import Callable

import torch

from PETAnomalyLib.engine.families.healer import (
    Array,
    Healing,
    HealingRequest,
    OnProgress,
    Reconstructions,
)
from PETAnomalyLib.engine.families.loaded_model import LoadedModel
from PETAnomalyLib.engine.runtime.devices import device_in_words, is_out_of_memory
from PETAnomalyLib.engine.runtime.errors import OutOfMemoryError

Warn = Callable[[str], None]


def heal_within_memory(
    model: LoadedModel,
    device: torch.device,
    image: Array,
    ct: Array | None,
    request: HealingRequest,
    on_progress: OnProgress,
    warn: Warn,
) -> tuple[Healing, torch.device]:
    """Heal one study on the device, or as near to that as memory allows.

    Args:
        model: whose healer it is; lets it go where memory runs out.
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
    pieces = request
    while True:
        healer = None
        try:
            healer = model.healer(device)
            return healer.heal(image, ct, pieces, on_progress), device
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
        # Networks that did not even fit are not tried again with fewer samples.
        smaller = None if healer is None else healer.smaller(pieces)
        del healer  # and with it its networks on the device
        model.forget()
        if device.type == "cuda":
            torch.cuda.empty_cache()
        if smaller is not None:
            pieces = smaller
            warn(
                f"out of memory on {device_in_words(device)}: going on with "
                f"{pieces.samples_at_once} samples at a time"
            )
        elif device.type != "cpu":
            warn(f"out of memory on {device_in_words(device)}: going on, slower, on the CPU")
            device = torch.device("cpu")
            pieces = request
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
