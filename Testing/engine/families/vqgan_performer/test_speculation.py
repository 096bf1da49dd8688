"""Many tokens a pass, and exactly those that one after the other gives."""

from __future__ import annotations

from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.families.vqgan_performer import speculation
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.families.vqgan_performer.speculation import (
    MOST_PLACES,
    MaskedGrid,
    Rows,
    draw,
    window_places,
)
from PETAnomalyLib.engine.families.vqgan_performer.windows import Windows
from small_performer import SMALL, random_tokens, restless
from token_by_token import FLOAT_ERROR, require_same, token_by_token


def masked_grid(
    sizes: PerformerSizes,
    seed: int,
    samples: int,
    share: float,
    with_body: bool,
) -> MaskedGrid:
    tokens, context = random_tokens(sizes, seed)
    generator = torch.Generator().manual_seed(seed)
    body = torch.rand(sizes.length, generator=generator) < 0.6 if with_body else None
    mask = torch.rand(sizes.length, generator=generator) < share
    if body is not None:
        body[seed % sizes.length] = True  # a sequence has a token
        mask &= body
    uniforms = torch.rand((samples, int(mask.sum())), generator=generator, dtype=torch.float64)
    return MaskedGrid(tokens, context if sizes.context_codebook else None, body, mask, uniforms)


@torch.inference_mode()
def all_drawn(
    performer: Performer, grids: list[MaskedGrid], threshold: float, places: int | None
) -> tuple[list[torch.Tensor], Rows]:
    """The samples of each grid, and what drew them."""
    rows = Rows(performer, Windows(performer), grids, threshold, places)
    shares: list[float] = []
    healed = rows.draw_all(shares.append)
    assert shares == sorted(shares)
    assert not shares or shares[-1] == 1.0
    return list(healed.split([len(grid.uniforms) for grid in grids])), rows


networks = st.builds(
    PerformerSizes,
    grid=st.sampled_from([(1, 1, 7), (2, 3, 4), (3, 4, 4), (1, 6, 6)]),
    codebook=st.integers(2, 9),
    context_codebook=st.sampled_from([0, 5]),
    layers=st.integers(1, 3),
    heads=st.sampled_from([1, 2, 4]),
    width=st.sampled_from([8, 16]),
    features=st.sampled_from([3, 8]),
    feedforward=st.integers(1, 2),
)
grids = st.tuples(
    st.integers(0, 999), st.integers(1, 3), st.sampled_from([0.0, 0.1, 0.5, 1.0]), st.booleans()
)


@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(
    networks,
    st.lists(grids, min_size=1, max_size=4),
    st.sampled_from([0.0, 0.05, 0.3]),
    st.sampled_from([1, 2, 3, 8, 50, None]),
)
def test_the_tokens_are_those_of_one_draw_after_the_other(
    sizes: PerformerSizes,
    kinds: list[tuple[int, int, float, bool]],
    threshold: float,
    places: int | None,
) -> None:
    performer = restless(sizes)
    ragged = [masked_grid(sizes, *kind) for kind in kinds]
    found, _ = all_drawn(performer, ragged, threshold, places)
    for healed, grid in zip(found, ragged):
        require_same(healed, token_by_token(performer, grid, threshold), grid)


@settings(max_examples=20, deadline=None)
@given(
    networks,
    st.lists(grids, min_size=1, max_size=4),
    st.sampled_from([0.0, 0.3]),
    st.sampled_from([1, 3, 50]),
)
def test_where_masked_places_are_not_counted_the_tokens_are_the_same(
    sizes: PerformerSizes,
    kinds: list[tuple[int, int, float, bool]],
    threshold: float,
    places: int,
) -> None:
    """As on a graphics card, where counting would make the host wait."""
    performer = restless(sizes)
    ragged = [masked_grid(sizes, *kind) for kind in kinds]
    counted, usual = all_drawn(performer, ragged, threshold, places)
    with mock.patch.object(speculation, "COUNTED_ON", frozenset()):
        found, rows = all_drawn(performer, ragged, threshold, places)
    if all(map(torch.equal, found, counted)):
        assert rows.passes == usual.passes
    for healed, grid in zip(found, ragged):  # but for a draw within float error of a boundary
        require_same(healed, token_by_token(performer, grid, threshold), grid)


def test_draws_that_differ_are_as_rare_as_float_error_has_them() -> None:
    performer = restless(SMALL)
    grid = masked_grid(SMALL, 4, 12, 0.4, False)
    expected = token_by_token(performer, grid, 0.05)
    at_risk = int((expected.to_boundary < FLOAT_ERROR).sum())
    # 16 codes, 1e-4 on either side of each: at most 0.0032 of all draws.
    assert at_risk <= 0.0032 * expected.to_boundary.size
    (found,), _ = all_drawn(performer, [grid], 0.05, 8)
    assert require_same(found, expected, grid) <= at_risk


def test_where_every_guess_is_right_a_window_is_drawn_in_one_pass() -> None:
    """Where one code alone is likely the first guess is it."""
    performer = restless(SMALL)
    grid = masked_grid(SMALL, 0, 3, 1.0, False)
    performer.logits.weight.data.zero_()
    performer.logits.bias.data[5] = 100.0
    (found,), rows = all_drawn(performer, [grid], 0.0, 10)
    assert (found == 5).all()
    assert rows.passes == SMALL.length // 10


def test_no_window_takes_more_passes_than_there_are_masked_tokens_and_kept_runs() -> None:
    performer = restless(SMALL)
    for places in (1, 4, 16, SMALL.length):
        grid = masked_grid(SMALL, 2, 1, 0.3, False)
        _, rows = all_drawn(performer, [grid], 0.0, places)
        masked = grid.mask.nonzero()[:, 0]
        run = int(masked[-1] - masked[0]) + 1
        # A pass goes on to the next wrong guess, which it puts right, or to its window's end.
        assert -(-run // places) <= rows.passes <= len(masked) + run // places + 1


def test_a_callback_that_raises_ends_the_drawing() -> None:
    performer = restless(SMALL)
    grid = masked_grid(SMALL, 1, 2, 0.5, False)
    rows = Rows(performer, Windows(performer), [grid], 0.0, 2)

    def enough(share: float) -> None:
        if share > 0.2:
            raise KeyboardInterrupt

    with torch.inference_mode(), pytest.raises(KeyboardInterrupt):
        rows.draw_all(enough)
    assert 0 < rows.passes < 30


def test_windows_are_longer_where_passes_are_dear_and_rows_few() -> None:
    small = Performer(PerformerSizes((2, 2, 2), 4, 4, 1, 2, 16, 8))
    large = Performer(PerformerSizes((2, 2, 2), 4, 4, 1, 2, 256, 8))
    cpu, cuda = torch.device("cpu"), torch.device("cuda")
    assert window_places(small, 8, cpu) > window_places(large, 8, cpu)
    assert window_places(large, 1, cpu) > window_places(large, 8, cpu)
    assert window_places(large, 8, cuda) > window_places(large, 8, cpu)
    assert 1 <= window_places(large, 10**6, cpu) <= window_places(small, 1, cuda) <= MOST_PLACES


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
    logits = torch.log(torch.tensor([[0.1, 0.2, 0.3, 0.4]]))
    uniforms = torch.rand((1, 20_000), generator=torch.Generator().manual_seed(0))
    drawn = draw(logits, uniforms, threshold)
    share = torch.bincount(drawn[0], minlength=4) / 20_000
    assert np.allclose(share.numpy(), expected, atol=0.01)
    assert torch.equal(drawn[0], draw(logits.expand(20_000, 4), uniforms[0], threshold))
