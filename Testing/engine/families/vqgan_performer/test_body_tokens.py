"""The transformer's sequence is the tokens of the body, and air is left as it is."""

from __future__ import annotations

import numpy as np
import torch
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.families.vqgan_performer.resampling import (
    resample,
    token_log_likelihood,
)
from PETAnomalyLib.engine.families.vqgan_performer.speculation import MaskedGrid
from PETAnomalyLib.engine.families.vqgan_performer.token_grids import BODY_INTENSITY, body_tokens
from small_performer import SMALL, random_tokens, restless
from token_by_token import require_same, token_by_token


def test_a_block_with_uptake_and_its_six_neighbours_are_the_body() -> None:
    pet = np.zeros((20, 20, 20), np.float32)
    pet[8:12, 8:12, 8:12] = 2 * BODY_INTENSITY  # exactly one block of 4 x 4 x 4
    body = body_tokens(pet, (5, 5, 5))
    distance = np.abs(np.indices((5, 5, 5)) - 2).sum(0)
    assert np.array_equal(body, distance <= 1)


def test_single_noisy_voxels_of_air_are_no_body() -> None:
    pet = np.zeros((20, 20, 20), np.float32)
    pet[::4, ::4, ::4] = 1.0
    assert not body_tokens(pet, (5, 5, 5)).any()


def half(sizes: PerformerSizes) -> torch.Tensor:
    return torch.rand(sizes.length, generator=torch.Generator().manual_seed(3)) < 0.5


def without_positions(performer: Performer) -> Performer:
    """Positions are the one thing by which a token outside knows where it is."""
    for table in performer.position:
        table.data.zero_()
    return performer


@torch.no_grad()
def test_the_sequence_is_that_of_the_body_alone() -> None:
    """Where neighbours play no part, leaving air out is the same as never having had it."""
    small = PerformerSizes((1, 1, 12), 16, 0, layers=2, heads=2, width=16, features=8)
    large = PerformerSizes((1, 1, 24), 16, 0, layers=2, heads=2, width=16, features=8)
    short, long = without_positions(restless(small)), without_positions(restless(large))
    long.load_state_dict(short.state_dict() | {"position.2": torch.zeros(24, 16)})
    for performer in (short, long):
        performer.known.weight.data.zero_()
    tokens, _ = random_tokens(small)
    body = torch.zeros(24, dtype=torch.bool)
    body[torch.arange(0, 24, 2)] = True
    spread = torch.full((1, 24), 7)
    spread[:, body] = tokens
    assert torch.allclose(long(spread, None, body), short(tokens), atol=1e-5)


@torch.no_grad()
def test_air_is_certain_and_never_drawn() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    body = half(SMALL)
    log_p = token_log_likelihood(performer, tokens, context, body, threshold=0.05)
    assert (log_p[~body] == 0).all()
    assert (log_p[body] < 0).all()
    uniforms = torch.rand((3, int(body.sum())), generator=torch.Generator().manual_seed(0))
    healed = resample(performer, [MaskedGrid(tokens, context, body, body, uniforms)], 0.0)
    assert torch.equal(healed[:, ~body], tokens[:, ~body].expand(3, -1))


@torch.no_grad()
def test_healing_the_body_is_the_naive_algorithm_on_its_sequence() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    body = half(SMALL)
    generator = torch.Generator().manual_seed(5)
    mask = body & (torch.rand(SMALL.length, generator=generator) < 0.2)
    uniforms = torch.rand((2, int(mask.sum())), generator=generator, dtype=torch.float64)
    grid = MaskedGrid(tokens, context, body, mask, uniforms)
    require_same(resample(performer, [grid], 0.0), token_by_token(performer, grid, 0.0), grid)
