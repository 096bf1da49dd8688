"""Tokens -> likelihoods -> resampling mask -> N healed latents (paper 1, section 3.1).

All samples of all token grids advance together, many masked tokens a pass (speculation.py), and on
a CPU in as many groups as there are cores to do them side by side.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial

import torch
from scipy import ndimage
from torch import Tensor

from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer
from PETAnomalyLib.engine.families.vqgan_performer.side_by_side import side_by_side, workers
from PETAnomalyLib.engine.families.vqgan_performer.speculation import MaskedGrid, Rows
from PETAnomalyLib.engine.families.vqgan_performer.windows import Windows

# With fewer, a pass is mostly waiting for its operations to begin.
ROWS_A_WORKER = 4

# Measured on validation phantoms: one pass at t = 0.02 reaches 33 % of the lesions' voxels, two
# 58 %, three 69 %, while the tokens drawn anew go from 394 to 491 to 520.
PASSES = 3

# Steps from token to token. Measured on four validation phantoms with large lesions, area under the
# precision-recall curve of KDE and Z-score at t = 0.02: what lies one step off hidden too, 0.628
# and 0.627, two steps 0.679 and 0.671; at t = 0.01 0.638 and 0.589, and 0.653 and 0.622.
HIDDEN_AROUND = 2

# In the model's intensity unit: about a fifth of the uptake. Measured on 18 validation phantoms,
# PET/CT, share of the lesions' tokens among the 2,160 least likely to be as bright: 0.60 without,
# 0.68 at 0.05, 0.65 at 0.08, 0.62 at 0.12.
UPTAKE_MARGIN = 0.05


def resampling_mask(log_likelihood: Tensor, threshold: float) -> Tensor:
    """The tokens to draw anew, p(s_i) < t: T booleans from T values in nats (paper 1, eq. 4)."""
    return log_likelihood < math.log(threshold)


def token_log_likelihood(
    performer: Performer,
    tokens: Tensor,
    context: Tensor | None,
    body: Tensor | None,
    threshold: float,
) -> Tensor:
    """log p(s_i | s_<i, ct) of every token of one study, unlikely tokens out of sight.

    A lesion that spans several tokens makes its own continuation likely, and colours the codes
    around it. What one pass finds under the threshold t is hidden from the next together with the
    tokens around it, and a token's lowest likelihood counts.

    Args:
        performer: the transformer.
        tokens: 1 x T.
        context: CT tokens, 1 x T, or None.
        body: T booleans, the S tokens to judge, or None for all.
        threshold: t, 0..1.

    Returns:
        T values in nats; 0, which is certain, outside the body.
    """
    return _lowest(performer, tokens, context, body, threshold, None)[0]


def log_likelihood_beside_hot(
    performer: Performer,
    tokens: Tensor,
    context: Tensor | None,
    body: Tensor | None,
    threshold: float,
    uptake: Tensor,
) -> Tensor:
    """`token_log_likelihood`, lowered to that of a hot token in the six tokens beside it.

    A lesion's edge lies in the tokens around it: kept, they excuse it when it is drawn anew. Where
    all that is about as bright as a token is unlikely in its place, those beside it go with it:

        P(B(S_i) >= B(s_i) - margin | s_<i, ct) < t, B(c) the uptake that code c stands for.

    Of many codes that are alike each is unlikely; their sum is not. Measured on 18 validation
    phantoms (PET/CT, four token grids): the 2,160 tokens of least p(s_i) hold 37 % of the lesions'
    tokens, those of least P(...) 68 %.

    Args:
        performer, tokens, context, body, threshold: as for `token_log_likelihood`.
        uptake: B, the model's PET intensity of each code, codebook values (`VQGAN.code_uptake`).

    Returns:
        T values in nats; 0 outside the body.
    """
    lowest, as_bright = _lowest(performer, tokens, context, body, threshold, uptake)
    grid = performer.sizes.grid
    hot = torch.where(resampling_mask(as_bright, threshold), lowest, 0.0).view(grid)
    beside = ndimage.minimum_filter(
        hot.cpu().numpy(),
        footprint=ndimage.generate_binary_structure(len(grid), 1),
        mode="constant",
    )
    beside = torch.from_numpy(beside).flatten().to(lowest.device)
    return torch.minimum(lowest, beside if body is None else beside * body)


def _lowest(
    performer: Performer,
    tokens: Tensor,
    context: Tensor | None,
    body: Tensor | None,
    threshold: float,
    uptake: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """The lowest over the passes of each token's log p and of log P(as bright): T nats each."""
    own = torch.zeros_like(tokens[0], dtype=torch.float32)
    as_bright = torch.zeros_like(own)
    if body is None:
        body = torch.ones_like(tokens[0], dtype=torch.bool)
    conditioning = performer.condition(context, body=body)
    stop = len(conditioning.positions)
    for _ in range(PASSES):
        near = ndimage.binary_dilation(
            resampling_mask(own, threshold).view(performer.sizes.grid).cpu().numpy(),
            iterations=HIDDEN_AROUND,
        )
        hidden = torch.from_numpy(near).flatten().to(tokens.device)
        seen = tokens.masked_fill(hidden, performer.begin)
        logits = performer.advance(seen, conditioning, None, 0, stop)[0]
        log_p = torch.log_softmax(logits[0], -1)  # S codebook
        of_token = log_p.gather(-1, tokens[0, body, None])[:, 0]  # S
        own[body] = torch.minimum(own[body], of_token)
        if uptake is not None:
            of_uptake = _log_p_as_bright(log_p, uptake, uptake[tokens[0, body]])
            as_bright[body] = torch.minimum(as_bright[body], of_uptake)
    return own, as_bright


def _log_p_as_bright(log_p: Tensor, uptake: Tensor, of_token: Tensor) -> Tensor:
    """log P(B(S_i) >= B(s_i) - margin): S values in nats from S x codebook, B and B(s_i)."""
    least = of_token - UPTAKE_MARGIN
    as_bright = log_p.masked_fill(uptake < least[:, None], -math.inf).logsumexp(-1)
    # Nothing is darker than air: where there is no uptake nothing is too bright.
    return as_bright.where(least > 0, 0.0)


def resample(
    performer: Performer,
    grids: Sequence[MaskedGrid],
    threshold: float,
    on_progress: Callable[[float], None] = lambda _: None,
) -> Tensor:
    """Draw the masked tokens from the transformer, each given the already healed prefix.

    What is drawn must not itself be unlikely: a token with p < t in its place would be masked.
    Measured on nine validation phantoms (PET alone, t = 0.01, N = 8), area under the
    precision-recall curve of KDE and Z-score: all codes 0.445 and 0.453, likely ones 0.506 and
    0.500.

    Args:
        performer: the transformer.
        grids: the study on its token grids, and the numbers that its samples are drawn with.
        threshold: t, 0..1; 0 draws from all codes.
        on_progress: told the share done, 0..1; may raise to stop.

    Returns:
        Samples x T healed tokens, grid after grid; kept tokens are as they were.
    """
    rows = sum(len(grid.uniforms) for grid in grids)
    parts = min(workers(grids[0].tokens.device), -(-rows // ROWS_A_WORKER))
    windows = Windows(performer)
    works = [
        partial(_drawn, performer, windows, part, threshold) for part in in_parts(grids, parts)
    ]
    return torch.cat(side_by_side(works, parts, on_progress))


def _drawn(
    performer: Performer,
    windows: Windows,
    grids: list[MaskedGrid],
    threshold: float,
    on_share: Callable[[float], None],
) -> Tensor:
    return Rows(performer, windows, grids, threshold).draw_all(on_share)


def in_parts(grids: Sequence[MaskedGrid], parts: int) -> list[list[MaskedGrid]]:
    """The samples of some grids in parts of equal size, or one sample more, in their order."""
    ends = list(itertools.accumulate((len(grid.uniforms) for grid in grids), initial=0))
    bounds = [ends[-1] * n // parts for n in range(parts + 1)]
    return [
        [
            grid._replace(uniforms=grid.uniforms[max(0, start - begin) : stop - begin])
            for begin, end, grid in zip(ends, ends[1:], grids)
            if max(start, begin) < min(stop, end)
        ]
        for start, stop in itertools.pairwise(bounds)
    ]
