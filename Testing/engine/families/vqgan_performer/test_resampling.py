"""Likelihoods, the mask, and resampling, against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer
from PETAnomalyLib.engine.families.vqgan_performer.resampling import (
    HIDDEN_AROUND,
    PASSES,
    UPTAKE_MARGIN,
    in_parts,
    log_likelihood_beside_hot,
    resample,
    token_log_likelihood,
)
from PETAnomalyLib.engine.families.vqgan_performer.speculation import MaskedGrid
from scipy import ndimage
from small_performer import SMALL, random_tokens, restless
from token_by_token import require_same, token_by_token


@torch.no_grad()
@pytest.mark.parametrize("threshold", [0.0, 0.05])
@pytest.mark.parametrize(
    "share", [0.0, 0.02, 0.1, *(pytest.param(s, marks=pytest.mark.slow) for s in (0.5, 1.0))]
)
def test_the_tokens_are_those_of_the_naive_algorithm(share: float, threshold: float) -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    generator = torch.Generator().manual_seed(7)
    mask = torch.rand(SMALL.length, generator=generator) < share
    uniforms = torch.rand((3, int(mask.sum())), generator=generator, dtype=torch.float64)
    grid = MaskedGrid(tokens, context, None, mask, uniforms)
    healed = resample(performer, [grid], threshold)
    require_same(healed, token_by_token(performer, grid, threshold), grid)


@torch.no_grad()
def test_what_is_drawn_is_not_itself_unlikely() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    mask = torch.arange(SMALL.length) % 3 == 1
    uniforms = torch.rand((6, int(mask.sum())), generator=torch.Generator().manual_seed(0))
    grid = MaskedGrid(tokens, context, None, mask, uniforms)
    threshold = 0.08
    for healed in resample(performer, [grid], threshold):
        p = torch.softmax(performer(healed[None], context)[0], -1)
        drawn = p.gather(-1, healed[:, None])[mask, 0]
        likeliest = p.amax(-1)[mask]
        assert ((drawn >= threshold - 1e-6) | (drawn >= likeliest - 1e-6)).all()
    unbounded = resample(performer, [grid], 0.0)[0]
    p = torch.softmax(performer(unbounded[None], context)[0], -1)
    assert (p.gather(-1, unbounded[:, None])[mask] < threshold).any()


@torch.no_grad()
def test_kept_tokens_are_kept_and_samples_differ() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    mask = torch.zeros(SMALL.length, dtype=torch.bool)
    mask[[0, 5, 6, 7, 119]] = True  # the first, a run, the last
    uniforms = torch.rand((8, 5), generator=torch.Generator().manual_seed(0))
    healed = resample(performer, [MaskedGrid(tokens, context, None, mask, uniforms)], 0.0)
    assert torch.equal(healed[:, ~mask], tokens[:, ~mask].expand(8, -1))
    assert len({tuple(row.tolist()) for row in healed}) > 1


@torch.no_grad()
@pytest.mark.parametrize("threads", [1, 3])
def test_samples_do_not_depend_on_how_many_advance_together(threads: int) -> None:
    performer = restless(SMALL)
    grids = []
    for seed, samples in ((0, 5), (1, 4), (2, 3)):
        tokens, context = random_tokens(SMALL, seed)
        mask = torch.arange(SMALL.length) % 7 == 3 + seed
        generator = torch.Generator().manual_seed(seed)
        uniforms = torch.rand((samples, int(mask.sum())), generator=generator)
        grids.append(MaskedGrid(tokens, context, None, mask, uniforms))
    before = torch.get_num_threads()
    torch.set_num_threads(threads)  # and with them how many groups of samples there are
    try:
        together = resample(performer, grids, 0.0)
    finally:
        torch.set_num_threads(before)
    one_by_one = [resample(performer, part, 0.0) for part in in_parts(grids, 12)]
    assert torch.equal(together, torch.cat(one_by_one))


@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.integers(1, 12))
def test_parts_have_every_sample_once_in_its_order_and_its_grid(
    samples: list[int], parts: int
) -> None:
    nothing = torch.zeros(0)
    grids = [
        MaskedGrid(torch.tensor([n]), None, None, nothing, n + torch.arange(count)[:, None] / 100)
        for n, count in enumerate(samples)
    ]
    found = in_parts(grids, min(parts, sum(samples)))
    assert torch.equal(
        torch.cat([grid.uniforms for part in found for grid in part]),
        torch.cat([grid.uniforms for grid in grids]),
    )
    assert all((grid.uniforms // 1 == grid.tokens).all() for part in found for grid in part)
    sizes = [sum(len(grid.uniforms) for grid in part) for part in found]
    assert max(sizes) - min(sizes) <= 1
    assert len(found) == min(parts, sum(samples))


@torch.no_grad()
def test_the_likelihood_is_that_of_the_parallel_form() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    p = torch.softmax(performer(tokens, context)[0], -1)
    expected = [p[i, token].log().item() for i, token in enumerate(tokens[0].tolist())]
    found = token_log_likelihood(performer, tokens, context, None, threshold=1e-30)
    assert np.allclose(found.numpy(), expected, atol=1e-5)


@torch.no_grad()
def distributions(
    performer: Performer, tokens: torch.Tensor, context: torch.Tensor, threshold: float
) -> tuple[np.ndarray, list[float]]:
    """The distribution of every token in every pass, passes x T x codebook, and the lowest p."""
    lowest = [1.0] * len(tokens[0])
    passes = []
    for _ in range(PASSES):
        unlikely = np.reshape([p < threshold for p in lowest], performer.sizes.grid)
        steps = ndimage.distance_transform_cdt(~unlikely, metric="taxicab")
        hidden = (steps <= HIDDEN_AROUND) & unlikely.any()
        seen = tokens.masked_fill(torch.from_numpy(hidden.ravel()), performer.begin)
        p_now = torch.softmax(performer(seen, context)[0].double(), -1)
        passes.append(p_now.numpy())
        lowest = [min(p, float(p_now[i, tokens[0, i]])) for i, p in enumerate(lowest)]
    return np.stack(passes), lowest


@torch.no_grad()
@pytest.mark.parametrize("threshold", [0.02, 0.05, 0.2])
def test_what_a_pass_finds_unlikely_the_next_sees_neither_there_nor_around(
    threshold: float,
) -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    _, lowest = distributions(performer, tokens, context, threshold)
    found = token_log_likelihood(performer, tokens, context, None, threshold)
    assert np.allclose(found.exp().numpy(), lowest, atol=1e-5)
    once = token_log_likelihood(performer, tokens, context, None, threshold=1e-30)
    assert (found <= once + 1e-6).all()
    assert (found < once - 1e-3).any()  # hiding did change something


@torch.no_grad()
@pytest.mark.parametrize("threshold", [0.05, 0.2])
def test_the_tokens_beside_a_hot_one_are_drawn_with_it(threshold: float) -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    uptake = torch.rand(SMALL.codebook, generator=torch.Generator().manual_seed(3))
    passes, lowest = distributions(performer, tokens, context, threshold)
    expected = list(lowest)
    hot = 0
    places = list(np.ndindex(*SMALL.grid))
    for i, place in enumerate(places):
        least = float(uptake[tokens[0, i]]) - UPTAKE_MARGIN
        as_bright = [c for c in range(SMALL.codebook) if float(uptake[c]) >= least]
        if least > 0 and min(p[i, as_bright].sum() for p in passes) < threshold:
            hot += 1
            for j, other in enumerate(places):
                if sum(abs(a - b) for a, b in zip(place, other)) == 1:
                    expected[j] = min(expected[j], lowest[i])
    assert 0 < hot < np.count_nonzero(np.array(lowest) < threshold)  # some are not hot
    found = log_likelihood_beside_hot(performer, tokens, context, None, threshold, uptake)
    assert np.allclose(found.exp().numpy(), expected, atol=1e-5)


@torch.no_grad()
def test_nothing_is_too_bright_without_uptake_and_air_is_not_drawn_beside_what_is() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    dark = torch.full((SMALL.codebook,), UPTAKE_MARGIN)
    own = token_log_likelihood(performer, tokens, context, None, 0.2)
    assert torch.equal(log_likelihood_beside_hot(performer, tokens, context, None, 0.2, dark), own)
    body = torch.arange(SMALL.length) % 2 == 0
    bright = torch.linspace(0.1, 0.9, SMALL.codebook)
    found = log_likelihood_beside_hot(performer, tokens, context, body, 0.2, bright)
    assert (found[~body] == 0).all()
