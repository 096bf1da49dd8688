"""FAVOR+ attention against plain softmax attention and against itself."""

from __future__ import annotations

import math

import pytest
import torch
from PETAnomalyLib.engine.families.vqgan_performer.favor import (
    CHUNK,
    attention,
    causal_attention,
    orthogonal_features,
    positive_features,
    remember,
)


def random_qkv(length: int, width: int = 8, heads: int = 2) -> tuple[torch.Tensor, ...]:
    generator = torch.Generator().manual_seed(length)
    return tuple(
        torch.randn(1, heads, length, width, generator=generator).double() * 0.5 for _ in range(3)
    )


def directions(features: int, width: int, seed: int = 0) -> torch.Tensor:
    return orthogonal_features(features, width, torch.Generator().manual_seed(seed)).double()


def test_rows_of_a_block_are_orthogonal() -> None:
    w = directions(16, 16)
    gram = w @ w.T
    assert torch.allclose(gram, torch.diag(gram.diagonal()), atol=1e-4)


def test_squared_row_lengths_average_to_the_width_as_those_of_gaussian_vectors_do() -> None:
    w = directions(8192, 16)
    mean = w.square().sum(1).mean().item()
    # chi-squared with 16 degrees of freedom: mean 16, standard error sqrt(32 / 8192) = 0.06
    assert abs(mean - 16) < 0.3


def test_the_estimate_of_exp_q_k_is_unbiased() -> None:
    # Short vectors: the estimate's spread grows like exp(|q + k|^2).
    q, k = (0.4 * x for x in random_qkv(6)[:2])
    estimates = [
        positive_features(q, directions(64, 8, seed))
        @ positive_features(k, directions(64, 8, seed)).transpose(-1, -2)
        for seed in range(300)
    ]
    exact = torch.exp(q @ k.transpose(-1, -2))
    error = (torch.stack(estimates).mean(0) / exact - 1).abs().max().item()
    assert error < 0.05


def test_with_many_features_it_becomes_softmax_attention() -> None:
    q, k, v = random_qkv(40)
    q, k = 0.4 * q, 0.4 * k
    w = directions(20_000, 8)
    estimated = attention(positive_features(q, w), remember(positive_features(k, w), v))
    exact = torch.softmax(q @ k.transpose(-1, -2), -1) @ v
    told_apart = (exact - v.mean(2, keepdim=True)).abs().max().item()
    assert (estimated - exact).abs().max().item() < 0.2 * told_apart


@pytest.mark.parametrize("length", [1, 2, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 17])
def test_causal_attention_equals_the_masked_quadratic_form(length: int) -> None:
    q, k, v = random_qkv(length)
    w = directions(12, 8)
    phi_q, phi_k = positive_features(q, w), positive_features(k, w)
    weights = (phi_q @ phi_k.transpose(-1, -2)).tril()
    expected = weights @ v / weights.sum(-1, keepdim=True)
    assert torch.allclose(causal_attention(phi_q, phi_k, v)[0], expected, atol=1e-10)


def test_chunk_after_chunk_equals_all_at_once() -> None:
    q, k, v = random_qkv(500)
    w = directions(12, 8)
    phi_q, phi_k = positive_features(q, w), positive_features(k, w)
    at_once, last = causal_attention(phi_q, phi_k, v)
    pieces, state = [], None
    for start, stop in ((0, 1), (1, 2), (2, 140), (140, 499), (499, 500)):
        part, state = causal_attention(
            phi_q[:, :, start:stop], phi_k[:, :, start:stop], v[:, :, start:stop], state
        )
        pieces.append(part)
    assert torch.allclose(torch.cat(pieces, 2), at_once, atol=1e-10)
    assert state is not None
    assert torch.allclose(state.summed_values, last.summed_values, atol=1e-9)


def test_the_state_does_not_grow_with_the_sequence() -> None:
    w = directions(12, 8)
    sizes = set()
    for length in (3, 300):
        q, k, v = random_qkv(length)
        _, state = causal_attention(positive_features(q, w), positive_features(k, w), v)
        sizes.add((state.summed_values.numel(), state.summed_keys.numel()))
    assert len(sizes) == 1


def test_features_stay_finite_at_the_norms_that_the_network_can_reach() -> None:
    width = 32
    w = directions(64, width).float()
    x = torch.nn.functional.normalize(w, dim=-1) * math.sqrt(width) * width**-0.25
    assert torch.isfinite(positive_features(x, w)).all()
