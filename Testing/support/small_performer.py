"""A small transformer whose output depends visibly on everything, and tokens for it."""

from __future__ import annotations

import torch
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer, PerformerSizes

SMALL = PerformerSizes((4, 5, 6), 16, 8, layers=3, heads=4, width=32, features=16)


def restless(sizes: PerformerSizes) -> Performer:
    """A network whose output depends visibly on everything: weights far from their small start."""
    performer = Performer(sizes).eval()
    generator = torch.Generator().manual_seed(1)
    for parameter in performer.parameters():
        parameter.data = torch.randn(parameter.shape, generator=generator) * 0.3
    return performer


def random_tokens(sizes: PerformerSizes, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    pet = torch.randint(sizes.codebook, (1, sizes.length), generator=generator)
    ct = torch.randint(max(1, sizes.context_codebook), (1, sizes.length), generator=generator)
    return pet, ct
