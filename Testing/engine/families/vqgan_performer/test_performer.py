"""The transformer: causality, its two forms, and what it sees."""

from __future__ import annotations

import itertools

import pytest
import torch
from PETAnomalyLib.engine.families.vqgan_performer.performer import (
    Performer,
    PerformerSizes,
    known_neighbours,
    neighbour_positions,
)
from small_performer import SMALL, random_tokens, restless


@torch.no_grad()
def in_pieces(
    performer: Performer, tokens: torch.Tensor, context: torch.Tensor, cuts: list[int]
) -> torch.Tensor:
    conditioning, states, logits = performer.condition(context), None, []
    for start, stop in itertools.pairwise(cuts):
        part, states = performer.advance(tokens, conditioning, states, start, stop)
        logits.append(part)
    return torch.cat(logits, 1)


@torch.no_grad()
def test_a_later_token_never_changes_an_earlier_logit() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    before = performer(tokens, context)
    for position in (0, 1, 37, 60, 118):
        changed = tokens.clone()
        changed[0, position:] = (changed[0, position:] + 1) % SMALL.codebook
        after = performer(changed, context)
        assert torch.equal(after[:, : position + 1], before[:, : position + 1])
        assert not torch.equal(after[:, position + 1], before[:, position + 1])


@torch.no_grad()
def test_every_ct_token_reaches_every_logit() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    before = performer(tokens, context)
    changed = context.clone()
    changed[0, -1] = (changed[0, -1] + 1) % SMALL.context_codebook  # the last, far from the first
    assert not torch.equal(performer(tokens, changed)[0, 0], before[0, 0])


@torch.no_grad()
def test_recurrent_and_parallel_form_agree() -> None:
    performer = restless(SMALL)
    tokens, context = random_tokens(SMALL)
    pieces = in_pieces(performer, tokens, context, [0, 1, 2, 9, 50, 51, 120])
    assert torch.allclose(pieces, performer(tokens, context), atol=1e-5)


@pytest.mark.slow
@torch.no_grad()
def test_the_two_forms_agree_at_the_papers_sizes() -> None:
    sizes = PerformerSizes((26, 21, 27), 64, 256)  # 14,742 tokens, 14 layers x 8 heads x 256
    assert (sizes.length, sizes.layers, sizes.heads, sizes.width) == (14_742, 14, 8, 256)
    performer = Performer(sizes).eval()
    # Weights as large as after training; the small ones of the start would agree too easily.
    for layer in performer.layers:
        layer.self_attention.output.weight.mul_(10)
        layer.cross_attention.output.weight.mul_(10)
    tokens, context = random_tokens(sizes)
    parallel = performer(tokens, context)
    cuts = [0, 1, 2, 3, 100, 228, 5000, 5001, 5002, 14_000, 14_741, 14_742]
    assert (in_pieces(performer, tokens, context, cuts) - parallel).abs().max().item() < 1e-4
    assert parallel.std().item() > 0.1


def test_known_neighbours_come_before_the_token_in_raster_order() -> None:
    grid = (4, 5, 6)
    known = neighbour_positions(grid, known_neighbours(3))
    for i, (z, y, x) in enumerate(itertools.product(*(range(n) for n in grid))):
        for position, (dz, dy, dx) in zip(known[i].tolist(), known_neighbours(3)):
            at = (z + dz, y + dy, x + dx)
            inside = all(0 <= a < n for a, n in zip(at, grid))
            expected = (at[0] * grid[1] + at[1]) * grid[2] + at[2] if inside else -1
            assert position == expected < i


def test_all_13_of_the_26_neighbours_that_are_known_are_used() -> None:
    around = {d for d in itertools.product((-1, 0, 1), repeat=3) if d < (0, 0, 0)}
    assert around <= set(known_neighbours(3))
    assert len(around) == 13


def test_the_seed_fixes_the_random_features() -> None:
    one, same, other = Performer(SMALL, 1), Performer(SMALL, 1), Performer(SMALL, 2)
    name = "layers.0.self_attention.directions"
    assert torch.equal(one.state_dict()[name], same.state_dict()[name])
    assert not torch.equal(one.state_dict()[name], other.state_dict()[name])


def test_a_few_steps_of_training_learn_a_repeating_sequence() -> None:
    sizes = PerformerSizes((2, 4, 8), 4, 0, layers=1, heads=2, width=16, features=8)
    performer = Performer(sizes)
    tokens = (torch.arange(sizes.length) % 4)[None]
    optimizer = torch.optim.Adam(performer.parameters(), 0.01)
    for _ in range(60):
        loss = torch.nn.functional.cross_entropy(performer(tokens)[0], tokens[0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.1  # a guess has ln 4 = 1.386 nats


@pytest.mark.parametrize("context_codebook", [0, 8])
def test_no_part_of_the_network_is_left_without_a_gradient(context_codebook: int) -> None:
    sizes = PerformerSizes((4, 5, 6), 16, context_codebook, layers=2, heads=2, width=16, features=8)
    performer = Performer(sizes)
    tokens, context = random_tokens(sizes)
    performer(tokens, context if context_codebook else None).square().sum().backward()
    silent = [name for name, p in performer.named_parameters() if p.grad is None]
    assert silent == []
