"""The transformer that gives every token a likelihood (paper 1, section 2.2 and appendix D).

A decoder over the raster sequence s of PET tokens: logits[i] = p(s_i | s_<i, ct). Each layer has
causal FAVOR+ self-attention, then cross-attention to all CT tokens where there is CT, then a
feed-forward part. Positions are absolute, along each axis of the grid, which has three of a volume
and two of a picture; the sequence begins with a begin token.

Four things are ours and not the paper's:

- The sequence can be the tokens of the body alone (body_tokens.py): two thirds of a whole-body
  frame are air, which costs as much as the body and says nothing.

- Beside s_(i-1) the input at i holds the tokens already known among its 26 neighbours, and those
  two steps back along each axis: in raster order the row before is 22 tokens ago and the slice
  before 374, which a small network trained for an hour on two cores does not find by itself. The
  same causal neighbourhood is the first layer of PixelCNN (van den Oord et al., arXiv 1601.06759).
- The CT token at i and its 26 neighbours enter the input at i as well: PET and CT tokens are
  spatially aligned (paper 1, section 3.2), so attention need not learn the alignment.
- Queries and keys are normalised to a learnt length, which keeps the random features bounded.

One set of weights, three forms: `forward` (the whole sequence, for training and likelihoods),
`advance` (a constant-size state a layer, one chunk at a time), and windows.py (one chunk of each of
many samples, each at its own place, for resampling).
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from PETAnomalyLib.engine.families.vqgan_performer.favor import (
    AttentionState,
    attention,
    causal_attention,
    orthogonal_features,
    positive_features,
    remember,
)

Offsets = tuple[tuple[int, ...], ...]
"""Steps along (slices, rows, columns), or (rows, columns)."""


def neighbours(spatial_dims: int) -> Offsets:
    """A token and all that touch it."""
    return tuple(itertools.product((-1, 0, 1), repeat=spatial_dims))


def known_neighbours(spatial_dims: int) -> Offsets:
    """Already known when token i is drawn: steps back in raster order."""
    origin = (0,) * spatial_dims
    two_back = (
        tuple(-2 * (n == axis) for n in range(spatial_dims)) for axis in range(spatial_dims)
    )
    return (*(offset for offset in neighbours(spatial_dims) if offset < origin), *two_back)


@dataclass(frozen=True)
class PerformerSizes:
    """What the network is built from.

    Attributes:
        grid: tokens along (slices, rows, columns), of a picture along (rows, columns); the
            sequence is its raster scan.
        codebook: number of PET codes.
        context_codebook: number of CT codes, 0 without CT.
        layers, heads, width: paper 1 has 14, 8, 256.
        features: random features m a head.
        feedforward: width of the feed-forward part in multiples of `width`.
    """

    grid: tuple[int, ...]
    codebook: int
    context_codebook: int
    layers: int = 14
    heads: int = 8
    width: int = 256
    features: int = 128
    feedforward: int = 4

    @property
    def length(self) -> int:
        """Tokens in the sequence."""
        return math.prod(self.grid)

    @property
    def spatial_dims(self) -> int:
        """3 of volumes, 2 of pictures."""
        return len(self.grid)


class Conditioning(NamedTuple):
    """All that depends on the study's body and CT alone, computed once a study.

    Attributes:
        positions: of the sequence's tokens in the raster scan of the grid, S int64, rising.
        known: positions of each token's known neighbours, S x offsets; -1 outside the grid.
        inputs: what position and CT add to the input, B x S x width.
        context: a state of the CT tokens for each layer, empty without CT.
    """

    positions: Tensor
    known: Tensor
    inputs: Tensor
    context: tuple[AttentionState, ...]


class _Heads(nn.Module):
    """Linear maps to queries, keys or values, split into heads; normalised where asked."""

    def __init__(self, width: int, heads: int, normalised: bool) -> None:
        super().__init__()
        self.heads = heads
        self.linear = nn.Linear(width, width, bias=False)
        self.length = nn.Parameter(torch.ones(heads, 1, 1)) if normalised else None

    def forward(self, x: Tensor) -> Tensor:
        batch, tokens, width = x.shape
        x = self.linear(x).view(batch, tokens, self.heads, -1).transpose(1, 2)  # B h T w
        if self.length is None:
            return x
        # Of length sqrt(w); the paper's q k^T / sqrt(w) is another w^(-1/4) on each side. Of 64
        # tokens `rms_norm` takes 50 us on a CPU, this 16.
        norm = torch.linalg.vector_norm(x, dim=-1, keepdim=True).clamp_min(1e-12)
        return x * (self.length * (width // self.heads) ** 0.25 / norm)


def _full_precision(x: Tensor) -> torch.autocast:
    """Features are exponentials, and are summed over thousands of tokens: too much for bfloat16."""
    return torch.autocast(x.device.type, enabled=False)


class _Attention(nn.Module):
    directions: Tensor

    def __init__(self, sizes: PerformerSizes, dropout: float) -> None:
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.norm = nn.LayerNorm(sizes.width)
        self.query = _Heads(sizes.width, sizes.heads, normalised=True)
        self.key = _Heads(sizes.width, sizes.heads, normalised=True)
        self.value = _Heads(sizes.width, sizes.heads, normalised=False)
        self.output = nn.Linear(sizes.width, sizes.width)
        head_width = sizes.width // sizes.heads
        # In the bundle with the weights: features drawn anew would be another network.
        self.register_buffer("directions", torch.empty(sizes.features, head_width))

    def _phi(self, x: Tensor) -> Tensor:
        return positive_features(x.float(), self.directions)

    def causal(
        self, x: Tensor, state: AttentionState | None, last_only: bool
    ) -> tuple[Tensor, AttentionState]:
        y = self.norm(x)
        k, v = self.key(y), self.value(y)
        last = last_only or x.shape[1] == 1
        if last:
            x, y = x[:, -1:], y[:, -1:]
        q = self.query(y)
        with _full_precision(x):
            phi_q, phi_k, v = self._phi(q), self._phi(k), v.float()
            if last:  # the last token sees all: there is no order to keep
                state = remember(phi_k, v, state)
                attended = attention(phi_q, state)
            else:
                attended, state = causal_attention(phi_q, phi_k, v, state)
        return x + self.dropout(self.output(attended.transpose(1, 2).flatten(2))), state

    def context(self, ct: Tensor) -> AttentionState:
        k, v = self.key(ct), self.value(ct)
        with _full_precision(ct):
            return remember(self._phi(k), v.float())

    def cross(self, x: Tensor, context: AttentionState) -> Tensor:
        q = self.query(self.norm(x))
        with _full_precision(x):
            attended = attention(self._phi(q), context)
        return x + self.dropout(self.output(attended.transpose(1, 2).flatten(2)))


class _Layer(nn.Module):
    """Self-attention, cross-attention where there is CT, feed-forward; each with a residual."""

    def __init__(self, sizes: PerformerSizes, dropout: float) -> None:
        super().__init__()
        self.self_attention = _Attention(sizes, dropout)
        self.cross_attention = _Attention(sizes, dropout) if sizes.context_codebook else None
        self.feedforward = nn.Sequential(
            nn.LayerNorm(sizes.width),
            nn.Linear(sizes.width, sizes.feedforward * sizes.width),
            nn.GELU(),
            nn.Linear(sizes.feedforward * sizes.width, sizes.width),
            nn.Dropout(dropout),
        )

    def remember_context(self, ct: Tensor) -> AttentionState:
        assert self.cross_attention is not None  # only a network with CT has a context
        return self.cross_attention.context(ct)

    def forward(
        self,
        x: Tensor,
        state: AttentionState | None,
        context: AttentionState | None,
        last_only: bool,
    ) -> tuple[Tensor, AttentionState]:
        x, state = self.self_attention.causal(x, state, last_only)
        if self.cross_attention is not None and context is not None:
            x = self.cross_attention.cross(x, context)
        return x + self.feedforward(x), state


class Performer(nn.Module):
    """p(s_i | s_<i, ct) for a raster sequence of tokens.

    Shapes: tokens B x T int64; context B x T int64 (CT tokens on the same grid) or None; body T
    bool, the S tokens of the grid that make up the sequence, or None for all; logits
    B x S x codebook.

    Args:
        sizes: what it is built from.
        seed: of its first weights.
        dropout: share dropped in training of the inputs and of what each attention and
            feed-forward part adds (paper 5: 0.1 in embedding, attention and feed-forward; the
            weights of linear attention are never there to be dropped).
    """

    known_at: Tensor
    ct_near: Tensor

    def __init__(self, sizes: PerformerSizes, seed: int = 0, dropout: float = 0.0) -> None:
        super().__init__()
        self.sizes = sizes
        known, around = known_neighbours(sizes.spatial_dims), neighbours(sizes.spatial_dims)
        begin = sizes.codebook  # also stands for "outside the grid"
        self.begin = begin
        self.known = nn.Embedding(len(known) * (begin + 1), sizes.width)
        self.previous = nn.Embedding(begin + 1, sizes.width)
        self.position = nn.ParameterList(
            nn.Parameter(torch.randn(n, sizes.width) * 0.02) for n in sizes.grid
        )
        if sizes.context_codebook:
            outside = sizes.context_codebook
            self.aligned = nn.Embedding(len(around) * (outside + 1), sizes.width)
            self.context_token = nn.Embedding(outside + 1, sizes.width)
            self.context_norm = nn.LayerNorm(sizes.width)
        self.input_dropout = nn.Dropout(dropout)
        self.layers: Any = nn.ModuleList(_Layer(sizes, dropout) for _ in range(sizes.layers))
        self.norm = nn.LayerNorm(sizes.width)
        self.logits = nn.Linear(sizes.width, sizes.codebook)
        self.register_buffer("known_at", neighbour_positions(sizes.grid, known), False)
        self.register_buffer("ct_near", neighbour_positions(sizes.grid, around), False)
        self._initialise(seed)

    def _initialise(self, seed: int) -> None:
        generator = torch.Generator().manual_seed(seed)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                # Residual branches start small: the sum over layers keeps the scale of its input.
                depth = (2 * self.sizes.layers) ** 0.5
                is_output = name.endswith(("output.weight", "feedforward.3.weight"))
                scale = 0.02 / depth if is_output else 0.02
                parameter.data = torch.randn(parameter.shape, generator=generator) * scale
        for module in self.modules():
            if isinstance(module, _Attention):
                m, width = module.directions.shape
                module.directions.copy_(orthogonal_features(m, width, generator))

    def condition(
        self, context: Tensor | None, batch: int = 1, body: Tensor | None = None
    ) -> Conditioning:
        """What position and CT contribute, once a study."""
        inputs, *further = self.position
        for along in further:
            inputs = inputs[..., None, :] + along  # d h w width
        if body is None:
            body = torch.ones(self.sizes.length, dtype=torch.bool, device=inputs.device)
        at = body.nonzero()[:, 0]  # S
        known = self.known_at[at]  # S offsets
        inputs = inputs.flatten(0, -2)[at].expand(batch, -1, -1)  # B S width
        if context is None:
            return Conditioning(at, known, inputs, ())
        ct = self.context_norm(self.context_token(context[:, at]) + inputs)
        states = tuple(layer.remember_context(ct) for layer in self.layers)
        outside = self.sizes.context_codebook
        near = _gather(context, self.ct_near[at], outside)  # B S 27
        return Conditioning(at, known, inputs + _embedded(self.aligned, near, outside), states)

    def forward(
        self, tokens: Tensor, context: Tensor | None = None, body: Tensor | None = None
    ) -> Tensor:
        """Parallel form: logits of the whole sequence, B x S x codebook."""
        conditioning = self.condition(context, tokens.shape[0], body)
        return self.advance(tokens, conditioning, None, 0, len(conditioning.positions))[0]

    def advance(
        self,
        tokens: Tensor,
        conditioning: Conditioning,
        states: tuple[AttentionState, ...] | None,
        start: int,
        stop: int,
        last_only: bool = False,
    ) -> tuple[Tensor, tuple[AttentionState, ...]]:
        """Recurrent form: the sequence from start to stop-1, given the states after start-1.

        Args:
            tokens: B x T; of the sequence, only what lies before stop - 1 is looked at.
            conditioning: from `condition`.
            states: one a layer, None at the beginning.
            start: the chunk's first place in the sequence, 0..S-1.
            stop: one past its last place.
            last_only: logits of place stop - 1 alone.

        Returns:
            Logits, B x (stop - start or 1) x codebook, and the states after place stop - 1.
        """
        x = self.input_dropout(self._inputs(tokens, conditioning, start, stop))
        after = []
        for i, layer in enumerate(self.layers):
            context = conditioning.context[i] if conditioning.context else None
            # Of the last layer's output nothing but these logits is made.
            only = last_only and i == len(self.layers) - 1
            x, state = layer(x, states[i] if states else None, context, only)
            after.append(state)
        return self.logits(self.norm(x)), tuple(after)

    def _inputs(self, tokens: Tensor, conditioning: Conditioning, start: int, stop: int) -> Tensor:
        at = conditioning.positions
        known = _gather(tokens, conditioning.known[start:stop], self.begin)  # B t offsets
        if start == 0:  # the first token follows the begin token
            previous = functional.pad(tokens[:, at[: stop - 1]], (1, 0), value=self.begin)
        else:
            previous = tokens[:, at[start - 1 : stop - 1]]
        return (
            conditioning.inputs[:, start:stop]
            + self.previous(previous)
            + _embedded(self.known, known, self.begin)
        )


def neighbour_positions(grid: tuple[int, ...], offsets: Offsets) -> Tensor:
    """Raster position of each neighbour of each token, T x offsets; -1 outside the grid."""
    at = torch.stack(
        torch.meshgrid(*(torch.arange(n) for n in grid), indexing="ij"), dim=-1
    ).reshape(-1, 1, len(grid))
    at = at + torch.tensor(offsets)  # T o 3
    inside = ((at >= 0) & (at < torch.tensor(grid))).all(-1)
    position = at[..., 0]
    for axis, size in enumerate(grid[1:], start=1):
        position = position * size + at[..., axis]
    return torch.where(inside, position, -1)


def _gather(tokens: Tensor, positions: Tensor, outside: int) -> Tensor:
    gathered = tokens[:, positions.clamp_min(0)]  # B t o
    return gathered.masked_fill(positions < 0, outside)


def _embedded(embedding: nn.Embedding, tokens: Tensor, outside: int) -> Tensor:
    """Sum over the offsets of each offset's own embedding of its token, B x t x width."""
    batch, length, offsets = tokens.shape
    rows = tokens + torch.arange(offsets, device=tokens.device) * (outside + 1)
    summed = functional.embedding_bag(rows.view(-1, offsets), embedding.weight, mode="sum")
    return summed.view(batch, length, -1)
