"""What is hidden is not seen, and the batch over all positions is the plain loop."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PETAnomalyLib.engine.families.ano_swinmae import network as ano_swinmae
from PETAnomalyLib.engine.families.ano_swinmae.healer import SlidingMaskHealer
from PETAnomalyLib.engine.families.ano_swinmae.train import masked_error
from PETAnomalyLib.engine.families.healer import HealingRequest
from PETAnomalyLib.engine.scoring.mask_tiles import mask_tiles
from PETAnomalyLib.engine.scoring.objects import combined_map
from slice_networks import slice_network

SIZE = (30, 24)
SMALL: dict[str, Any] = {
    "patch": 2, "width": 8, "depths": [2, 2], "heads": [2, 4], "window": 4, "hidden_patches": 2,
    "masked_percent": 35, "mask": 8,
}  # fmt: skip
REQUEST = HealingRequest(1, 1, 0, 0.0, 1)


@pytest.fixture(scope="module")
def network() -> Any:
    return slice_network("ano-swinmae", SMALL, SIZE)


def test_hidden_patches_carry_no_pixel_of_theirs(network: Any) -> None:
    """To the bit: other pixels under the mask, the same output everywhere under it."""
    torch.manual_seed(2)
    image, other = torch.rand(2, 1, *SIZE), torch.rand(2, 1, *SIZE) * 7
    hidden = torch.rand(2, *network.grid) > 0.6
    under = network.voxels(hidden)
    changed = torch.where(under, other, image)
    with torch.no_grad():
        levels, others = (network.encoded(x, hidden) for x in (image, changed))
        assert all(torch.equal(a, b) for a, b in zip(levels, others))
        filled = network.filled(image, hidden)
        assert torch.equal(filled[under], network.filled(changed, hidden)[under])
    assert torch.equal(filled[~under], image[~under])
    assert not torch.equal(filled, image)


def test_a_hidden_patch_knows_its_place(network: Any) -> None:
    """All hidden: without places every token would be the same."""
    everything = torch.ones(1, *network.grid, dtype=torch.bool)
    with torch.no_grad():
        tokens = network.placed(network.tokens(torch.zeros(1, 1, *SIZE)), everything)
    assert len(torch.unique(tokens.flatten(0, 2), dim=0)) == network.grid[0] * network.grid[1]


def plain_loop(images: torch.Tensor, network: Any) -> tuple[torch.Tensor, list[torch.Tensor]]:
    """Slice by slice and position by position, as the paper goes: the whole, and each residual."""
    patch = SMALL["patch"]
    extent = [n * patch for n in network.grid]
    tiles = torch.from_numpy(mask_tiles(SIZE, SMALL["mask"], patch, extent))
    whole, residuals = images.clone(), []
    for number in range(int(tiles.max()) + 1):
        hidden = (tiles == number)[None, ::patch, ::patch]
        filled = torch.cat([network.filled(one[None], hidden) for one in images])
        residuals.append((filled - images).abs())
        whole = torch.where((tiles == number)[: SIZE[0], : SIZE[1]], filled, whole)
    return whole, residuals


@pytest.mark.parametrize("at_once", [1, 1 << 13])
def test_all_positions_as_batches_are_the_loop_over_them(
    network: Any, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(ano_swinmae, "TOKENS_AT_ONCE", at_once)
    images = torch.rand(3, 1, *SIZE) + 0.1
    told: list[float] = []
    with torch.no_grad():
        expected, residuals = plain_loop(images, network)
        healed = network.healed(images, told.append)
    assert torch.allclose(healed, expected, atol=1e-5)
    assert told == sorted(told)
    assert told[-1] == 1.0
    assert len(told) == (36 if at_once == 1 else 2)  # 4 x 3 positions, of 256 tokens
    # Paper 4: each residual scaled to 0..1, and all of them added.
    scaled = torch.stack([r / r.amax((1, 2, 3), keepdim=True) for r in residuals]).sum(0)
    residual = (healed - images).abs()[:, 0].numpy()
    tiles = mask_tiles(SIZE, SMALL["mask"], SMALL["patch"])
    combined = combined_map(residual, np.ones(residual.shape, bool), 0, False, tiles)
    assert combined == pytest.approx(scaled[:, 0].numpy(), abs=1e-4)


def test_where_there_is_nothing_but_air_nothing_is_filled_in(network: Any) -> None:
    images = torch.zeros(2, 1, *SIZE)
    images[0, 0, 15, 12] = 1.0
    told: list[float] = []
    with torch.no_grad():
        healed = network.healed(images, told.append)
    tiles = torch.from_numpy(mask_tiles(SIZE, SMALL["mask"], SMALL["patch"]))
    under = tiles == tiles[15, 12]
    assert torch.equal((healed != images)[0, 0], under)
    assert torch.equal(healed[1], images[1])
    with torch.no_grad():
        assert torch.equal(network.healed(images[1:]), images[1:])


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_volume_is_healed_slice_by_slice_and_may_be_stopped(axis: int) -> None:
    network = slice_network("ano-swinmae", SMALL, SIZE, axis)
    slices = np.random.default_rng(3).random((4, *SIZE)).astype(np.float32)
    healer = SlidingMaskHealer({"autoencoder": network}, torch.device("cpu"))
    told: list[float] = []
    [healed] = healer.heal(np.moveaxis(slices, 0, axis), None, REQUEST, told.append).reconstructions
    with torch.no_grad():
        expected = network.healed(torch.from_numpy(slices)[:, None])[:, 0].numpy()
    assert np.moveaxis(healed, axis, 0) == pytest.approx(expected, abs=1e-5)
    assert told[-1] == 1.0

    def stop(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        healer.heal(np.moveaxis(slices, 0, axis), None, REQUEST, stop)


def test_in_training_whole_windows_inside_the_brain_are_hidden(network: Any) -> None:
    """Of 8 x 6 windows of 4 x 4 voxels, 5 x 4 hold brain: 35 % are 7."""
    torch.manual_seed(3)
    images = torch.randn(6, 1, *SIZE) * 0.005
    images[..., 4:24, 4:20] += 0.5
    edge = SMALL["patch"] * SMALL["hidden_patches"]
    hidden = network.voxels(network.some_windows(images))
    windows = torch.zeros(6, 8 * edge, 6 * edge, dtype=torch.bool)
    windows[:, : SIZE[0], : SIZE[1]] = hidden[:, 0]
    parts = windows.unfold(1, edge, edge).unfold(2, edge, edge)
    assert torch.equal(parts[:, :7].any(-1).any(-1), parts[:, :7].all(-1).all(-1))
    chosen = parts.any(-1).any(-1)
    assert chosen.sum((1, 2)).tolist() == [7] * 6
    assert not chosen[:, [0, 6, 7]].any()
    assert not chosen[:, :, [0, 5]].any()
    assert not all(torch.equal(chosen[0], other) for other in chosen[1:])
    assert network.some_windows(torch.zeros(1, 1, *SIZE)).any()


def test_the_error_is_that_of_what_is_hidden() -> None:
    filled, images = torch.zeros(1, 1, 2, 2), torch.tensor([[[[1.0, 3.0], [5.0, 7.0]]]])
    hidden = torch.tensor([[[[True, True], [False, False]]]])
    assert masked_error(filled, images, hidden) == 5.0


def test_every_parameter_learns() -> None:
    other = slice_network("ano-swinmae", SMALL, SIZE).train()
    images = torch.rand(2, 1, *SIZE)
    filled, penalty = other(images)
    ((filled - images).square().mean() + penalty).backward()
    assert [name for name, p in other.named_parameters() if p.grad is None] == []
