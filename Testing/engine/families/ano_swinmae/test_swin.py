"""Attention stays in its window, and moves by half a window in every second block."""

from __future__ import annotations

import pytest
import torch
from PETAnomalyLib.engine.families.ano_swinmae.swin import (
    PatchExpanding,
    SwinLevel,
    sine_cosine_places,
)

GRID, WINDOW, WIDTH = (12, 8), 4, 6


@pytest.fixture(scope="module")
def level() -> SwinLevel:
    torch.manual_seed(1)
    return SwinLevel(GRID, WIDTH, 2, 2, WINDOW).eval()


def reached(block: int, row: int, column: int, level: SwinLevel) -> torch.Tensor:
    """Which tokens a block gives otherwise, where one token is another one: h x w booleans."""
    tokens = torch.randn(1, *GRID, WIDTH)
    changed = tokens.clone()
    changed[0, row, column] += torch.randn(WIDTH)
    with torch.no_grad():
        found, other = (level.blocks[block](x, level.edges) for x in (tokens, changed))
    return (found != other).any(-1)[0]


@pytest.mark.parametrize("row", range(GRID[0]))
@pytest.mark.parametrize("column", [0, 3, 5])
def test_a_block_does_not_see_over_the_edge_of_its_window(
    row: int, column: int, level: SwinLevel
) -> None:
    """Where tokens of both sides of the grid share a shifted window, they are kept apart."""
    rows, columns = torch.arange(GRID[0]), torch.arange(GRID[1])
    for block, shift in ((0, 0), (1, WINDOW // 2)):
        same_rows = (rows + shift) // WINDOW == (row + shift) // WINDOW
        same_columns = (columns + shift) // WINDOW == (column + shift) // WINDOW
        expected = same_rows[:, None] & same_columns
        assert torch.equal(reached(block, row, column, level), expected)


def test_of_one_window_none_is_shifted() -> None:
    whole = SwinLevel((4, 4), WIDTH, 2, 2, 4).eval()
    tokens = torch.randn(1, 4, 4, WIDTH)
    changed = tokens.clone()
    changed[0, 0, 0] += torch.randn(WIDTH)
    with torch.no_grad():
        found, other = (whole.blocks[1](x, whole.edges) for x in (tokens, changed))
    assert (found != other).any(-1).all()


def test_the_first_block_where_tokens_have_changed_is_the_first_block(level: SwinLevel) -> None:
    tokens = torch.randn(3, *GRID, WIDTH)
    hidden = torch.zeros(3, *GRID, dtype=torch.bool)
    hidden[0, 3:6, 2:5] = True
    hidden[2, 11, 7] = True
    changed = torch.where(hidden[..., None], torch.randn(WIDTH), tokens)
    with torch.no_grad():
        known = level.first_block(tokens)
        found = level.first_block_where(changed, hidden, known)
        assert torch.allclose(found, level.first_block(changed), atol=1e-6)
        assert torch.equal(found[1], known[1])


def test_one_token_becomes_four_beside_each_other() -> None:
    expanding = PatchExpanding(8)
    tokens = torch.randn(2, 3, 5, 8)
    changed = tokens.clone()
    changed[0, 1, 2] += 1.0
    with torch.no_grad():
        found, other = expanding(tokens), expanding(changed)
    assert found.shape == (2, 6, 10, 4)
    assert torch.nonzero((found != other).any(-1)).tolist() == [
        [0, 2, 4], [0, 2, 5], [0, 3, 4], [0, 3, 5],
    ]  # fmt: skip


def test_no_two_places_are_alike() -> None:
    places = sine_cosine_places((56, 56), 96).flatten(0, 1)
    assert places.shape == (56 * 56, 96)
    distance = torch.cdist(places, places) + 1e3 * torch.eye(len(places))
    assert distance.min() > 0.5
    assert sine_cosine_places((2, 2), 6).shape == (2, 2, 6)
