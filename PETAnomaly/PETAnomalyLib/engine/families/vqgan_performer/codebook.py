"""The VQ-GAN's codebook, which follows the encodings by exponential moving averages.

A. van den Oord et al., Neural Discrete Representation Learning, arXiv 1711.00937, appendix A.1; in
the symbols of that: N_i counts the encodings nearest to code i, m_i is their sum, e_i = m_i / N_i.
Equal to MONAI's `EMAQuantizer` (a test), whose import alone takes 3 s of processor time.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

COMMITMENT = 0.25  # beta, paper 1, appendix C.1
DECAY = 0.99
SMOOTHING = 1e-5  # of N_i, so that a code nobody is near to keeps its place


class Codebook(nn.Module):
    """Codes e_i, and the averages N and m that move them in training.

    Args:
        codes: how many.
        length: of a code.
    """

    ema_cluster_size: Tensor
    ema_w: Tensor

    def __init__(self, codes: int, length: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(codes, length)
        self.embedding.weight.requires_grad = False  # it follows the averages, not a gradient
        self.register_buffer("ema_cluster_size", torch.zeros(codes))  # N
        self.register_buffer("ema_w", self.embedding.weight.detach().clone())  # m

    def nearest(self, encodings: Tensor) -> Tensor:
        """Number of the code nearest to each encoding (paper 1, equation 4).

        Args:
            encodings: B x length x d x h x w; of pictures B x length x h x w.

        Returns:
            B x d x h x w int64.
        """
        with torch.autocast(encodings.device.type, enabled=False):
            z = _rows(encodings)
            e = self.embedding.weight.t()
            distance = (
                (z**2).sum(1, keepdim=True) + (e**2).sum(0, keepdim=True) - 2 * torch.mm(z, e)
            )
            batch, _, *grid = encodings.shape
            return (-distance).max(1)[1].view(batch, *grid)

    def embed(self, tokens: Tensor) -> Tensor:
        """The codes of B x d x h x w tokens: B x length x d x h x w, contiguous."""
        return self.embedding(tokens).movedim(-1, 1).contiguous()

    def forward(self, encodings: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Quantise encodings, B x length x d x h x w; in training the codes follow them.

        Returns:
            The codes in their place, through which gradients pass straight on; the commitment loss,
            beta times the mean squared distance; the tokens.
        """
        tokens = self.nearest(encodings)
        quantized = self.embed(tokens)
        if self.training:
            self._follow(encodings, tokens)
        commitment = COMMITMENT * functional.mse_loss(quantized.detach(), encodings)
        return encodings + (quantized - encodings).detach(), commitment, tokens

    @torch.no_grad()
    def _follow(self, encodings: Tensor, tokens: Tensor) -> None:
        with torch.autocast(encodings.device.type, enabled=False):
            codes = self.embedding.num_embeddings
            chosen = functional.one_hot(tokens.flatten(), codes).float()
            count, total = chosen.sum(0), torch.mm(chosen.t(), _rows(encodings))
            if torch.distributed.is_available() and torch.distributed.is_initialized():
                torch.distributed.all_reduce(count)  # of all processes' encodings
                torch.distributed.all_reduce(total)
            self.ema_cluster_size.mul_(DECAY).add_(count, alpha=1 - DECAY)
            self.ema_w.mul_(DECAY).add_(total, alpha=1 - DECAY)
            n = self.ema_cluster_size.sum()
            smoothed = (self.ema_cluster_size + SMOOTHING) / (n + codes * SMOOTHING) * n
            self.embedding.weight.copy_(self.ema_w / smoothed[:, None])


def _rows(encodings: Tensor) -> Tensor:
    """B x length x d x h x w as (B d h w) x length, single precision."""
    length = encodings.shape[1]
    return encodings.float().movedim(1, -1).contiguous().view(-1, length)
