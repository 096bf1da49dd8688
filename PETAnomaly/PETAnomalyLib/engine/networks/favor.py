"""FAVOR+: softmax attention in linear time by positive orthogonal random features.

Choromanski et al., Rethinking Attention with Performers, arXiv 2009.14794. With

    phi(x) = exp(W x - |x|^2 / 2) / sqrt(m),   W: m rows, blockwise orthogonal, norms of Gaussians,

E[phi(q) . phi(k)] = exp(q . k), so that softmax attention becomes two matrix products whose
cost grows with the length and not with its square (lemma 1, section 2.3, section 3).

No running maximum is subtracted inside the exponential as some implementations do: a maximum
over the keys would let later tokens change earlier outputs, and the recurrent form could not agree
with the parallel one. Queries and keys of bounded norm (see `performer.py`) make it needless.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

CHUNK = 64  # tokens a chunk; the work inside chunks grows with it, that between them shrinks


class AttentionState(NamedTuple):
    """What causal attention remembers of every token seen so far.

    Attributes:
        summed_values: sum over tokens of phi(k) v^T, B x heads x m x head width.
        summed_keys: sum over tokens of phi(k), B x heads x m.
    """

    summed_values: Tensor
    summed_keys: Tensor


def orthogonal_features(features: int, width: int, generator: torch.Generator) -> Tensor:
    """Blockwise orthogonal Gaussian directions W (arXiv 2009.14794, section 2.4): features x width.

    Rows of a block are orthogonal; each row's length is that of an independent Gaussian vector, so
    every row by itself is a standard normal one and the estimate of exp(q . k) stays unbiased.
    """
    blocks = []
    for _ in range(math.ceil(features / width)):
        directions, r = torch.linalg.qr(torch.randn(width, width, generator=generator))
        # LAPACK's signs prefer one half of the space; with R's diagonal positive all directions
        # are equally likely (Mezzadri, arXiv math-ph/0609050).
        directions = directions * r.diagonal().sign()
        lengths = torch.randn(width, width, generator=generator).norm(dim=1)
        blocks.append(directions.T * lengths[:, None])
    return torch.cat(blocks)[:features]


def positive_features(x: Tensor, directions: Tensor) -> Tensor:
    """phi(x), ... x m, for x of shape ... x width, already scaled by width^(-1/4)."""
    # In place: these are the largest arrays of the network, and a third of a step's time. Their
    # gradients need the result alone.
    half_squared = x.square().sum(-1, keepdim=True) / 2
    exponent = x @ directions.T
    return exponent.sub_(half_squared + math.log(directions.shape[0]) / 2).exp_()


def attention(phi_q: Tensor, state: AttentionState) -> Tensor:
    """Attention of queries to all that `state` has seen, B x heads x T x head width."""
    return _normalised(
        phi_q @ state.summed_values, (phi_q @ state.summed_keys.unsqueeze(-1)).squeeze(-1)
    )


def remember(phi_k: Tensor, v: Tensor) -> AttentionState:
    """The state of tokens B x heads x T, all seen at once."""
    return AttentionState(phi_k.transpose(-1, -2) @ v, phi_k.sum(-2))


def causal_attention(
    phi_q: Tensor, phi_k: Tensor, v: Tensor, state: AttentionState | None = None
) -> tuple[Tensor, AttentionState]:
    """Attention of each token to itself and all before it, those in `state` included.

    Works chunk by chunk, all chunks at once: inside a chunk by its lower triangle, across chunks by
    the running sums. One call over the whole sequence is the parallel form; successive calls that
    hand the state on are the recurrent form, of constant size a layer.

    Args:
        phi_q: features of the queries, B x heads x T x m.
        phi_k: features of the keys, B x heads x T x m.
        v: values, B x heads x T x head width.
        state: what was seen before, or None at the beginning.

    Returns:
        The outputs, B x heads x T x head width, and the state after the last token.
    """
    batch, heads, length, m = phi_q.shape
    width = v.shape[-1]
    if state is None:
        state = AttentionState(
            v.new_zeros(batch, heads, m, width), phi_k.new_zeros(batch, heads, m)
        )
    if length <= CHUNK:
        return _within_one_chunk(phi_q, phi_k, v, state)
    chunk = CHUNK
    padding = -length % chunk
    if padding:  # zero features attend to nothing and add nothing
        phi_q, phi_k, v = (
            torch.nn.functional.pad(x, (0, 0, 0, padding)) for x in (phi_q, phi_k, v)
        )
    phi_q, phi_k = (x.view(batch, heads, -1, chunk, m) for x in (phi_q, phi_k))  # B h c C m
    v = v.view(batch, heads, -1, chunk, width)  # B h c C w

    values = phi_k.transpose(-1, -2) @ v  # B h c m w
    keys = phi_k.sum(-2)  # B h c m
    seen_values = torch.cat([state.summed_values.unsqueeze(2), values], 2).cumsum(2)  # B h c+1 m w
    seen_keys = torch.cat([state.summed_keys.unsqueeze(2), keys], 2).cumsum(2)  # B h c+1 m

    within = (phi_q @ phi_k.transpose(-1, -2)).tril()  # B h c C C
    numerator = within @ v + phi_q @ seen_values[:, :, :-1]
    denominator = within.sum(-1) + (phi_q @ seen_keys[:, :, :-1].unsqueeze(-1)).squeeze(-1)
    output = _normalised(numerator, denominator).reshape(batch, heads, length + padding, width)
    return output[:, :, :length], AttentionState(seen_values[:, :, -1], seen_keys[:, :, -1])


def _within_one_chunk(
    phi_q: Tensor, phi_k: Tensor, v: Tensor, state: AttentionState
) -> tuple[Tensor, AttentionState]:
    """`causal_attention` of a run that fits into one chunk: no running sums, the state read twice.

    Resampling spends its steps here, and with many samples a step's time is that of its states.
    """
    within = (phi_q @ phi_k.transpose(-1, -2)).tril()  # B h T T
    numerator = within @ v + phi_q @ state.summed_values
    denominator = within.sum(-1) + (phi_q @ state.summed_keys.unsqueeze(-1)).squeeze(-1)
    values = torch.baddbmm(
        state.summed_values.flatten(0, 1),
        phi_k.flatten(0, 1).transpose(1, 2),
        v.flatten(0, 1),
    )
    after = AttentionState(values.view_as(state.summed_values), state.summed_keys + phi_k.sum(-2))
    return _normalised(numerator, denominator), after


def _normalised(numerator: Tensor, denominator: Tensor) -> Tensor:
    # Padded queries have all-zero features; elsewhere the denominator is a sum of positive numbers.
    return numerator / denominator.clamp_min(1e-12).unsqueeze(-1)
