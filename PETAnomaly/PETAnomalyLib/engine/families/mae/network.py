"""MAE of paper 4: a masked autoencoder, that predicts patches from those that it is shown.

K. He et al. (2022): the encoder sees the visible patches alone; the decoder sees them, and a token
that is the same wherever a patch is hidden. Hidden are whole windows of patches. In training they
are drawn at random; a study is healed window by window, each predicted while it alone is hidden, so
that nothing of an anomaly inside it reaches its own reconstruction.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from PETAnomalyLib.engine.families.slices import EMPTY, Reconstructed
from PETAnomalyLib.engine.families.vision_transformer import (
    PatchEmbedding,
    PatchesToImage,
    PatchSizes,
    transformer_layers,
)

_TOKENS_AT_ONCE = 1 << 16


@dataclass(frozen=True, kw_only=True)
class MAESizes(PatchSizes):
    """What the network is built from: `width` and `layers` are the encoder's.

    Attributes:
        decoder_width, decoder_layers: of the decoder.
        window: patches along the edge of what is hidden together.
        masked_percent: of the windows, that are hidden in training.
    """

    decoder_width: int
    decoder_layers: int
    window: int
    masked_percent: int


class MAE(nn.Module):
    """B x 1 x h x w; what is hidden is predicted, in the model's intensity unit."""

    def __init__(self, sizes: MAESizes) -> None:
        super().__init__()
        self.sizes = sizes
        self.embed = PatchEmbedding(sizes.size, sizes.patch, sizes.width, sizes.window)
        self.encoder = transformer_layers(sizes.layers, sizes.width, sizes.heads)
        self.narrow = nn.Linear(sizes.width, sizes.decoder_width)
        tokens = self.embed.grid[0] * self.embed.grid[1]
        self.hidden_token = nn.Parameter(torch.zeros(sizes.decoder_width))
        self.decoder_places = nn.Parameter(torch.randn(tokens, sizes.decoder_width) * 0.02)
        self.decoder = transformer_layers(sizes.decoder_layers, sizes.decoder_width, sizes.heads)
        self.to_image = PatchesToImage(self.embed.grid, sizes.patch, sizes.decoder_width)
        self.windows = _windows(self.embed.grid, sizes.window)

    def forward(self, images: Tensor) -> Reconstructed:
        """In training with what is visible as it is: its error is the hidden part's alone."""
        if self.training:
            return Reconstructed.alone(self._some_hidden(images))
        return Reconstructed.alone(self.healed(images))

    def predicted(self, tokens: Tensor, hidden: Tensor) -> Tensor:
        """Whole images from tokens without those that are hidden.

        Args:
            tokens: B x N x width, of all patches.
            hidden: B x N booleans, as many true in each row.

        Returns:
            B x 1 x h x w.
        """
        batch, count, width = tokens.shape
        visible = (~hidden).nonzero()[:, 1].view(batch, -1)
        shown = tokens.gather(1, visible[..., None].expand(-1, -1, width))
        encoded = self.narrow(self.encoder(shown))
        whole = self.hidden_token.expand(batch, count, -1).to(encoded.dtype)
        whole = whole.scatter(1, visible[..., None].expand_as(encoded), encoded)
        return self.to_image(self.decoder(whole + self.decoder_places), self.sizes.size)

    def healed(self, images: Tensor) -> Tensor:
        """Every window predicted while it is hidden, B x 1 x h x w; all positions as batches.

        A window of air is left as it is.
        """
        tokens = self.embed(images)
        count = tokens.shape[1]
        windows = self.windows.to(images.device)
        places = self._voxels(windows).to(images.device)
        holds = ((images > EMPTY) & places).any(-1).any(-1)  # B x windows
        result = images.clone()
        for some in holds.nonzero().split(max(1, _TOKENS_AT_ONCE // count)):
            of_slice, of_window = some.T
            hidden = torch.zeros(len(some), count, dtype=torch.bool, device=images.device)
            hidden.scatter_(1, windows[of_window], True)
            predicted = self.predicted(tokens[of_slice], hidden)
            number, row, column = places[of_window].nonzero(as_tuple=True)
            result[of_slice[number], 0, row, column] = predicted[number, 0, row, column]
        return result

    def _some_hidden(self, images: Tensor) -> Tensor:
        windows = self.windows.to(images.device)
        chosen = max(1, round(len(windows) * self.sizes.masked_percent / 100))
        drawn = torch.rand(len(images), len(windows), device=images.device).argsort(1)[:, :chosen]
        tokens = self.embed(images)
        hidden = torch.zeros(tokens.shape[:2], dtype=torch.bool, device=images.device)
        hidden.scatter_(1, windows[drawn].flatten(1), True)
        of_windows = self._voxels(windows).to(images.device)
        is_hidden = of_windows[drawn].any(1, keepdim=True)
        return torch.where(is_hidden, self.predicted(tokens, hidden), images)

    def _voxels(self, windows: Tensor) -> Tensor:
        """Which voxels of a slice each window holds: windows x h x w booleans."""
        rows, columns = (
            torch.arange(n, device=windows.device) // self.sizes.patch for n in self.sizes.size
        )
        patch = rows[:, None] * self.embed.grid[1] + columns
        return (windows[:, None, None] == patch[None, :, :, None]).any(-1)


def _windows(grid: tuple[int, int], edge: int) -> Tensor:
    """Which patches each window holds: windows x edge^2, row by row; `edge` divides the grid."""
    patches = torch.arange(grid[0] * grid[1]).view(grid[0] // edge, edge, grid[1] // edge, edge)
    return patches.permute(0, 2, 1, 3).reshape(-1, edge * edge)
