"""A codebook that learns by gradient (A. van den Oord et al., 2017; paper 3, 3.3).

Both of paper 3's networks with codewords have it; paper 2's follows the mean of what it stands for.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

COMMITMENT = 0.25
"""Beta of equation 3.12 (paper 3, 4.2.3)."""


class Codebook(nn.Module):
    """Nearest codewords, and the losses of equations 3.11 and 3.12 beside the reconstruction's.

    Args:
        count: of codewords.
        length: numbers in each.
    """

    def __init__(self, count: int, length: int) -> None:
        super().__init__()
        spread = 1.0 / count  # as van den Oord's
        self.codewords = nn.Parameter(torch.empty(count, length).uniform_(-spread, spread))

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """The codewords of vectors B x length x h x w, and the loss.

        Gradients pass the codewords straight, to the vectors. The loss moves the codewords to
        the vectors, and `COMMITMENT` of it the vectors to them.
        """
        each = vectors.movedim(1, -1)
        distance = torch.cdist(each.flatten(0, 2), self.codewords)
        words = self.codewords[distance.argmin(1)].view_as(each)
        alignment = functional.mse_loss(words, each.detach())
        commitment = functional.mse_loss(each, words.detach())
        passed = each + (words - each).detach()
        return passed.movedim(-1, 1), alignment + COMMITMENT * commitment
