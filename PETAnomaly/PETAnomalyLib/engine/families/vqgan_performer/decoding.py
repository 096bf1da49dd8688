"""N healed latents -> N x K reconstructions (paper 1, section 3.3: dropout in the decoder).

Reconstructions come tile by tile, all N x K of a tile at once, so that memory depends on neither.
What they share is computed once: the K decodes of a latent share all layers before the dropout, and
so do latents of one token grid that are equal in all tokens a tile depends on. `tiling.py` says how
the volume is cut, `dropout.py` why a mask does not change where tiles meet,
`token_grids.py` why latents lie on several grids.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from PETAnomalyLib.engine.families.healer import DecodedTile
from PETAnomalyLib.engine.families.vqgan_performer.dropout import (
    DROPOUT,
    DropoutKey,
    drop,
    dropout_key,
)
from PETAnomalyLib.engine.families.vqgan_performer.overlap import KERNEL, overlap_add, tap_weights
from PETAnomalyLib.engine.families.vqgan_performer.side_by_side import side_by_side, workers
from PETAnomalyLib.engine.families.vqgan_performer.tiling import (
    FLOAT_BYTES,
    Layers,
    Tile,
    plan,
    spans,
)
from PETAnomalyLib.engine.families.vqgan_performer.token_grids import Shift, seen_from
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN

# Bytes for a tile. At the paper's size, by the plan's own count: 2.8, 3.0 and 2.5e9 for N = 8, 32
# and 64 with K = 4, in 1, 2 and 4 tiles, with 1.02, 1.12 and 1.26 times the multiplications of
# decoding N latents once. Half of it would need 1.26 times for N = 32.
MEMORY = 3.2e9
LEAST_MEMORY = 5e7
# Voxels whose dropout and last layer are computed together: their values stay in the CPU's cache.
# A graphics card wants as many as there are.
BLOCK = {"cpu": 2**14}
LARGE_BLOCK = 2**20

CHANNELS_LAST = {2: torch.channels_last, 3: torch.channels_last_3d}
"""Layout of activations on a CPU, by the number of spatial dimensions."""


class DecodedLatents:
    """The reconstructions of N latents, each decoded K times with another dropout mask.

    Args:
        vqgan: the PET VQ-GAN.
        latents: N x d x h x w tokens; of a picture N x h x w.
        decodes: K.
        seed: of the dropout masks; a mask depends on it, on the latent's number and the decode's.
        memory: bytes that a tile may take.
        shifts: of each latent's token grid, N; None where all lie on the frame's own.

    Attributes:
        count: n = N x K.
        shape: of a reconstruction: D, H, W, or C, H, W of a picture.

    Example:
        decoded = DecodedLatents(vqgan, latents, decodes=4, seed=0)
        for tile in decoded.tiles():
            mean[tile.voxels] = tile.values.mean(0)
    """

    def __init__(
        self,
        vqgan: VQGAN,
        latents: Tensor,
        decodes: int,
        seed: int,
        memory: float = MEMORY,
        shifts: Sequence[Shift] | None = None,
    ) -> None:
        self._vqgan = vqgan
        self._latents = latents
        self._decodes = decodes
        self._seed = seed
        self._memory = memory
        samples, *grid = latents.shape
        self._shifts = [(0,) * len(grid)] * samples if shifts is None else list(shifts)
        self._grids: dict[Shift, list[int]] = {}  # -> the numbers of its latents
        for number, shift in enumerate(self._shifts):
            self._grids.setdefault(shift, []).append(number)
        self.count = samples * decodes
        self._extent = tuple(n * vqgan.sizes.stride for n in grid)
        self._channels = _channels(vqgan)
        self.shape = (*self._channels, *self._extent)
        differs = np.zeros(grid, bool)
        for numbers in self._grids.values():
            own = latents[numbers]
            differs |= (own != own[:1]).any(0).cpu().numpy()
        self._plan = plan(_layers(vqgan), differs, samples, decodes, memory)

    def tiles(self, on_progress: Callable[[float], None] = lambda _: None) -> Iterator[DecodedTile]:
        """Every part of the volume once; in each, the K decodes of latent 0 first.

        Args:
            on_progress: told the share done, 0..1; may raise to stop.
        """
        for number, tile in enumerate(self._plan):

            def on_decoded(share: float, done: int = number) -> None:
                on_progress((done + share) / len(self._plan))

            every_channel = (slice(None),) * len(self._channels)
            yield DecodedTile((*every_channel, *tile.voxels), self._decoded(tile, on_decoded))

    def array(self) -> npt.NDArray[np.float32]:
        """All reconstructions at once, n x D x H x W: for small models."""
        whole = np.empty((self.count, *self.shape), np.float32)
        for voxels, values in self.tiles():
            whole[(slice(None), *voxels)] = values.cpu().numpy()
        return whole

    def smaller(self) -> DecodedLatents | None:
        """The same in half the memory; at the end of that on the CPU; then None."""
        memory, device = self._memory / 2, self._latents.device
        if memory < LEAST_MEMORY:
            if device.type == "cpu":
                return None
            memory, device = MEMORY, torch.device("cpu")
        return DecodedLatents(
            self._vqgan.to(device),
            self._latents.to(device),
            self._decodes,
            self._seed,
            memory,
            self._shifts,
        )

    @torch.inference_mode()
    def _decoded(self, tile: Tile, on_progress: Callable[[float], None]) -> Tensor:
        shape = (*self._channels, *(s.stop - s.start for s in tile.voxels))
        values = torch.empty((self.count, *shape), device=self._latents.device)
        for number, shift in enumerate(self._grids):

            def on_part(share: float, done: int = number) -> None:
                on_progress((done + share) / len(self._grids))

            self._decode_grid(values, tile, shift, on_part)
        return values

    def _decode_grid(
        self, values: Tensor, tile: Tile, shift: Shift, on_progress: Callable[[float], None]
    ) -> None:
        """Fill in the reconstructions of one token grid's latents."""
        samples = self._grids[shift]
        own, at = self._moved(tile, shift)
        tokens = self._latents[(slice(None), *own.tokens)][samples]
        distinct, which = torch.unique(tokens.flatten(1), dim=0, return_inverse=True)
        positions = _positions(
            own.boxes[-2], tuple(n // 2 for n in self._extent), self._latents.device
        )
        alike: list[list[int]] = [[] for _ in distinct]
        for number, i in enumerate(which.tolist()):
            alike[i].append(samples[number])

        every_channel = (slice(None),) * len(self._channels)

        def decode(i: int, on_share: Callable[[float], None]) -> None:
            hidden = self._hidden(distinct[i].view(1, *tokens.shape[1:]), own)
            for done, (n, k) in enumerate(itertools.product(alike[i], range(self._decodes))):
                image = self._image(hidden, positions, dropout_key(self._seed, n, k))
                image = image[(*every_channel, *own.trimmed(len(own.boxes) - 2, 2))]
                values[n * self._decodes + k] = _replicated(image, at)
                on_share((done + 1) / (len(alike[i]) * self._decodes))

        works = [partial(decode, i) for i in range(len(distinct))]
        side_by_side(works, self._at_once(len(positions), len(works)), on_progress)

    def _at_once(self, voxels: int, latents: int) -> int:
        """How many latents of a tile are decoded side by side: as many as a quarter holds."""
        layers = _layers(self._vqgan)
        bytes_ = voxels * (layers.widest + layers.taps) * FLOAT_BYTES
        return min(workers(self._latents.device), latents, max(1, int(self._memory / 4 / bytes_)))

    def _moved(self, tile: Tile, shift: Shift) -> tuple[Tile, list[Tensor]]:
        """A tile as a moved token grid sees it, and where its voxels lie in that on each axis."""
        strides = _layers(self._vqgan).strides
        axes, within = [], []
        for span, size, steps in zip(tile.boxes[-1], self._extent, shift):
            at = seen_from(np.arange(*span), steps, size)
            axes.append(spans(strides, size, int(at[0]), int(at[-1]) + 1))
            within.append(torch.from_numpy(at - at[0]).to(self._latents.device))
        return Tile(tuple(zip(*axes))), within

    def _hidden(self, tokens: Tensor, tile: Tile) -> Tensor:
        """What the dropout acts on, for one tile: D/2 x H/2 x W/2 x channels, contiguous."""
        x = self._vqgan.quantizer.embed(tokens)
        if x.device.type == "cpu":  # measured: 0.74 of the time for 32 channels, 0.98 for 96
            x = x.contiguous(memory_format=CHANNELS_LAST[self._vqgan.sizes.spatial_dims])
        for i, layer in enumerate(self._vqgan.before_dropout):
            x = layer(x)[(..., *tile.trimmed(i, _stride(layer)))]
        return x[0].movedim(0, -1).contiguous()

    def _image(self, hidden: Tensor, positions: Tensor, key: DropoutKey) -> Tensor:
        """The last layer with one dropout mask: twice the size of `hidden` along each axis.

        D x H x W, or C x H x W of a picture.
        """
        last = self._vqgan.last_layer
        weights = tap_weights(last.weight) / (1.0 - DROPOUT)
        voxels = hidden.flatten(0, -2)
        taps = hidden.new_empty(len(weights), len(voxels))
        block = BLOCK.get(hidden.device.type, LARGE_BLOCK)
        for start in range(0, len(voxels), block):
            here = slice(start, start + block)
            torch.mm(weights, drop(voxels[here], positions[here], key).T, out=taps[:, here])
        assert last.bias is not None
        image = [
            overlap_add(of_channel.unflatten(1, hidden.shape[:-1])).add_(bias)
            for of_channel, bias in zip(taps.chunk(len(last.bias)), last.bias)
        ]
        return torch.stack(image) if self._channels else image[0]


def _channels(vqgan: VQGAN) -> tuple[int, ...]:
    """What comes before the spatial axes of an image: nothing of a volume."""
    return () if vqgan.sizes.spatial_dims == 3 else (vqgan.sizes.image_channels,)


def _replicated(image: Tensor, at: list[Tensor]) -> Tensor:
    """An image with the voxels before a moved grid's first given the value of that."""
    for axis, voxels in enumerate(at, image.dim() - len(at)):
        if len(voxels) > image.shape[axis]:
            image = image.index_select(axis, voxels)
    return image


def _positions(
    box: tuple[tuple[int, int], ...], shape: tuple[int, ...], device: torch.device
) -> Tensor:
    """Raster positions, int32, of a box's voxels in a volume of `shape`."""
    positions = torch.zeros((), dtype=torch.int32, device=device)
    for span, size in zip(box, shape):
        along = torch.arange(*span, dtype=torch.int32, device=device)
        positions = positions[..., None] * size + along
    return positions.flatten()


def _layers(vqgan: VQGAN) -> Layers:
    modules = [*vqgan.before_dropout, vqgan.after_dropout]
    weights = [
        sum(p.numel() for name, p in module.named_parameters() if name.endswith("weight"))
        for module in modules
    ]
    return Layers(
        tuple(_stride(module) for module in modules),
        tuple(weights),
        vqgan.sizes.channels[0],
        vqgan.sizes.image_channels * KERNEL**vqgan.sizes.spatial_dims,
        vqgan.sizes.image_channels,
    )


def decoder_multiplications(vqgan: VQGAN, grid: tuple[int, ...], decodes: int) -> list[float]:
    """Multiply-adds of each layer for one latent of d x h x w tokens; K times in the last."""
    layers, voxels, found = _layers(vqgan), float(math.prod(grid)), []
    for stride, each in zip(layers.strides, layers.multiplications):
        found.append(voxels * each)
        voxels *= stride ** len(grid)
    return [*found[:-1], found[-1] * decodes]


def _stride(layer: torch.nn.Module) -> int:
    transposed = (torch.nn.ConvTranspose2d, torch.nn.ConvTranspose3d)
    return 2 if isinstance(getattr(layer, "conv", None), transposed) else 1
