"""What `petanomaly bench` measures: healing one study with random weights, stage by stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from PETAnomalyLib.engine.families.vqgan_performer.decoding import (
    DecodedLatents,
    DecodedTile,
    decoder_multiplications,
)
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.families.vqgan_performer.resampling import (
    log_likelihood_beside_hot,
    resample,
)
from PETAnomalyLib.engine.families.vqgan_performer.speculation import MaskedGrid
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN, VQGANSizes
from PETAnomalyLib.engine.runtime.devices import choose_device, peak_memory, use_physical_cores
from PETAnomalyLib.engine.scoring.scoring import score_tiles

DECODES = 4
CLUSTERS = 6
MIN_BANDWIDTH = 0.02
THRESHOLD = 0.01


@dataclass(frozen=True)
class Sizes:
    """A model: its name here, its PET VQ-GAN and its transformer."""

    name: str
    vqgan: VQGANSizes
    performer: PerformerSizes


# Paper 1 does not give the channels of its VQ-GAN; these are MONAI's for this architecture.
PAPER = Sizes("paper", VQGANSizes((96, 96, 192), 64, 256), PerformerSizes((27, 21, 26), 64, 256))
SHIPPED = Sizes(
    "petct-phantom",
    VQGANSizes((32, 64), 128, 64),
    PerformerSizes((36, 17, 22), 128, 256, 3, 4, 128, 32, 2),
)


@dataclass(frozen=True)
class Study:
    """One healing.

    Attributes:
        sizes: of which model.
        samples: N.
        share: of the tokens that are masked.
        clustered: in 6 balls, not scattered.
        resampled: of the sequence, its first part. Where that is not all, nothing else is measured,
            and the seconds of resampling, which grow with the sequence, are divided by it.
    """

    sizes: Sizes
    samples: int
    share: float
    clustered: bool = False
    resampled: float = 1.0


def quickest_seconds(work: Callable[[], object], repeats: int = 1) -> float:
    """The quickest of some runs: what else the machine does adds, never takes away."""
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        found.append(time.perf_counter() - begin)
    return min(found)


def prepared_device(device_name: str) -> torch.device:
    use_physical_cores()
    torch.manual_seed(0)
    return choose_device(device_name)


def masked_tokens(grid: Sequence[int], share: float, clustered: bool) -> Tensor:
    """T booleans: a share of the tokens, scattered or in 6 balls; the same ones every time."""
    generator = np.random.default_rng(0)
    at = np.stack(np.meshgrid(*(np.arange(n) for n in grid), indexing="ij"), -1).reshape(-1, 3)
    if clustered:
        centres = generator.choice(at, CLUSTERS, replace=False)
        order = np.linalg.norm(at[:, None] - centres, axis=-1).min(1)
    else:
        order = generator.random(len(at))
    mask = np.zeros(len(at), bool)
    mask[np.argsort(order, kind="stable")[: max(1, round(share * len(at)))]] = True
    return torch.from_numpy(mask)


@torch.inference_mode()
def measure_study(study: Study, device_name: str) -> dict[str, Any]:
    """Everything between the study in the model's frame and its maps there."""
    device = prepared_device(device_name)
    sizes = study.sizes
    seconds: dict[str, float] = {}
    vqgan = VQGAN(sizes.vqgan).eval().to(device)
    if device.type == "cpu":
        vqgan.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # not in the stubs
    performer = Performer(sizes.performer).eval().to(device)
    grid = sizes.performer.grid
    image = torch.rand(1, 1, *(n * sizes.vqgan.stride for n in grid), device=device)
    begin = time.perf_counter()

    def lap(stage: str) -> None:
        nonlocal begin
        if device.type == "cuda":
            torch.cuda.synchronize()
        now = time.perf_counter()
        seconds[stage] = seconds.get(stage, 0.0) + now - begin
        begin = now

    whole = study.resampled == 1.0
    tokens = torch.randint(sizes.vqgan.codebook, (1, sizes.performer.length), device=device)
    context = None
    if sizes.performer.context_codebook:
        context = torch.randint(sizes.performer.context_codebook, tokens.shape, device=device)
    lap("")
    if whole:
        tokens = vqgan.tokens(image).flatten(1)
        lap("encode")
        uptake = vqgan.code_uptake()
        log_likelihood_beside_hot(performer, tokens, context, None, THRESHOLD, uptake)
        lap("likelihood")
    mask = masked_tokens(grid, study.share, study.clustered).to(device)
    length = round(study.resampled * len(mask))
    body = torch.arange(len(mask), device=device) < length
    masked = mask & body
    uniforms = torch.rand(study.samples, int(masked.sum()), dtype=torch.float64).to(device)
    grids = [MaskedGrid(tokens, context, body, masked, uniforms)]
    healed = resample(performer, grids, THRESHOLD)
    latents = healed.view(-1, *grid)
    lap("resample")
    seconds["resample"] /= study.resampled
    del seconds[""]  # preparations
    first, last = (int(mask.nonzero()[i, 0]) for i in (0, -1))
    rows = study.samples * (last - first) + first
    gflop = {"resample": 2e-9 * rows * performer_multiplications(sizes.performer)}
    gigabytes = {}
    if whole:
        _decode_and_score(vqgan, image, latents, lap)
        # Each value of each reconstruction read once: no scorer can do with less.
        gigabytes["score"] = 1e-9 * study.samples * DECODES * image.numel() * image.itemsize
        # What one full decode of each latent would take, the last layer K times.
        each = sum(decoder_multiplications(vqgan, grid, DECODES))
        gflop["decode"] = 2e-9 * study.samples * each
    return {
        "sizes": sizes.name,
        "samples": study.samples,
        "decodes": DECODES,
        "tokens": len(mask),
        "masked": int(mask.sum()),
        "clustered": study.clustered,
        "resampled": study.resampled,
        "seconds": {stage: round(value, 3) for stage, value in seconds.items()},
        "gflop": gflop,
        "gigabytes": gigabytes,
        "peak_memory": asdict(peak_memory()),
    }


def _decode_and_score(
    vqgan: VQGAN, image: Tensor, latents: Tensor, lap: Callable[[str], None]
) -> None:
    decoded = DecodedLatents(vqgan, latents, DECODES, 0)

    def tiles() -> Iterator[DecodedTile]:
        for tile in decoded.tiles():
            lap("decode")
            yield tile
            del tile  # as `detect`, which keeps none either
            lap("score")

    score_tiles(
        image[0, 0].cpu().numpy(),
        tiles(),
        scorers=("kde", "zscore", "residual"),
        min_bandwidth=MIN_BANDWIDTH,
        epsilon_percentile=95.0,
    )
    lap("score")


def performer_multiplications(sizes: PerformerSizes) -> int:
    """Multiply-adds of one token: linear maps, random features and both reads of the state."""
    attentions = 2 if sizes.context_codebook else 1
    head = sizes.width // sizes.heads
    own = 4 * sizes.width**2 + sizes.heads * (2 * sizes.features * head)  # q, k, v, out; phi(q, k)
    state = sizes.heads * 2 * sizes.features * head
    # The context's keys and values are computed once a study.
    cross = 2 * sizes.width**2 + sizes.heads * 2 * sizes.features * head
    feedforward = 2 * sizes.feedforward * sizes.width**2
    return sizes.layers * (own + state + (attentions - 1) * cross + feedforward)
