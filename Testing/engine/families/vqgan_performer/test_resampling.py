"""Sparse resampling against the naive algorithm."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.families.vqgan_performer import resampling
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.families.vqgan_performer.resampling import (
    HIDDEN_AROUND,
    PASSES,
    UPTAKE_MARGIN,
    draw,
    log_likelihood_beside_hot,
    resample,
    token_log_likelihood,
)
from scipy import ndimage
from small_performer import SMALL, random_tokens, restless


@torch.no_grad()
def naive(
    performer: Performer,
    tokens: torch.Tensor,
    context: torch.Tensor,
    mask: torch.Tensor,
    uniforms: torch.Tensor,
    threshold: float = 0.0,
) -> torch.Tensor:
    """Paper 1, section 3.1, word for word: the whole prefix again for every masked token."""
    rows = []
    for n in range(len(uniforms)):
        healed = tokens.clone()
        for k, position in enumerate(mask.nonzero()[:, 0].tolist()):
            logits = performer(healed, context)[:, position]
            healed[0, position] = draw(logits, uniforms[n : n + 1, k], threshold)[0]
        rows.append(healed[0])
    return torch.stack(rows)


@torch.no_grad()
@pytest.mark.parametrize("threshold", [0.0, 0.05])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.1, 0.5, 1.0])
def test_the_tokens_are_those_of_the_naive_algorithm(share: float, threshold: float) -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    generator = torch.Generator().manual_seed(7)
    mask = torch.rand(SMALL.length, generator=generator) < share
    uniforms = torch.rand((3, int(mask.sum())), generator=generator, dtype=torch.float64)
    healed = resample(performer, tokens, context, None, mask, uniforms, threshold)
    assert torch.equal(healed, naive(performer, tokens, context, mask, uniforms, threshold))


@torch.no_grad()
def test_what_is_drawn_is_not_itself_unlikely() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    mask = torch.arange(SMALL.length) % 3 == 1
    uniforms = torch.rand((6, int(mask.sum())), generator=torch.Generator().manual_seed(0))
    threshold = 0.08
    for healed in resample(performer, tokens, context, None, mask, uniforms, threshold):
        p = torch.softmax(performer(healed[None], context)[0], -1)
        drawn = p.gather(-1, healed[:, None])[mask, 0]
        likeliest = p.amax(-1)[mask]
        assert ((drawn >= threshold - 1e-6) | (drawn >= likeliest - 1e-6)).all()
    unbounded = resample(performer, tokens, context, None, mask, uniforms, 0.0)[0]
    p = torch.softmax(performer(unbounded[None], context)[0], -1)
    assert (p.gather(-1, unbounded[:, None])[mask] < threshold).any()


@torch.no_grad()
def test_long_kept_runs_in_pieces_give_the_same_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    performer = restless(PerformerSizes((5, 8, 8), 16, 8, layers=2, heads=2, width=16, features=8))
    tokens, context = random_tokens(performer.sizes)
    mask = torch.zeros(performer.sizes.length, dtype=torch.bool)
    mask[[3, 4, 230, 231, 300]] = True  # kept runs of several pieces, and of less than one
    uniforms = torch.rand((3, 5), generator=torch.Generator().manual_seed(0))
    monkeypatch.setattr(resampling, "ROWS", 64)
    healed = resample(performer, tokens, context, None, mask, uniforms, 0.0)
    assert torch.equal(healed, naive(performer, tokens, context, mask, uniforms))


@torch.no_grad()
def test_kept_tokens_are_kept_and_samples_differ() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    mask = torch.zeros(SMALL.length, dtype=torch.bool)
    mask[[0, 5, 6, 7, 119]] = True  # the first, a run, the last
    uniforms = torch.rand((8, 5), generator=torch.Generator().manual_seed(0))
    healed = resample(performer, tokens, context, None, mask, uniforms, 0.0)
    assert torch.equal(healed[:, ~mask], tokens[:, ~mask].expand(8, -1))
    assert len({tuple(row.tolist()) for row in healed}) > 1


@torch.no_grad()
def test_samples_do_not_depend_on_how_many_advance_together() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    mask = torch.arange(SMALL.length) % 7 == 3
    uniforms = torch.rand((5, int(mask.sum())), generator=torch.Generator().manual_seed(0))
    together = resample(performer, tokens, context, None, mask, uniforms, 0.0)
    one_by_one = [resample(performer, tokens, context, None, mask, u[None], 0.0) for u in uniforms]
    assert torch.equal(together, torch.cat(one_by_one))


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


LOGITS = st.lists(st.floats(-30, 30), min_size=2, max_size=8)
UNIFORM = st.floats(0, 1, exclude_max=True)


@settings(max_examples=50, deadline=None)
@given(LOGITS, UNIFORM, st.floats(0, 1))
def test_a_draw_is_the_inverse_of_the_cumulative_distribution_of_the_likely_codes(
    logits: list[float], uniform: float, threshold: float
) -> None:
    p = np.exp(np.array(logits, np.float32).astype(np.float64))
    p /= p.sum()
    likely = np.where((p >= threshold) | (p == p.max()), p, 0.0)
    likely /= likely.sum()
    row = torch.tensor([logits], dtype=torch.float32)
    token = draw(row, torch.tensor([uniform]).double(), threshold)
    below = likely[: int(token)].sum()
    assert likely[int(token)] > 0
    assert below <= uniform + 1e-9
    assert uniform < below + likely[int(token)] + 1e-9


@pytest.mark.parametrize(
    ("threshold", "expected"), [(0.0, [0.1, 0.2, 0.3, 0.4]), (0.25, [0, 0, 3 / 7, 4 / 7])]
)
def test_draws_follow_the_distribution(threshold: float, expected: list[float]) -> None:
    logits = torch.log(torch.tensor([0.1, 0.2, 0.3, 0.4])).expand(20_000, 4)
    uniforms = torch.rand(20_000, generator=torch.Generator().manual_seed(0))
    share = torch.bincount(draw(logits, uniforms, threshold), minlength=4) / 20_000
    assert np.allclose(share.numpy(), expected, atol=0.01)
