"""N healed latents -> N x K reconstructions (paper 1, section 3.3: dropout in the decoder).

The only dropout sits before the decoder's last layer, so the K decodes of a latent share everything
before it, and latents that are equal share it too.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from PETAnomalyLib.engine.networks.vqgan import VQGAN


def decode(
    vqgan: VQGAN,
    latents: Tensor,
    decodes: int,
    seed: int,
    on_progress: Callable[[float], None] = lambda _: None,
) -> npt.NDArray[np.float32]:
    """Decode each latent `decodes` times, each time with another dropout mask.

    Args:
        vqgan: the PET VQ-GAN.
        latents: N x d x h x w tokens.
        decodes: K.
        seed: of the dropout masks; a mask depends on it, on the latent's number and the decode's.
        on_progress: told the share done.

    Returns:
        N K x D x H x W, the K decodes of latent 0 first.
    """
    samples = len(latents)
    reconstructions: npt.NDArray[np.float32] | None = None
    hidden: Tensor | None = None
    for i in range(samples):
        if hidden is None or not torch.equal(latents[i], latents[i - 1]):
            hidden = vqgan.hidden(latents[i : i + 1])
        for k in range(decodes):
            image = vqgan.image(hidden, dropout_generator(seed, i, k))[0, 0].cpu().numpy()
            if reconstructions is None:
                reconstructions = np.empty((samples * decodes, *image.shape), np.float32)
            reconstructions[i * decodes + k] = image
        on_progress((i + 1) / samples)
    assert reconstructions is not None  # at least one sample: the command line sees to it
    return reconstructions


def dropout_generator(seed: int, sample: int, decode: int) -> torch.Generator:
    """The random stream of one dropout mask, its own for every (seed, sample, decode)."""
    state = np.random.SeedSequence([seed, sample, decode]).generate_state(1, np.uint64)[0]
    return torch.Generator().manual_seed(int(state >> np.uint64(1)))
