"""Paper 3's VQGAN: its number of parameters, its grid, and what makes it that network."""

from __future__ import annotations

import pytest
import torch
from PETAnomalyLib.engine.families.vqgan.network import NonLocalBlock, ResidualBlock
from PETAnomalyLib.engine.families.vqgan.train import (
    SliceVQGANSettings,
    discriminator,
)
from slice_networks import PAPER_3, SMALL, slice_network
from torch.nn.functional import linear


@pytest.mark.parametrize(("codebook", "count"), [(128, 73_445_826), (256, 73_462_210)])
def test_it_has_as_many_parameters_as_table_4_3_says(codebook: int, count: int) -> None:
    """With those of its discriminator, table 4.2."""
    network = slice_network("vqgan", {**PAPER_3["vqgan"], "codebook": codebook}, (95, 79))
    opponent = discriminator(SliceVQGANSettings(network.sizes, 1, 1))
    both = (*network.parameters(), *opponent.parameters())
    assert sum(p.numel() for p in both) == count


def test_a_slice_of_paper_3_becomes_a_grid_of_5_by_4() -> None:
    sizes = {**PAPER_3["vqgan"], "channels": [4, 4, 8, 8, 16], "code_length": 6}
    network = slice_network("vqgan", sizes, (95, 79))
    image = torch.zeros(1, 1, 95, 79)
    with torch.no_grad():
        assert network.encoder(image).shape == (1, 6, 5, 4)
        assert network.decoder(torch.zeros(1, 6, 5, 4)).shape == image.shape
        assert network(image).images.shape == image.shape


@pytest.mark.parametrize("levels", [2, 3, 4, 5])
def test_a_cell_is_decoded_to_where_it_was_encoded_from(levels: int) -> None:
    """What one cell of the grid hangs on and what hangs on it have the same middle."""
    sizes = {**SMALL["vqgan"], "channels": [4] * levels}
    network = slice_network("vqgan", sizes, (175, 207)).double()
    for part in network.modules():  # which would spread a cell over the whole grid
        if isinstance(part, (NonLocalBlock, ResidualBlock, torch.nn.GroupNorm)):
            part.forward = lambda features: features  # type: ignore[method-assign]
    image = torch.rand(1, 1, 175, 207, dtype=torch.double, requires_grad=True)
    vectors = network.encoder(image)
    row, column = (n // 2 for n in vectors.shape[2:])
    vectors[0, :, row, column].sum().backward()
    seen = image.grad
    assert seen is not None
    changed = torch.zeros_like(vectors, requires_grad=False)
    changed[0, :, row, column] = 1.0
    margin = (16 - network.sizes.stride) // 2
    with torch.no_grad():
        made = network.decoder(changed) - network.decoder(torch.zeros_like(changed))
    made = made[0, 0, margin : margin + 175, margin : margin + 207]
    assert middle(made) == pytest.approx(middle(seen[0, 0]), abs=0.5)


def middle(values: torch.Tensor) -> list[float]:
    """Row and column in the midst of what is not zero."""
    places = (values.abs() > 1e-12).nonzero()
    return [float((axis.min() + axis.max()) / 2) for axis in places.T]


def test_non_local_is_attention_over_all_cells_written_out() -> None:
    block = NonLocalBlock(8).double()
    features = torch.randn(2, 8, 3, 4, dtype=torch.double)
    with torch.no_grad():
        found = block(features)
        normed = block.norm(features)
        query, key, value = (
            linear(normed.movedim(1, -1), of.weight[:, :, 0, 0], of.bias).movedim(-1, 1)
            for of in (block.query, block.key, block.value)
        )
        likeness = torch.einsum("bchw,bcyx->bhwyx", query, key) / 8**0.5
        share = likeness.flatten(3).softmax(-1).view(likeness.shape)
        expected = features + block.project(torch.einsum("bhwyx,bcyx->bchw", share, value))
    assert torch.allclose(found, expected)
