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
    """Attention of queries to all that `state` has seen, B x heads x T x head width.

    A state of one study serves a batch of any size.
    """
    batch, heads, length, m = phi_q.shape
    values, keys = state.summed_values, state.summed_keys
    if len(values) < batch:  # a broadcast product would first copy the state for every sample
        together = attention(phi_q.transpose(0, 1).reshape(1, heads, -1, m), state)
        return together.view(heads, batch, length, -1).transpose(0, 1)
    q = phi_q.flatten(0, 1)
    attended = _normalised(
        torch.bmm(q, values.flatten(0, 1)), torch.bmm(q, keys.flatten(0, 1).unsqueeze(-1))
    )
    return attended.view(batch, heads, length, -1)


def remember(phi_k: Tensor, v: Tensor, state: AttentionState | None = None) -> AttentionState:
    """The state after tokens B x heads x T, all seen at once, and those in `state`."""
    k_transposed, v_flat = phi_k.flatten(0, 1).transpose(1, 2), v.flatten(0, 1)
    keys = phi_k.sum(-2)
    if state is None:
        values = torch.bmm(k_transposed, v_flat)
        return AttentionState(values.unflatten(0, phi_k.shape[:2]), keys)
    values = torch.baddbmm(state.summed_values.flatten(0, 1), k_transposed, v_flat)
    return AttentionState(values.view_as(state.summed_values), state.summed_keys + keys)


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
    denominator = within.sum(-1, keepdim=True) + phi_q @ seen_keys[:, :, :-1].unsqueeze(-1)
    output = _normalised(numerator, denominator).reshape(batch, heads, length + padding, width)
    return output[:, :, :length], AttentionState(seen_values[:, :, -1], seen_keys[:, :, -1])


def _within_one_chunk(
    phi_q: Tensor, phi_k: Tensor, v: Tensor, state: AttentionState
) -> tuple[Tensor, AttentionState]:
    """`causal_attention` of a run that fits into one chunk: no running sums, the state read twice.

    From token to token, with many samples, a step's time is that of its states.
    """
    # Of three dimensions: for four, `@` spends more on arranging them than on these products.
    q, k, values = (x.flatten(0, 1) for x in (phi_q, phi_k, v))  # B*h T ...
    within = torch.bmm(q, k.transpose(1, 2)).tril_()  # B*h T T
    numerator = torch.baddbmm(torch.bmm(q, state.summed_values.flatten(0, 1)), within, values)
    seen_keys = state.summed_keys.flatten(0, 1).unsqueeze(-1)  # B*h m 1
    denominator = torch.baddbmm(within.sum(-1, keepdim=True), q, seen_keys)
    return _normalised(numerator, denominator).view_as(v), remember(phi_k, v, state)


def _normalised(numerator: Tensor, denominator: Tensor) -> Tensor:
    # Padded queries have all-zero features; elsewhere the denominator is a sum of positive numbers.
    return numerator / denominator.clamp_min(1e-12)
