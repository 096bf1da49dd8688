"""A pass over a window of many rows: the transformer's third form, for resampling.

A row is one sample of one token grid, at its own place in its own sequence; a window is as many
places of each from there on. The equations and weights are those of `performer.py`, arranged for
few and large operations:

- One projection gives queries, keys and values.
- Values have one more column, of ones: what attention sums of it is its own denominator.
- The learnt length of a query or key is |x|, so that |x|^2 / 2 is one number a head.
- How far each row's window counts is known only after the last layer: the pass gives the keys and
  values of every layer, and `remember_first` adds those that count to the states.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from PETAnomalyLib.engine.families.vqgan_performer.favor import AttentionState
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer


class Keys(NamedTuple):
    """What one layer's attention would remember of a window.

    Attributes:
        phi: features of the keys, heads x rows x places x m.
        values: with a column of ones, heads x rows x places x (head width + 1).
    """

    phi: Tensor
    values: Tensor


def joined(state: AttentionState) -> Tensor:
    """A state of one study as the windows have it: heads x m x (head width + 1)."""
    return torch.cat([state.summed_values[0], state.summed_keys[0, ..., None]], -1)


def remember_first(state: Tensor, keys: Keys, count: Tensor) -> None:
    """Add the first tokens of each row's window to its state, in place.

    Args:
        state: heads x rows x m x (head width + 1).
        keys: of the window; its features are overwritten.
        count: how many tokens of each row.
    """
    places = torch.arange(keys.phi.shape[2], device=count.device)
    phi = keys.phi.mul_((places < count[:, None])[..., None])
    state.view(-1, *state.shape[2:]).baddbmm_(
        phi.flatten(0, 1).transpose(1, 2), keys.values.flatten(0, 1)
    )


class Windows:
    """A transformer's layers, arranged for windows."""

    def __init__(self, performer: Performer) -> None:
        self._layers = [_Layer(layer) for layer in performer.layers]

    def __call__(
        self, x: Tensor, states: list[Tensor], contexts: list[Tensor]
    ) -> tuple[Tensor, list[Keys]]:
        """One pass.

        Args:
            x: the inputs, rows x places x width.
            states: one a layer, of what each row has seen before its window; see `joined`.
            contexts: one a layer, of each row's CT tokens; empty without CT.

        Returns:
            The last layer's output, rows x places x width, and the keys of each layer.
        """
        rows, places, _ = x.shape
        x = x.flatten(0, 1)
        keys = []
        for n, layer in enumerate(self._layers):
            x, of_layer = layer(x, states[n], contexts[n] if contexts else None, places)
            keys.append(of_layer)
        return x.unflatten(0, (rows, places)), keys


class _Features:
    """phi of the heads that lie side by side in a projection's columns."""

    def __init__(self, lengths: Tensor, directions: Tensor) -> None:
        m, width = directions.shape
        heads = len(lengths)
        self._heads, self._width = heads, width
        self._lengths = lengths * width**0.25
        self._head_of_column = torch.eye(heads, device=lengths.device).repeat_interleave(width, 0)
        self._directions = directions.T.contiguous()
        self._offsets = (self._lengths.square() + math.log(m)).view(heads, 1, 1) / 2

    def __call__(self, columns: Tensor) -> Tensor:
        """heads x tokens x m from tokens x (heads * head width)."""
        # A reduction over 32 columns takes four times as long as this product does.
        norms = (columns.square() @ self._head_of_column).sqrt_().clamp_min_(1e-12)
        scales = self._lengths / norms  # tokens heads
        x = columns.new_empty(self._heads, len(columns), self._width)
        torch.mul(
            columns.unflatten(1, (self._heads, self._width)).transpose(0, 1),
            scales.T[..., None],
            out=x,
        )
        exponents = (x.flatten(0, 1) @ self._directions).unflatten(0, (self._heads, -1))
        return exponents.sub_(self._offsets).exp_()


def _attended(sums: Tensor, rows_and_places: int) -> Tensor:
    """tokens x width from heads * rows x places x (head width + 1), the denominators last."""
    attended = sums[..., :-1] / sums[..., -1:].clamp_min(1e-12)
    return attended.reshape(-1, rows_and_places, attended.shape[-1]).transpose(0, 1).flatten(1)


class _SelfAttention:
    def __init__(self, attention: Any) -> None:
        query, key, value = attention.query, attention.key, attention.value
        heads, width = query.heads, query.linear.weight.shape[0]
        values = value.linear.weight.view(heads, -1, width)
        ones = values.new_zeros(heads, values.shape[1] + 1)
        ones[:, -1] = 1
        self._heads, self._width = heads, width
        self._norm, self._output = attention.norm, attention.output
        self._weight = torch.cat(
            [
                query.linear.weight,
                key.linear.weight,
                functional.pad(values, (0, 0, 0, 1)).flatten(0, 1),
            ]
        )
        self._bias = torch.cat([values.new_zeros(2 * width), ones.flatten()])
        self._features = _Features(
            torch.cat([query.length, key.length]).flatten(), attention.directions
        )

    def __call__(self, x: Tensor, state: Tensor, places: int) -> tuple[Tensor, Keys]:
        heads = self._heads
        y = functional.linear(self._norm(x), self._weight, self._bias)
        phi = self._features(y[:, : 2 * self._width])
        phi_q, phi_k = phi.view(2, -1, places, phi.shape[-1])  # heads * rows, places, m
        values = y[:, 2 * self._width :].unflatten(1, (heads, -1)).transpose(0, 1)
        values = values.reshape(len(phi_k), places, -1)  # heads * rows, places, head width + 1
        within = torch.bmm(phi_q, phi_k.transpose(1, 2)).tril_()
        sums = torch.bmm(phi_q, state.flatten(0, 1)).baddbmm_(within, values)
        keys = Keys(*(part.unflatten(0, (heads, -1)) for part in (phi_k, values)))
        return x + self._output(_attended(sums, len(x))), keys


class _CrossAttention:
    def __init__(self, attention: Any) -> None:
        self._norm, self._output = attention.norm, attention.output
        self._query = attention.query.linear
        self._features = _Features(attention.query.length.flatten(), attention.directions)

    def __call__(self, x: Tensor, context: Tensor, places: int) -> Tensor:
        phi = self._features(self._query(self._norm(x)))
        sums = torch.bmm(phi.view(-1, places, phi.shape[-1]), context.flatten(0, 1))
        return x + self._output(_attended(sums, len(x)))


class _Layer:
    def __init__(self, layer: Any) -> None:
        self._self = _SelfAttention(layer.self_attention)
        cross = layer.cross_attention
        self._cross = None if cross is None else _CrossAttention(cross)
        self._feedforward = layer.feedforward

    def __call__(
        self, x: Tensor, state: Tensor, context: Tensor | None, places: int
    ) -> tuple[Tensor, Keys]:
        x, keys = self._self(x, state, places)
        if self._cross is not None and context is not None:
            x = self._cross(x, context, places)
        return x + self._feedforward(x), keys
