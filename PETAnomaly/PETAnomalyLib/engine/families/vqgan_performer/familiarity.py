"""What the model finds of a study before it draws: its tokens' likelihoods, its decoder's error."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from PETAnomalyLib.engine.families.healer import Array, Judged
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN

# Tokens round the body that are decoded with it; farther ones hardly reach it.
_MARGIN = 1
_THINNEST = 4  # token layers of a slab
_VOXELS_AT_ONCE = 3 << 19  # more than the shipped models' whole frame


def judged(vqgan: VQGAN, tokens: Tensor, log_p: Tensor, body: Tensor, pet: Array) -> Judged:
    """Of the frame's own token grid.

    Args:
        vqgan: the PET's.
        tokens: d x h x w, the encoded study; of a picture h x w, as the next two.
        log_p: d x h x w, nats.
        body: d x h x w booleans.
        pet: D x H x W, the model's intensity; of a picture C x H x W.
    """
    in_body = body.cpu().numpy().astype(bool)
    return Judged(
        in_body,
        log_p.cpu().numpy().astype(np.float32),
        _error(vqgan, tokens, in_body, pet),
    )


@torch.inference_mode()
def _error(vqgan: VQGAN, tokens: Tensor, body: npt.NDArray[np.bool_], pet: Array) -> Array:
    """Mean absolute error of each token's voxels, decoded without dropout; 0 far from the body.

    The box round the body is decoded, half of a whole-body frame; a large one in slabs, each with a
    margin that hides most of its edge.
    """
    error = np.zeros(body.shape, np.float32)
    if not body.any():
        return error
    dims = body.ndim
    axes = set(range(dims))
    slices, *across = (
        _span(np.asarray(body.any(axis=tuple(axes - {axis}))), _MARGIN) for axis in range(dims)
    )
    edge = vqgan.sizes.stride
    layer = math.prod(span.stop - span.start for span in across) * edge**dims
    thick = max(_THINNEST, _VOXELS_AT_ONCE // layer)
    images = pet.reshape(-1, *pet.shape[pet.ndim - dims :])  # C ...
    for start in range(slices.start, slices.stop, thick):
        inner = slice(start, min(start + thick, slices.stop))
        outer = slice(max(slices.start, start - _MARGIN), min(slices.stop, inner.stop + _MARGIN))
        decoded = vqgan.image(vqgan.hidden(tokens[(outer, *across)][None]))[0]
        first = (inner.start - outer.start) * edge
        own = decoded[:, first : first + (inner.stop - inner.start) * edge].cpu().numpy()
        box = (slice(s.start * edge, s.stop * edge) for s in (inner, *across))
        cells = [n for size in own.shape[1:] for n in (size // edge, edge)]
        difference = np.abs(own - images[(slice(None), *box)]).mean(axis=0)
        error[(inner, *across)] = difference.reshape(cells).mean(axis=tuple(range(1, 2 * dims, 2)))
    return error


def _span(inside: npt.NDArray[np.bool_], margin: int) -> slice:
    where = np.flatnonzero(inside)
    return slice(max(0, int(where[0]) - margin), min(len(inside), int(where[-1]) + 1 + margin))
