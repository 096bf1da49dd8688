"""`petanomaly bench`: seconds, memory and ratios to other ways of doing the same, in one run.

Networks have random weights: time does not depend on what a network has learnt. Each measurement
runs in a process of its own, so that its peak of memory is its own. What would take hours is
measured on a few repetitions and multiplied by its measured law, and says so ("extrapolated").
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from PETAnomalyLib.engine.decoding import DecodedLatents, DecodedTile, decoder_multiplications
from PETAnomalyLib.engine.devices import (
    choose_device,
    device_in_words,
    peak_memory,
    use_physical_cores,
)
from PETAnomalyLib.engine.events import Reporter
from PETAnomalyLib.engine.networks.dropout import DROPOUT
from PETAnomalyLib.engine.networks.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.networks.vqgan import VQGAN, VQGANSizes
from PETAnomalyLib.engine.resampling import resample, token_log_likelihood
from PETAnomalyLib.engine.scoring import score_tiles

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


# Two studies of the paper's size are measured whole, which shows that memory does not grow with N.
# The others are resampled in part: decoding takes ten minutes a study on two cores, and does not
# depend on how many tokens are masked.
STUDIES = (
    *(Study(SHIPPED, n, 0.03) for n in (8, 32, 64)),
    *(Study(SHIPPED, 32, share) for share in (0.005, 0.1)),
    *(Study(PAPER, n, 0.03, clustered=True) for n in (8, 32)),
    *(Study(PAPER, 32, share, resampled=0.25) for share in (0.005, 0.03, 0.1)),
    Study(PAPER, 64, 0.03, resampled=0.25),
)
QUICK = (Study(SHIPPED, 8, 0.03), Study(SHIPPED, 8, 0.03, clustered=True))


def benchmark(device: str, quick: bool, reporter: Reporter) -> dict[str, Any]:
    """Measure this machine.

    Args:
        device: as on the command line.
        quick: two small studies instead of all: two minutes, not half an hour.
        reporter: told of what is being measured.

    Returns:
        `machine`: threads, matmul and memory-copy rates; `studies`: seconds and peak memory of each
        stage; `peers`: seconds of the other ways, whether extrapolated, and the ratio; `doubling`.
    """
    reporter.stage("machine", "Measuring the machine")
    machine = _apart(_machine, device)
    studies, peers = [], []
    for study in QUICK if quick else STUDIES:
        label = f"{study.sizes.name}, N = {study.samples}, {study.share:.1%} masked"
        reporter.stage("study", f"Measuring {label}")
        found = _apart(_study, study, device)
        found["fraction_of_matmul_rate"] = {
            stage: round(gflop / found["seconds"][stage] / machine["gflops"], 3)
            for stage, gflop in found["gflop"].items()
        }
        found["fraction_of_copy_rate"] = {
            stage: round(gigabytes / found["seconds"][stage] / machine["copy_gb_per_s"], 3)
            for stage, gigabytes in found["gigabytes"].items()
        }
        studies.append(found)
    for sizes in (SHIPPED,) if quick else (SHIPPED, PAPER):
        for name, peer in PEERS.items():
            reporter.stage("peer", f"Measuring for comparison: {name}, {sizes.name}")
            compared = [
                study
                for study in studies
                if study["sizes"] == sizes.name and (quick or study["samples"] == 32)
            ]
            peers += _apart(peer, sizes, compared, device)
    reporter.stage("doubling", "Doubling the sequence")
    return {
        "machine": machine,
        "studies": studies,
        "peers": peers,
        "doubling": _apart(_doubling, device, 100 if quick else 400),
    }


def _apart(measure: Callable[..., Any], *arguments: Any) -> Any:
    """The result of a measurement made in a fresh process."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(measure, arguments)


def _seconds(work: Callable[[], object], repeats: int = 1) -> float:
    """The quickest of some runs: what else the machine does adds, never takes away."""
    found = []
    for _ in range(repeats):
        begin = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        found.append(time.perf_counter() - begin)
    return min(found)


@torch.inference_mode()
def _machine(device_name: str) -> dict[str, Any]:
    device = _prepared(device_name)
    a, b = (torch.randn(2048, 2048, device=device) for _ in range(2))
    source, target = (torch.zeros(2**26, device=device) for _ in range(2))
    for _ in range(2):  # the first run of either is not typical
        gflops = 2 * 2048**3 / _seconds(lambda: a @ b, 3) / 1e9
        gigabytes = 2 * source.nbytes / _seconds(lambda: target.copy_(source), 3) / 1e9
    return {
        "device": device_in_words(device),
        "threads": torch.get_num_threads(),
        "gflops": round(gflops, 1),
        "copy_gb_per_s": round(gigabytes, 1),
    }


def _prepared(device_name: str) -> torch.device:
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
def _study(study: Study, device_name: str) -> dict[str, Any]:
    """Everything between the study in the model's frame and its maps there."""
    device = _prepared(device_name)
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
        token_log_likelihood(performer, tokens, context, None, THRESHOLD)
        lap("likelihood")
    mask = masked_tokens(grid, study.share, study.clustered).to(device)
    length = round(study.resampled * len(mask))
    body = torch.arange(len(mask), device=device) < length
    masked = mask & body
    uniforms = torch.rand(study.samples, int(masked.sum()), dtype=torch.float64).to(device)
    latents = resample(performer, tokens, context, body, masked, uniforms).view(-1, *grid)
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


@torch.inference_mode()
def _whole_prefix(
    sizes: Sizes, studies: Sequence[dict[str, Any]], device_name: str
) -> list[dict[str, Any]]:
    """(a) The research code's way: the whole prefix again for every masked token and sample."""
    device = _prepared(device_name)
    performer = Performer(sizes.performer).eval().to(device)
    length = sizes.performer.length
    tokens = torch.zeros(1, length, dtype=torch.int64, device=device)
    context = tokens if sizes.performer.context_codebook else None
    conditioning = performer.condition(context)
    lengths = [length // 8, length // 2, length]
    seconds = [
        _seconds(lambda n=n: performer.advance(tokens, conditioning, None, 0, n, True), 2)  # type: ignore[misc]
        for n in lengths
    ]
    slope, start = np.polyfit(lengths, seconds, 1)
    found = []
    for study in studies:
        prefixes = _masked(sizes, study) + 1
        row = _ratio(
            "whole prefix for each masked token",
            study,
            "resample",
            study["samples"] * float(np.sum(start + slope * prefixes)),
            f"{start:.4f} s + {slope:.3e} s a token of the prefix, measured at {lengths} tokens",
        )
        # Ours reads each token once for each sample: about half as often as tokens are masked.
        found.append(row | {"law": round(float(prefixes.sum() / prefixes[-1]), 1)})
    return found


@torch.inference_mode()
def _monai(
    sizes: Sizes, studies: Sequence[dict[str, Any]], device_name: str
) -> list[dict[str, Any]]:
    """(b) MONAI's inferer, with MONAI's own transformer of these layers, heads and width."""
    device = _prepared(device_name)
    sides = (3, 4, 5, 6)
    lengths = [side**3 for side in sides]
    seconds = [_monai_sample(sizes.performer, side, device) for side in sides]
    # All l tokens: the sum over prefixes of a + b l + c l^2.
    n = np.array(lengths, float)
    terms = np.stack([n, n**2 / 2, n**3 / 3], 1)
    law = _nonnegative_fit(terms / np.array(seconds)[:, None], np.ones(len(n)))
    found = []
    for study in studies:
        at = _masked(sizes, study) + 1.0
        each = law[0] + law[1] * at + law[2] * at**2
        found.append(
            _ratio(
                "MONAI VQVAETransformerInferer",
                study,
                "resample",
                study["samples"] * float(each.sum()),
                f"{law[0]:.2e} + {law[1]:.2e} l + {law[2]:.2e} l^2 s for a token with prefix l, "
                f"measured by sampling {lengths} tokens; no context, its own weights",
            )
        )
    return found


def _monai_sample(sizes: PerformerSizes, side: int, device: torch.device) -> float:
    """Seconds to sample side^3 tokens with MONAI's inferer."""
    from monai.inferers import VQVAETransformerInferer
    from monai.networks.nets import VQVAE, DecoderOnlyTransformer
    from monai.utils.ordering import Ordering

    transformer = DecoderOnlyTransformer(
        num_tokens=sizes.codebook + 1,
        max_seq_len=side**3,
        attn_layers_dim=sizes.width,
        attn_layers_depth=sizes.layers,
        attn_layers_heads=sizes.heads,
    )
    # Its last act is to decode: as small a network as can be, so that the transformer counts.
    vqvae = VQVAE(
        3,
        1,
        1,
        channels=(2,),
        num_res_layers=1,
        num_res_channels=(2,),
        downsample_parameters=((2, 4, 1, 1),),
        upsample_parameters=((2, 4, 1, 1, 0),),
        num_embeddings=sizes.codebook,
        embedding_dim=2,
    )
    transformer, vqvae = transformer.eval().to(device), vqvae.eval().to(device)
    ordering = Ordering("raster_scan", 3, (1, side, side, side))
    begin = torch.full((1, 1), sizes.codebook, device=device)

    def sample() -> None:
        size = (side, side, side)
        VQVAETransformerInferer().sample(size, begin, vqvae, transformer, ordering, verbose=False)

    return _seconds(sample)


def _nonnegative_fit(terms: Any, values: Any) -> Any:
    from scipy.optimize import nnls

    return nnls(terms, values)[0]


def _sklearn(
    sizes: Sizes, studies: Sequence[dict[str, Any]], device_name: str
) -> list[dict[str, Any]]:
    """(c) One scikit-learn density a voxel."""
    from sklearn.neighbors import KernelDensity

    _prepared(device_name)
    voxels = 100
    found = []
    for study in (study for study in studies if "score" in study["seconds"]):
        n = study["samples"] * study["decodes"]
        values = np.random.default_rng(0).random((voxels, n))

        def fit_and_score(values: Any = values) -> None:
            for x in values:
                KernelDensity(bandwidth=MIN_BANDWIDTH).fit(x[:, None]).score_samples([[0.5]])

        each = _seconds(fit_and_score, 2) / voxels
        found.append(
            _ratio(
                "sklearn KernelDensity for each voxel",
                study,
                "score",
                each * study["tokens"] * sizes.vqgan.stride**3,
                f"{each:.2e} s a voxel, measured on {voxels}; ours makes all three maps",
            )
        )
    return found


@torch.inference_mode()
def _full_decodes(
    sizes: Sizes, studies: Sequence[dict[str, Any]], device_name: str
) -> list[dict[str, Any]]:
    """(d) The whole decoder for every sample and every dropout pass."""
    device = _prepared(device_name)
    vqgan = VQGAN(sizes.vqgan).eval().to(device)
    tokens = torch.zeros(1, *sizes.performer.grid, dtype=torch.int64, device=device)

    def once() -> None:
        vqgan.image(torch.nn.functional.dropout(vqgan.hidden(tokens), DROPOUT))

    each = _seconds(once, 3)
    return [
        _ratio(
            "N x K full decodes",
            study,
            "decode",
            each * study["samples"] * study["decodes"],
            f"{each:.3f} s each, measured 3 times",
        )
        for study in studies
        if "decode" in study["seconds"]
    ]


PEERS: dict[str, Callable[..., list[dict[str, Any]]]] = {
    "(a) whole prefix": _whole_prefix,
    "(b) MONAI": _monai,
    "(c) scikit-learn": _sklearn,
    "(d) full decodes": _full_decodes,
}


def _masked(sizes: Sizes, study: dict[str, Any]) -> Any:
    """Raster positions of a study's masked tokens."""
    share = study["masked"] / study["tokens"]
    mask = masked_tokens(sizes.performer.grid, share, study["clustered"])
    return mask.numpy().nonzero()[0]


def _ratio(
    peer: str, study: dict[str, Any], stage: str, seconds: float, law: str
) -> dict[str, Any]:
    ours = study["seconds"][stage]
    return {
        "peer": peer,
        "stage": stage,
        **{key: study[key] for key in ("sizes", "samples", "masked", "clustered")},
        "seconds": round(seconds, 1),
        "extrapolated": law,
        "ours_seconds": ours,
        "ratio": round(seconds / ours, 1),
    }


@torch.inference_mode()
def _doubling(device_name: str, masked: int) -> dict[str, Any]:
    """Resampling of twice the tokens with as many of them masked."""
    device = _prepared(device_name)
    seconds = []
    for factor in (1, 2):
        z, y, x = SHIPPED.performer.grid
        sizes = replace(SHIPPED.performer, grid=(factor * z, y, x))
        performer = Performer(sizes).eval().to(device)
        tokens = torch.zeros(1, sizes.length, dtype=torch.int64, device=device)
        mask = masked_tokens(sizes.grid, masked / sizes.length, False).to(device)
        uniforms = torch.rand(8, int(mask.sum()), dtype=torch.float64, device=device)
        arguments = (performer, tokens, tokens, None, mask, uniforms)
        seconds.append(_seconds(lambda a=arguments: resample(*a), 2))  # type: ignore[misc]
    return {
        "masked": masked,
        "seconds": [round(value, 3) for value in seconds],
        "ratio": round(seconds[1] / seconds[0], 2),
    }


def as_table(result: dict[str, Any]) -> str:
    """The result as Markdown."""
    machine = result["machine"]
    lines = [
        f"{machine['device']}, {machine['threads']} threads: matmul {machine['gflops']:.0f} "
        f"GFLOP/s, copy {machine['copy_gb_per_s']:.0f} GB/s",
        "",
        "| model | N | masked | encode | likelihood | resample (of matmul) | decode (of matmul) "
        "| score (of copy) | peak GB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for study in result["studies"]:
        s, rate = study["seconds"], study["fraction_of_matmul_rate"]
        memory = study["peak_memory"]
        peak = memory["gpu_mb"] if memory["gpu_mb"] else memory["ram_mb"]
        part = "" if study["resampled"] == 1.0 else ", extrapolated"
        encode, likelihood = (
            f"{s[stage]:.1f}" if stage in s else "-" for stage in ("encode", "likelihood")
        )
        copied = study["fraction_of_copy_rate"]
        score = f"{s['score']:.1f} ({copied['score']:.0%})" if "score" in s else "-"
        decode = f"{s['decode']:.1f} ({rate['decode']:.0%})" if "decode" in s else "-"
        lines.append(
            f"| {study['sizes']} | {study['samples']} | {_masking(study)} | {encode} "
            f"| {likelihood} | {s['resample']:.1f} ({rate['resample']:.0%}{part}) "
            f"| {decode} | {score} | {(peak or 0) / 1e3:.1f} |"
        )
    lines += [
        "",
        "| against | model | N | masked | s | ours | ratio |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {peer['peer']} (extrapolated) | {peer['sizes']} | {peer['samples']} | {_masking(peer)} "
        f"| {peer['seconds']:.0f} | {peer['ours_seconds']:.1f} | {_faster(peer)} |"
        for peer in result["peers"]
    ]
    doubling = result["doubling"]
    lines += ["", f"Twice the tokens, as many masked ({doubling['masked']}): "
              f"{doubling['ratio']:.2f} times the seconds of resampling."]  # fmt: skip
    return "\n".join(lines) + "\n"


def _faster(peer: dict[str, Any]) -> str:
    ratio = f"{peer['ratio']:.1f} x"
    if "law" not in peer:
        return ratio
    return f"{ratio} ({peer['ratio'] / peer['law']:.0%} of the law's {peer['law']:.0f})"


def _masking(row: dict[str, Any]) -> str:
    return f"{row['masked']}{' in 6 clusters' if row['clustered'] else ''}"
