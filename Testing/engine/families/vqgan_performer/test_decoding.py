"""Tiled decoding with shared work against decoding every reconstruction by itself, in one piece."""

from __future__ import annotations

import itertools
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.families.vqgan_performer import decoding, tiling
from PETAnomalyLib.engine.families.vqgan_performer.decoding import DecodedLatents
from PETAnomalyLib.engine.families.vqgan_performer.dropout import DROPOUT, drop, dropout_key
from PETAnomalyLib.engine.families.vqgan_performer.overlap import TAPS, overlap_add, tap_weights
from PETAnomalyLib.engine.families.vqgan_performer.token_grids import UNMOVED, Shift
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN, VQGANSizes

TINY = VQGANSizes(channels=(3, 5), codebook=16, code_length=4, residual_blocks=1)
GRID = (9, 6, 7)


def make_vqgan() -> VQGAN:
    torch.manual_seed(0)
    vqgan = VQGAN(TINY).eval()
    with torch.no_grad():
        for parameter in vqgan.parameters():  # as strong as after training: margins must matter
            parameter.mul_(1.5)
    return vqgan


@torch.no_grad()
def one_by_one(vqgan: VQGAN, latents: torch.Tensor, decodes: int, seed: int) -> torch.Tensor:
    """Paper 1, section 3.3, word for word: each latent through the whole decoder, K times."""
    images = []
    for sample, decode in itertools.product(range(len(latents)), range(decodes)):
        hidden = vqgan.hidden(latents[sample : sample + 1])
        voxels = hidden[0].flatten(1).T  # V C, in raster order
        positions = torch.arange(len(voxels), dtype=torch.int32)
        kept = drop(voxels, positions, dropout_key(seed, sample, decode)) / (1 - DROPOUT)
        images.append(vqgan.image(kept.T.reshape(hidden.shape))[0, 0])
    return torch.stack(images)


def random_latents(samples: int, share: float, seed: int) -> torch.Tensor:
    """Latents that differ in a share of their tokens."""
    generator = torch.Generator().manual_seed(seed)
    first = torch.randint(16, (1, *GRID), generator=generator)
    other = torch.randint(16, (samples, *GRID), generator=generator)
    return torch.where(torch.rand(GRID, generator=generator) < share, other, first)


@settings(max_examples=12, deadline=None)
@given(
    cuts=st.tuples(*[st.sampled_from([1, 2, 3, 4, 6])] * 3),
    share=st.sampled_from([0.0, 0.004, 0.02, 1.0]),
    seed=st.integers(0, 1000),
)
def test_tiles_are_parts_of_the_untiled_reconstructions(
    cuts: tuple[int, int, int], share: float, seed: int
) -> None:
    vqgan, latents = make_vqgan(), random_latents(3, share, seed)
    expected = one_by_one(vqgan, latents, decodes=2, seed=seed).numpy()
    decoded = DecodedLatents(vqgan, latents, 2, seed)
    spans = [tiling._cut(decoding._layers(vqgan).strides, n, c) for n, c in zip(GRID, cuts)]
    decoded._plan = [
        tiling.Tile(tuple(tuple(map(tuple, box)) for box in np.stack(part, 1).tolist()))
        for part in itertools.product(*spans)
    ]
    assert len(decoded._plan) == np.prod(cuts)
    assert np.allclose(decoded.array(), expected, atol=1e-5)
    assert expected.std() > 0.05


@pytest.mark.parametrize("memory", [1e9, 2e5])
def test_the_memory_allowed_does_not_change_the_result(memory: float) -> None:
    vqgan, latents = make_vqgan(), random_latents(4, 0.02, 1)
    expected = one_by_one(vqgan, latents, decodes=2, seed=3).numpy()
    decoded = DecodedLatents(vqgan, latents, 2, 3, memory)
    assert (decoded.count, decoded.shape) == (8, expected.shape[1:])
    covered = np.zeros(decoded.shape, int)
    for voxels, values in decoded.tiles():
        covered[voxels] += 1
        assert np.allclose(values.numpy(), expected[(slice(None), *voxels)], atol=1e-5)
    assert (covered == 1).all()


def test_tiles_hold_less_the_less_memory_is_allowed() -> None:
    vqgan, latents = make_vqgan(), random_latents(4, 1.0, 1)
    sizes = [
        max(values.numel() for _, values in DecodedLatents(vqgan, latents, 2, 0, memory).tiles())
        for memory in (1e9, 3e5, 1e5)
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 4 * sizes[-1]


def test_out_of_memory_leads_to_smaller_pieces_and_in_the_end_to_nothing() -> None:
    decoded: DecodedLatents | None = DecodedLatents(make_vqgan(), random_latents(2, 0.1, 0), 1, 0)
    assert decoded is not None
    expected, steps = decoded.array(), 0
    while decoded is not None:
        last, decoded, steps = decoded, decoded.smaller(), steps + 1
    assert np.allclose(last.array(), expected, atol=1e-5)
    assert 1 < steps < 20


def test_layers_before_the_dropout_run_once_for_what_all_samples_share() -> None:
    vqgan, grid = make_vqgan(), (24, 3, 3)
    latents = torch.zeros((6, *grid), dtype=torch.int64)
    latents[:, 0, 0, 0] = torch.arange(6)  # a single token differs
    decoded = DecodedLatents(vqgan, latents, 2, 0)
    hidden = decoded._hidden
    with mock.patch.object(decoded, "_hidden", side_effect=hidden) as counted:
        tiles = list(decoded.tiles())
    shapes = [call.args[0].shape for call in counted.call_args_list]
    assert len(tiles) > 1  # worth cutting
    assert len(shapes) < 6 * len(tiles)
    assert sum(shape.numel() for shape in shapes) < 6 * np.prod(grid)


@pytest.mark.parametrize("memory", [1e9, 2e5])
def test_latents_of_moved_grids_are_decoded_as_by_themselves_and_moved_back(memory: float) -> None:
    vqgan, latents = make_vqgan(), random_latents(4, 1.0, 1)
    latents[1] = latents[0]
    latents[1, 2, 2, 3] = (latents[1, 2, 2, 3] + 1) % 16  # two of one grid, one token apart
    shifts: list[Shift] = [(0, 2, 2), (0, 2, 2), UNMOVED, (2, 0, 2)]
    decoded = DecodedLatents(vqgan, latents, 2, 3, memory, shifts)
    assert (len(list(decoded.tiles())) > 1) == (memory < 1e6)
    together = decoded.array()
    on_one_grid = one_by_one(vqgan, latents, decodes=2, seed=3).numpy()
    for n, shift in enumerate(shifts):
        alone = on_one_grid[2 * n : 2 * n + 2]
        for axis, steps in enumerate(shift):
            at = (np.arange(alone.shape[axis + 1]) - steps).clip(0)
            alone = alone.take(at, axis + 1)
        assert np.allclose(together[2 * n : 2 * n + 2], alone, atol=1e-5)
    assert together.std() > 0.05


def test_what_a_token_reaches_is_what_the_tiles_say() -> None:
    """Brute force: which tokens change an image voxel, against the spans of its tile."""
    vqgan, (latent,) = make_vqgan(), random_latents(1, 0.0, 0)
    strides = decoding._layers(vqgan).strides
    with torch.no_grad():
        plain = vqgan.image(vqgan.hidden(latent[None]))[0, 0]
        for z in range(GRID[0]):
            changed = latent.clone()
            changed[z] = (changed[z] + 7) % 16
            image = vqgan.image(vqgan.hidden(changed[None]))[0, 0]
            reached = (image - plain).abs().amax((1, 2)) > 0
            for start in range(GRID[0]):
                own = slice(start * TINY.stride, (start + 1) * TINY.stride)
                size = GRID[0] * TINY.stride
                low, high = tiling.spans(strides, size, own.start, own.stop)[0]
                assert reached[own].any().item() <= (low <= z < high)


@settings(max_examples=30, deadline=None)
@given(st.tuples(*[st.integers(1, 4)] * 3), st.integers(1, 5), st.integers(0, 99))
def test_the_last_layer_is_the_transposed_convolution(
    size: tuple[int, int, int], channels: int, seed: int
) -> None:
    torch.manual_seed(seed)
    layer = torch.nn.ConvTranspose3d(channels, 1, 4, stride=2, padding=1, bias=False)
    hidden = torch.randn(1, channels, *size)
    with torch.no_grad():
        taps = tap_weights(layer.weight) @ hidden[0].flatten(1)
        found = overlap_add(taps.view(TAPS, *size))
        assert torch.allclose(found, layer(hidden)[0, 0], atol=1e-5)


def masks(channels: int, count: int, seed: int = 0) -> torch.Tensor:
    """count x voxels x channels: where values are kept."""
    ones, positions = torch.ones(4000, channels), torch.arange(4000, dtype=torch.int32)
    return torch.stack([drop(ones, positions, dropout_key(seed, 0, k)) for k in range(count)])


@pytest.mark.parametrize("channels", [1, 4, 7])
def test_the_papers_share_is_dropped_everywhere_alike(channels: int) -> None:
    dropped = 1 - masks(channels, 100)
    assert DROPOUT == 0.05
    for axis in ((1, 2), (0, 2), (0, 1)):  # by mask, by voxel, by channel
        share = dropped.mean(axis)
        error = (0.05 * 0.95 * share.numel() / dropped.numel()) ** 0.5
        assert (share - 0.05).abs().max() < 5.5 * error


def test_whether_one_value_is_dropped_says_nothing_of_another() -> None:
    dropped = (1 - masks(6, 100)).double() - 0.05
    pairs = {
        "next voxel": (dropped[:, :-1], dropped[:, 1:]),
        "next row": (dropped[:, :-44], dropped[:, 44:]),
        "next channel": (dropped[..., :-1], dropped[..., 1:]),
        "the other half of the same number": (dropped[..., :3], dropped[..., 3:]),
        "next decode": (dropped[:-1], dropped[1:]),
    }
    for name, (one, other) in pairs.items():
        correlation = (one * other).mean() / (0.05 * 0.95)
        assert abs(correlation.item()) < 5 / one.numel() ** 0.5, name


def test_masks_differ_by_seed_sample_and_decode() -> None:
    keys = ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    assert len({dropout_key(*key) for key in keys}) == 4


def test_a_part_of_a_mask_is_that_of_the_whole() -> None:
    values, positions = torch.ones(500, 8), torch.arange(500, dtype=torch.int32)
    key = dropout_key(3, 1, 2)
    some = torch.tensor([3, 99, 100, 499])
    assert torch.equal(drop(values, positions, key)[some], drop(values[some], positions[some], key))
