"""Drawing many tokens at once, and exactly those that one after the other would give.

The uniform numbers are drawn beforehand, so that a sample's tokens are the fixed point of drawing
each from its likelihoods given all before it. With a guess of the next ones in their places, one
pass gives the likelihoods at all of them, and each is drawn again. All up to and with the first
that differs from its guess had the right tokens before them: they are what token by token gives.
Those beyond are the next guess. (Song et al., arXiv 2002.03629; Santilli et al., arXiv 2305.10427.)

The first guess is drawn from the likelihoods with every masked token hidden. Measured on the demo
study: two thirds of these are right, and a window with 8 masked tokens brings 5 of them home, one
with 32 ten.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer
from PETAnomalyLib.engine.families.vqgan_performer.windows import Windows, joined, remember_first

# Multiply-adds that a device makes in the time that a pass takes for each layer however small it
# is: some 40 operations, 10 us each. Measured on a CPU's core; for a GPU an estimate.
MULTIPLICATIONS_WAITED = {"cpu": 1.6e7}
MULTIPLICATIONS_WAITED_ELSEWHERE = 6e9

# Beyond, the products within a window cost as much as all else.
MOST_PLACES = 256

# Where masked places are counted before they are drawn. Elsewhere the host would wait for the
# device within each pass, and that costs more than drawing at every place of a window.
COUNTED_ON = frozenset({"cpu"})


class MaskedGrid(NamedTuple):
    """A study on one token grid, and what is to be drawn anew.

    Attributes:
        tokens: 1 x T, the encoded study.
        context: CT tokens, 1 x T, or None.
        body: T booleans, the S tokens of the sequence, or None for all.
        mask: T booleans, the tokens to draw; inside the body.
        uniforms: samples x masked, numbers in [0, 1): sample n's k-th draw is the inverse of the
            cumulative distribution at uniforms[n, k].
    """

    tokens: Tensor
    context: Tensor | None
    body: Tensor | None
    mask: Tensor
    uniforms: Tensor


def draw(logits: Tensor, uniforms: Tensor, threshold: float) -> Tensor:
    """Tokens from softmax(logits), N x codebook, by the inverse cumulative distribution.

    Paper 1, section 3.3: a multinomial draw from the transformer's likelihoods; here from those of
    them that are not under the threshold, or, where all are, the largest.

    Args:
        logits: N x codebook.
        uniforms: N, or N x draws from the same likelihoods.
        threshold: 0..1.

    Returns:
        Tokens, as many as uniforms.
    """
    p = torch.softmax(logits.double(), -1)
    least = p.amax(-1, keepdim=True).clamp_max(threshold)
    cumulative = p.masked_fill(p < least, 0.0).cumsum(-1)
    total = cumulative[:, -1:].contiguous()
    # Under the total, however the product was rounded: never past the last code that may be drawn.
    columns = uniforms.double() if uniforms.dim() == 2 else uniforms.double()[:, None]
    at = torch.minimum(columns * total, torch.nextafter(total, 0 * total))
    return torch.searchsorted(cumulative, at.contiguous(), right=True).view(uniforms.shape)


def window_places(performer: Performer, rows: int, device: torch.device) -> int:
    """How many places of each row a pass computes.

    Long windows are fewer passes, and more places that are computed in vain. Measured on the
    shipped model with eight rows, scattered masks and dense ones: 24 to 48 places are equally good.
    """
    waited = MULTIPLICATIONS_WAITED.get(device.type, MULTIPLICATIONS_WAITED_ELSEWHERE)
    weights = sum(parameter.numel() for parameter in performer.layers[0].parameters())
    return max(1, min(MOST_PLACES, round(10 * (waited / weights / rows) ** 0.5)))


class _Sequence:
    """One grid's sequence, and where its samples begin.

    Attributes:
        inputs: what position and CT add to the input, S x width.
        seen: position of the token before and of the known neighbours, S x (1 + offsets); T, where
            a row has the begin token, outside the grid.
        positions: S, in the grid.
        order: S, how many masked tokens come before; masked: S booleans.
        first: the first masked place, or `stop`.
        stop: one past the last masked place.
        rows: samples x (T + 1), the first guess, and the begin token after it.
        states, contexts: one a layer, heads x m x (head width + 1).
    """

    def __init__(self, performer: Performer, grid: MaskedGrid, threshold: float) -> None:
        conditioning = performer.condition(grid.context, body=grid.body)
        at = self.positions = conditioning.positions
        length = grid.tokens.shape[1]
        before = functional.pad(at[:-1], (1, 0), value=length)
        known = conditioning.known.masked_fill(conditioning.known < 0, length)
        self.seen = torch.cat([before[:, None], known], 1)
        self.inputs = conditioning.inputs[0]
        self.masked = grid.mask[at]
        self.order = self.masked.cumsum(0) - self.masked.long()
        self.contexts = [joined(state) for state in conditioning.context]

        places = self.masked.nonzero()[:, 0]
        self.first, self.stop = (
            (int(places[0]), int(places[-1]) + 1) if len(places) else (len(at), len(at))
        )
        tokens = grid.tokens.repeat(len(grid.uniforms), 1)
        sizes = performer.sizes
        states = None
        hidden = grid.tokens.masked_fill(grid.mask, performer.begin)
        if len(places) and self.first:
            states = performer.advance(hidden, conditioning, None, 0, self.first)[1]
        if states is None:
            width = sizes.width // sizes.heads + 1
            self.states = [self.inputs.new_zeros(sizes.heads, sizes.features, width)] * sizes.layers
        else:
            self.states = [joined(state) for state in states]
        if len(places):
            logits = performer.advance(hidden, conditioning, states, self.first, self.stop)[0]
            guess = draw(logits[0, places - self.first], grid.uniforms.T, threshold)
            tokens[:, at[places]] = guess.T
        self.rows = functional.pad(tokens, (0, 1), value=performer.begin)


class Rows:
    """All samples of some grids, advancing together, each as far as its own guesses were right.

    Attributes:
        passes: how many were made.
    """

    def __init__(
        self,
        performer: Performer,
        windows: Windows,
        grids: Sequence[MaskedGrid],
        threshold: float,
        places: int | None = None,
    ) -> None:
        """Make the first guesses.

        Args:
            performer, windows: the transformer, and the same as windows.
            grids: what to draw.
            threshold: t, 0..1; 0 draws from all codes.
            places: of a window; None for what the device and the network suggest.
        """
        self._performer, self._windows = performer, windows
        self._threshold, self._places = threshold, places
        self.passes = 0
        sequences = [_Sequence(performer, grid, threshold) for grid in grids]
        # All sequences one after the other; a place is one of these.
        self._inputs = torch.cat([one.inputs for one in sequences])
        self._seen = torch.cat([one.seen for one in sequences])
        self._positions = torch.cat([one.positions for one in sequences])
        self._masked = torch.cat([one.masked for one in sequences])
        self._order = torch.cat([one.order for one in sequences])
        self._table = torch.cat([performer.previous.weight, performer.known.weight])
        device = self._inputs.device
        codes = performer.begin + 1
        self._offsets = codes * torch.arange(self._seen.shape[1], device=device)

        lengths = [len(one.positions) for one in sequences]
        begins = itertools.accumulate(lengths[:-1], initial=0)
        first, stop = torch.tensor(
            [(begin + one.first, begin + one.stop) for begin, one in zip(begins, sequences)]
        ).T.to(device)
        samples = torch.tensor([len(grid.uniforms) for grid in grids])
        of_row = torch.arange(len(grids)).repeat_interleave(samples).to(device)
        most = max(grid.uniforms.shape[1] for grid in grids)
        # Of each row: where it is in `healed`, its place, one past its last, its numbers.
        self._healed = torch.cat([one.rows for one in sequences])
        self._row = torch.arange(len(of_row), device=device)
        self._place, self._stop = first[of_row], stop[of_row]
        self._uniforms = torch.cat(
            [functional.pad(grid.uniforms, (0, most - grid.uniforms.shape[1])) for grid in grids]
        )
        self._states, self._contexts = (
            [torch.stack(of_layer)[of_row].transpose(0, 1).contiguous() for of_layer in zip(*parts)]
            for parts in ([s.states for s in sequences], [s.contexts for s in sequences])
        )

    def draw_all(self, on_share: Callable[[float], None]) -> Tensor:
        """Draw every masked token of every row.

        Args:
            on_share: told the share done after each pass, 0..1; may raise to stop.

        Returns:
            Rows x T healed tokens, grid after grid.
        """
        left = (self._stop - self._place).tolist()
        whole = max(1, sum(left))
        while sum(left):
            if not all(left):
                self._keep([row for row, places in enumerate(left) if places])
            self._advance()
            left = (self._stop - self._place).tolist()
            on_share(1 - sum(left) / whole)
        return self._healed[:, :-1]

    def _keep(self, rows: list[int]) -> None:
        """Leave out the rows that have reached their end."""
        unfinished = torch.tensor(rows, device=self._row.device)
        self._row, self._place, self._stop, self._uniforms = (
            part[unfinished] for part in (self._row, self._place, self._stop, self._uniforms)
        )
        self._states, self._contexts = (
            [state.index_select(1, unfinished) for state in states]
            for states in (self._states, self._contexts)
        )

    def _advance(self) -> None:
        """One pass: draw the window's masked tokens, and go as far as its guesses were right."""
        device = self._place.device
        places = self._places or window_places(self._performer, len(self._row), device)
        ahead = self._place[:, None] + torch.arange(places, device=device)  # rows places
        at = torch.minimum(ahead, self._stop[:, None] - 1)  # past the end, what nobody looks at
        x, keys = self._windows(self._embedded(at), self._states, self._contexts)

        masked = self._masked[at] & (ahead < self._stop[:, None])
        row, place = _places(masked)
        wanted, drawn_at = masked[row, place], at[row, place]
        drawn = draw(
            self._performer.logits(self._performer.norm(x[row, place])),
            self._uniforms[row, self._order[drawn_at].clamp_max(self._uniforms.shape[1] - 1)],
            self._threshold,
        ).where(wanted, self._performer.begin)
        # What was drawn in vain goes where the begin token is, and is that.
        end = self._healed.shape[1] - 1
        token = (self._row[row], self._positions[drawn_at].where(wanted, end))
        differs = torch.zeros_like(at, dtype=torch.bool)
        differs[row, place] = self._healed[token] != drawn
        self._healed[token] = drawn

        right = torch.where(differs.any(1), differs.int().argmax(1) + 1, places)
        for state, of_layer in zip(self._states, keys):
            remember_first(state, of_layer, right)
        self._place = torch.minimum(self._place + right, self._stop)
        self.passes += 1

    def _embedded(self, at: Tensor) -> Tensor:
        """The inputs at these places of each row, rows x places x width."""
        begin = self._row * self._healed.shape[1]
        seen = self._healed.view(-1)[self._seen[at] + begin[:, None, None]]  # rows places 1+offsets
        embedded = functional.embedding_bag(
            (seen + self._offsets).flatten(0, 1), self._table, mode="sum"
        )
        return self._inputs[at] + embedded.view(*at.shape, -1)


def _places(masked: Tensor) -> tuple[Tensor, Tensor]:
    """Row and place of what a pass draws, of rows x places booleans: at least the masked."""
    if masked.device.type in COUNTED_ON:
        row, place = masked.nonzero(as_tuple=True)
        return row, place
    rows, places = masked.shape
    at = torch.arange(rows * places, device=masked.device)
    return at // places, at % places
