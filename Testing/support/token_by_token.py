"""Drawing anew word for word (paper 1, section 3.1): the whole prefix again for every token."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer
from PETAnomalyLib.engine.families.vqgan_performer.speculation import MaskedGrid

# Of the cumulative distribution; the two forms' logits agree to about 1e-5.
FLOAT_ERROR = 1e-4


class Drawn(NamedTuple):
    """What one draw after the other gives.

    Attributes:
        tokens: samples x T.
        to_boundary: samples x masked, how far each draw was from the boundary between two codes.
    """

    tokens: torch.Tensor
    to_boundary: np.ndarray


def _inverse_cumulative(
    logits: torch.Tensor, uniform: float, threshold: float
) -> tuple[int, float]:
    p = np.exp(logits.double().numpy() - float(logits.max()))
    p /= p.sum()
    p[p < min(threshold, p.max())] = 0
    cumulative = np.cumsum(p) / p.sum()
    code = int(np.flatnonzero((cumulative > uniform) & (p > 0))[0])
    return code, float(np.abs(np.append(cumulative, 0.0) - uniform).min())


@torch.no_grad()
def token_by_token(performer: Performer, grid: MaskedGrid, threshold: float) -> Drawn:
    """Every sample of a grid by itself, by the transformer's parallel form."""
    body = torch.ones_like(grid.mask) if grid.body is None else grid.body
    positions = body.nonzero()[:, 0].tolist()
    rows: list[torch.Tensor] = []
    distances: list[list[float]] = []
    for uniforms in grid.uniforms.tolist():
        healed, left = grid.tokens.clone(), list(uniforms)
        distances.append([])
        for place, position in enumerate(positions):
            if grid.mask[position]:
                logits = performer(healed, grid.context, body)[0, place]
                code, distance = _inverse_cumulative(logits, left.pop(0), threshold)
                healed[0, position] = code
                distances[-1].append(distance)
        rows.append(healed[0])
    return Drawn(torch.stack(rows), np.array(distances))


def require_same(found: torch.Tensor, expected: Drawn, grid: MaskedGrid) -> int:
    """The same tokens in every sample, but from a draw within float error of a boundary on.

    Returns:
        In how many samples there was such a draw and it differed.
    """
    masked = grid.mask.nonzero()[:, 0]
    at_boundaries = 0
    for row, right, distance in zip(found, expected.tokens, expected.to_boundary):
        assert torch.equal(row[~grid.mask], right[~grid.mask])
        differing = (row[masked] != right[masked]).nonzero()[:, 0]
        if len(differing):
            assert distance[int(differing[0])] < FLOAT_ERROR
            at_boundaries += 1
    return at_boundaries
