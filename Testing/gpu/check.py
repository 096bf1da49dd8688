"""What a device does with a detection, in one script for a machine that has hardly anything.

    python Testing/gpu/check.py --out check.json [--device auto|cpu|cuda[:i]] [--small]

Needs a checkout, Python, torch, NumPy, SciPy and safetensors; no SimpleITK, nibabel, pydicom or
MONAI. Under 6 minutes on a graphics card; --small is for a CPU, to see that it still runs.

Two models: the shipped petct-phantom, on its own template with a hot ball, and networks of the
paper's sizes with random weights, on noise in an ellipsoid. Of each:

- `stages`: seconds the first time and again, what was computed or moved, the share of this device's
  own matrix-product or copy rate, and the device memory at its peak. Four token grids, N and K as
  `detect` has them, the 3 % least likely tokens of the body drawn anew.
- `against_cpu`: encoded tokens and log-likelihoods beside the CPU's, and the tokens drawn from the
  same encoded tokens with the same random numbers. A sample may differ from the CPU's only from a
  draw on that lay within float error of the boundary between two codes.
- `step`: milliseconds of one pass of drawing; how often the host waits for the device in it; the
  same pass as a CUDA graph; all passes with windows of other sizes. With random weights nearly
  every first guess is right (97 of 100), so that passes are as few as they can be; with the shipped
  model two thirds are.
- `healer`: the whole of healing and scoring as `detect` calls it.

`known` is the one case of which docs/speed.md has a figure: the paper's size, PET alone, one token
grid, N = 32, 442 scattered tokens. Exit code 1 where a sample differs without such a draw.
"""

from __future__ import annotations

import argparse
import gzip
import json
import platform
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.flop_counter import FlopCounterMode

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "PETAnomaly"))  # a bare machine has nothing installed

from PETAnomalyLib.engine import families  # noqa: E402, F401  # they enter themselves
from PETAnomalyLib.engine.benchmark.study import (  # noqa: E402
    PAPER,
    Study,
    measure_study,
    performer_multiplications,
)
from PETAnomalyLib.engine.bundles.bundle import verify_bundle  # noqa: E402
from PETAnomalyLib.engine.families.healer import HealingRequest  # noqa: E402
from PETAnomalyLib.engine.families.networks import build_network, load_weights  # noqa: E402
from PETAnomalyLib.engine.families.vqgan_performer import kind  # noqa: E402
from PETAnomalyLib.engine.families.vqgan_performer.decoding import (  # noqa: E402
    DecodedLatents,
    DecodedTile,
    decoder_multiplications,
)
from PETAnomalyLib.engine.families.vqgan_performer.healer import (  # noqa: E402
    VQGANPerformerHealer,
)
from PETAnomalyLib.engine.families.vqgan_performer.performer import (  # noqa: E402
    Performer,
    PerformerSizes,
)
from PETAnomalyLib.engine.families.vqgan_performer.resampling import (  # noqa: E402
    PASSES,
    log_likelihood_beside_hot,
    resample,
)
from PETAnomalyLib.engine.families.vqgan_performer.speculation import (  # noqa: E402
    MaskedGrid,
    Rows,
    window_places,
)
from PETAnomalyLib.engine.families.vqgan_performer.token_grids import (  # noqa: E402
    body_tokens,
    moved,
    token_grids,
)
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN, VQGANSizes  # noqa: E402
from PETAnomalyLib.engine.families.vqgan_performer.windows import Windows  # noqa: E402
from PETAnomalyLib.engine.frame.intensity import ct_to_model, pet_to_model  # noqa: E402
from PETAnomalyLib.engine.runtime.devices import (  # noqa: E402
    choose_device,
    device_in_words,
    use_physical_cores,
)
from PETAnomalyLib.engine.scoring.scoring import score_tiles  # noqa: E402

Image = npt.NDArray[np.float32]

SHIPPED = ROOT / "Resources" / "Models" / "petct-phantom"
MASKED_SHARE = 0.03  # of the body's tokens; of the paper's whole frame that is 442
PAPER_SAMPLES, PAPER_DECODES = 32, 4
# Of the cumulative distribution; logits of two devices agree to about 1e-5.
FLOAT_ERROR = 1e-4
# Likelihoods that differ from token to token; at the weights' small start they do not.
RANDOM_WEIGHTS = 0.1


@dataclass(frozen=True)
class Model:
    """Networks, and a study in their frame.

    Attributes:
        pet_vqgan, ct_vqgan, performer: on the CPU.
        pet, ct: D x H x W, the model's intensities.
        threshold: t.
        min_bandwidth: of the KDE.
        samples, decodes: N and K.
    """

    pet_vqgan: VQGAN
    ct_vqgan: VQGAN
    performer: Performer
    pet: Image
    ct: Image
    threshold: float
    min_bandwidth: float
    samples: int
    decodes: int

    def to(self, device: torch.device) -> Model:
        """A copy of the networks there."""
        pet_vqgan = deepcopy(self.pet_vqgan).to(device)
        if device.type == "cpu":  # as the healer has it
            pet_vqgan.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]  # not in the stubs
        return replace(
            self,
            pet_vqgan=pet_vqgan,
            ct_vqgan=deepcopy(self.ct_vqgan).to(device),
            performer=deepcopy(self.performer).to(device),
        )


class Grid(NamedTuple):
    """A study on one token grid: tokens and CT tokens 1 x T, body T booleans."""

    tokens: torch.Tensor
    context: torch.Tensor
    body: torch.Tensor


class Rates(NamedTuple):
    """What the device can: bytes and floating point operations a second, 1e9 of each."""

    copy: float
    matrix_product: float


class Device:
    """A device, and a clock for it."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.is_cuda = device.type == "cuda"

    def wait(self) -> None:
        """Until all that was asked for is done."""
        if self.is_cuda:
            torch.cuda.synchronize(self.device)

    def seconds(self, work: Callable[[], object]) -> float:
        """Of one run."""
        self.wait()
        begin = time.perf_counter()
        work()
        self.wait()
        return time.perf_counter() - begin

    def stage(
        self, work: Callable[[], object], rates: Rates, gflop: float = 0.0, gigabytes: float = 0.0
    ) -> dict[str, Any]:
        """A run and another: seconds, peak of memory, and the share of the device's own rate."""
        if self.is_cuda:
            torch.cuda.reset_peak_memory_stats(self.device)
        first, again = self.seconds(work), self.seconds(work)
        found: dict[str, Any] = {"seconds_first": round(first, 4), "seconds": round(again, 4)}
        return found | self.shares(again, rates, gflop, gigabytes)

    def shares(
        self, seconds: float, rates: Rates, gflop: float, gigabytes: float
    ) -> dict[str, Any]:
        """What was done in so many seconds, beside what the device can."""
        found: dict[str, Any] = {"device_memory_mb": None}
        if self.is_cuda:
            found["device_memory_mb"] = round(torch.cuda.max_memory_allocated(self.device) / 1e6)
        if gflop:
            found["gflop"] = round(gflop, 3)
            found["share_of_matrix_product_rate"] = round(gflop / seconds / rates.matrix_product, 4)
        if gigabytes:
            found["gigabytes"] = round(gigabytes, 4)
            found["share_of_copy_rate"] = round(gigabytes / seconds / rates.copy, 4)
        return found


def measured_rates(on: Device, small: bool) -> tuple[Rates, dict[str, Any]]:
    """Copying within the device's memory, and products of square matrices."""
    size, count = (1024, 1 << 22) if small else (8192, 1 << 28)
    copy = _copy_rate(on, count)
    kinds = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    products = {}
    for name, dtype in kinds.items():
        a = torch.rand(size, size, device=on.device).to(dtype)
        quickest = min(on.seconds(lambda a=a: a @ a) for _ in range(5))  # type: ignore[misc]
        products[name] = round(2e-9 * size**3 / quickest, 1)
    rates = Rates(copy, products["float32"])
    return rates, {"copy_gb_per_s": round(copy, 1), "matrix_product_gflop_per_s": products}


def _copy_rate(on: Device, count: int) -> float:
    source = torch.rand(count, device=on.device)
    target = torch.empty_like(source)
    quickest = min(on.seconds(lambda: target.copy_(source)) for _ in range(5))
    return 2e-9 * source.numel() * source.itemsize / quickest


def shipped_model() -> Model:
    """The shipped PET/CT model, and its template with a hot ball as a study."""
    bundle = verify_bundle(SHIPPED)
    pet_vqgan, ct_vqgan, performer = (
        load_weights(build_network(kinds, bundle.healer[name]), bundle.weights[name])
        for kinds, name in (
            (kind.VQGAN, "pet_vqgan"), (kind.VQGAN, "ct_vqgan"), (kind.PERFORMER, "transformer"),
        )
    )  # fmt: skip
    assert isinstance(pet_vqgan, VQGAN)
    assert isinstance(ct_vqgan, VQGAN)
    assert isinstance(performer, Performer)
    shape = bundle.size_voxels[::-1]
    with gzip.open(bundle.template) as file:  # NIfTI-1, 352 bytes before the voxels
        suv = np.frombuffer(file.read(), "<f4", offset=352).reshape(shape).copy()
    hounsfield = np.where(suv > 0.2, 40.0, -1000.0)
    middle = [int(np.median(where)) for where in np.nonzero(suv > 0.5)]
    suv[_distance(shape, middle) < 4] = 12.0
    noise = np.random.default_rng(0)
    return Model(
        pet_vqgan,
        ct_vqgan,
        performer,
        pet_to_model((suv * noise.normal(1.0, 0.05, shape)).clip(0), bundle.intensity),
        ct_to_model(hounsfield + noise.normal(0, 15, shape), bundle.intensity),
        bundle.thresholds["resampling"],
        bundle.thresholds["min_bandwidth"],
        bundle.samples,
        bundle.decodes,
    )


def _distance(shape: tuple[int, ...], middle: list[int]) -> npt.NDArray[np.float64]:
    at = np.indices(shape) - np.reshape(middle, (3, 1, 1, 1))
    return np.sqrt((at**2).sum(0))


def random_model(small: bool) -> Model:
    """Networks of the paper's sizes with random weights, and noise in an ellipsoid."""
    torch.manual_seed(0)
    if small:
        vqgan, samples, decodes = VQGANSizes((4, 8), 16, 8, 1), 4, 2
        sizes = PerformerSizes((5, 6, 7), 16, 12, layers=2, heads=2, width=32, features=16)
    else:
        vqgan, samples, decodes = PAPER.vqgan, PAPER_SAMPLES, PAPER_DECODES
        sizes = replace(PAPER.performer, context_codebook=256)
    shape = tuple(n * vqgan.stride for n in sizes.grid)
    noise = np.random.default_rng(0)
    halves = np.reshape(shape, (3, 1, 1, 1)) / 2
    inside = (((np.indices(shape) + 0.5 - halves) / (0.85 * halves)) ** 2).sum(0) < 1
    pet, ct = (noise.random(shape, np.float32) * inside for _ in range(2))
    performer = Performer(sizes).eval()
    for parameter in performer.parameters():
        parameter.data = RANDOM_WEIGHTS * torch.randn(parameter.shape)
    return Model(
        _tuned(VQGAN(vqgan).eval(), pet),
        _tuned(VQGAN(replace(vqgan, codebook=sizes.context_codebook)).eval(), ct),
        performer,
        pet,
        ct,
        threshold=0.01,
        min_bandwidth=0.02,
        samples=samples,
        decodes=decodes,
    )


@torch.inference_mode()
def _tuned(vqgan: VQGAN, image: Image) -> VQGAN:
    """Its codes are encodings of a part of the image: so all are met."""
    part = [slice(0, min(n, 12 * vqgan.sizes.stride)) for n in image.shape]
    encodings = vqgan.encoder(torch.from_numpy(image[tuple(part)].copy())[None, None])
    rows = encodings[0].flatten(1).T
    chosen = torch.randint(len(rows), (vqgan.sizes.codebook,))
    vqgan.quantizer.embedding.weight.data.copy_(rows[chosen])
    return vqgan


def encoded(model: Model, device: torch.device) -> list[Grid]:
    """The study on each token grid."""
    grids = []
    for shift, _ in token_grids(model.samples, model.pet_vqgan.sizes.stride):
        pet, ct = moved(model.pet, shift), moved(model.ct, shift)
        body = torch.from_numpy(body_tokens(pet, model.performer.sizes.grid)).flatten()
        grids.append(
            Grid(
                model.pet_vqgan.tokens(_tensor(pet, device)).flatten(1),
                model.ct_vqgan.tokens(_tensor(ct, device)).flatten(1),
                body.to(device),
            )
        )
    return grids


def _tensor(image: Image, device: torch.device) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(image))[None, None].to(device)


def likelihoods(model: Model, grids: list[Grid]) -> list[torch.Tensor]:
    """T log-likelihoods of each grid."""
    uptake = model.pet_vqgan.code_uptake()
    return [
        log_likelihood_beside_hot(model.performer, *grid, model.threshold, uptake) for grid in grids
    ]


def masked(model: Model, grids: list[Grid], log_p: list[torch.Tensor]) -> list[MaskedGrid]:
    """The least likely tokens of each grid, to be drawn with the same numbers on every device."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for grid, of_grid, (_, samples) in zip(
        grids, log_p, token_grids(model.samples, model.pet_vqgan.sizes.stride)
    ):
        count = max(1, round(MASKED_SHARE * int(grid.body.sum())))
        mask = torch.zeros_like(grid.body)
        mask[of_grid.masked_fill(~grid.body, 1.0).argsort(stable=True)[:count]] = True
        uniforms = torch.rand((samples, count), generator=generator, dtype=torch.float64)
        found.append(MaskedGrid(*grid, mask, uniforms.to(mask.device)))
    return found


def moved_to(grids: list[MaskedGrid], device: torch.device) -> list[MaskedGrid]:
    """The same on another device."""
    return [MaskedGrid(*(part.to(device) for part in grid)) for grid in grids]  # type: ignore[union-attr]


def stages(model: Model, on: Device, rates: Rates) -> tuple[dict[str, Any], list[MaskedGrid]]:
    """Every stage of a detection in the model's frame, and what was drawn anew."""
    image = torch.empty(1, 1, *model.pet.shape, device="meta")
    with FlopCounterMode(display=False) as counter:
        for network in (model.pet_vqgan, model.ct_vqgan):
            deepcopy(network.encoder).to("meta")(image)
    grids = encoded(model, on.device)
    found: dict[str, Any] = {
        "encode": on.stage(
            lambda: encoded(model, on.device), rates, 1e-9 * len(grids) * counter.get_total_flops()
        )
    }
    in_body = sum(int(grid.body.sum()) for grid in grids)
    per_token = 2e-9 * performer_multiplications(model.performer.sizes)
    log_p = likelihoods(model, grids)
    found["likelihood"] = on.stage(
        lambda: likelihoods(model, grids), rates, PASSES * in_body * per_token
    )
    to_draw = masked(model, grids, log_p)
    found["resample"] = on.stage(
        lambda: resample(model.performer, to_draw, model.threshold),
        rates,
        sum(len(one.uniforms) * _run(one) for one in to_draw) * per_token,
    )
    healed = resample(model.performer, to_draw, model.threshold)
    found |= _decoded_and_scored(model, healed, on, rates)
    found["in_all_s"] = round(sum(stage["seconds"] for stage in found.values()), 3)
    found["masked_tokens"] = [int(one.mask.sum()) for one in to_draw]
    found["body_tokens"] = in_body
    return found, to_draw


def _run(grid: MaskedGrid) -> int:
    """Places that a sample runs through, from its first masked token to its last."""
    assert grid.body is not None
    places = grid.mask[grid.body].nonzero()[:, 0]
    return int(places[-1]) + 1 - int(places[0])


def _decoded_and_scored(
    model: Model, healed: torch.Tensor, on: Device, rates: Rates
) -> dict[str, Any]:
    grid = model.performer.sizes.grid
    found: dict[str, Any] = {}
    seconds: dict[str, float] = {}
    if on.is_cuda:
        torch.cuda.reset_peak_memory_stats(on.device)
    for again in ("seconds_first", "seconds"):
        seconds = _laps(model, healed.view(-1, *grid), on)
        for stage, value in seconds.items():
            found.setdefault(stage, {})[again] = round(value, 4)
    count = model.samples * model.decodes
    decoding = 2e-9 * model.samples * sum(
        decoder_multiplications(model.pet_vqgan, grid, model.decodes)
    )  # fmt: skip
    found["decode"] |= on.shares(seconds["decode"], rates, decoding, 0.0)
    # Each value of each reconstruction read once: no scorer can do with less.
    found["score"] |= on.shares(seconds["score"], rates, 0.0, 4e-9 * count * model.pet.size)
    return found


def _laps(model: Model, latents: torch.Tensor, on: Device) -> dict[str, float]:
    """Seconds of decoding, and of scoring what was decoded, tile by tile."""
    seconds = {"decode": 0.0, "score": 0.0}
    begin = time.perf_counter()

    def lap(stage: str) -> None:
        nonlocal begin
        on.wait()
        now = time.perf_counter()
        seconds[stage] += now - begin
        begin = now

    def tiles() -> Iterator[DecodedTile]:
        for tile in DecodedLatents(model.pet_vqgan, latents, model.decodes, 0).tiles():
            lap("decode")
            yield tile
            del tile  # as `detect`, which keeps none either
            lap("score")

    _scored(model, tiles())
    lap("score")
    return seconds


def _scored(model: Model, tiles: Iterator[DecodedTile]) -> dict[str, Image]:
    return score_tiles(
        model.pet,
        tiles,
        scorers=("kde", "zscore", "residual"),
        min_bandwidth=model.min_bandwidth,
        epsilon_percentile=95.0,
    )


def against_cpu(
    on_cpu: Model, model: Model, to_draw: list[MaskedGrid], on: Device
) -> dict[str, Any]:
    """What differs from the CPU's, stage by stage, each from the same input."""
    cpu = torch.device("cpu")
    grid = Grid(*(part.cpu() for part in to_draw[0][:3] if part is not None))
    one_grid = replace(on_cpu, samples=1)
    found: dict[str, Any] = {"encoded_tokens": grid.tokens.numel()}
    own = encoded(one_grid, cpu)[0]
    found["encoded_tokens_differ"] = int((own.tokens != grid.tokens).sum())
    theirs = likelihoods(on_cpu, [grid])[0]
    ours = likelihoods(model, [Grid(*(part.to(on.device) for part in grid))])[0].cpu()
    found["log_likelihoods_differ_by"] = float((ours - theirs).abs().max())

    few = [one._replace(uniforms=one.uniforms[:1]) for one in to_draw]  # the CPU is slow
    drawn = resample(model.performer, few, model.threshold).cpu()
    there = moved_to(few, cpu)
    expected = resample(on_cpu.performer, there, on_cpu.threshold)
    rows = [(one, n) for one in there for n in range(len(one.uniforms))]
    distances = [
        _to_boundary(on_cpu, one, n, right, row)
        for (one, n), right, row in zip(rows, expected, drawn)
        if not torch.equal(right, row)
    ]
    found |= {
        "samples": len(drawn),
        "samples_differ": len(distances),
        "first_draw_that_differs_from_boundary": distances,
        "tokens_equal": all(distance < FLOAT_ERROR for distance in distances),
    }
    return found


def _to_boundary(
    model: Model, grid: MaskedGrid, sample: int, right: torch.Tensor, row: torch.Tensor
) -> float:
    """How far the first draw that differs was from the boundary between two codes; 1 where no draw
    was made, so that nothing may differ."""
    assert grid.body is not None
    first = int((right != row).nonzero()[0, 0])
    if not grid.mask[first]:
        return 1.0
    conditioning = model.performer.condition(grid.context, body=grid.body)
    place = int((conditioning.positions == first).nonzero()[0, 0])
    logits = model.performer.advance(right[None], conditioning, None, 0, place + 1, True)[0]
    p = torch.softmax(logits[0, 0].double(), -1)
    p[p < p.max().clamp_max(model.threshold)] = 0
    cumulative = torch.cat([p.new_zeros(1), p.cumsum(0) / p.sum()])
    uniform = grid.uniforms[sample, int(grid.mask[:first].sum())]
    return float((cumulative - uniform).abs().min())


def step(
    model: Model, to_draw: list[MaskedGrid], on: Device, others: tuple[int, ...]
) -> dict[str, Any]:
    """One pass of drawing, and all passes with windows of other sizes."""
    windows = Windows(model.performer)
    rows = sum(len(one.uniforms) for one in to_draw)
    usual = window_places(model.performer, rows, on.device)

    def drawn(places: int | None) -> Rows:
        begun = Rows(model.performer, windows, to_draw, model.threshold, places)
        begun.draw_all(lambda _: None)
        return begun

    found: dict[str, Any] = {"rows": rows, "places": usual, "windows": {}}
    for places in sorted({usual, *others}):
        finished: list[Rows] = []
        seconds = on.seconds(lambda p=places, f=finished: f.append(drawn(p)))  # type: ignore[misc]
        found["windows"][places] = {
            "passes": finished[0].passes,
            "seconds": round(seconds, 4),
            "ms_a_pass": round(1e3 * seconds / finished[0].passes, 3),
        }
    if on.is_cuda:
        begun = Rows(model.performer, windows, to_draw, model.threshold)
        found |= _waits(begun, on) | _as_graph(begun, on)
    return found


def _waits(rows: Rows, on: Device) -> dict[str, Any]:
    """How often the host waits for the device within one pass, and where."""
    rows._advance()
    on.wait()
    torch.cuda.set_sync_debug_mode("warn")
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            rows._advance()
    finally:
        torch.cuda.set_sync_debug_mode("default")
    where = [f"{Path(one.filename).name}:{one.lineno}" for one in caught]
    return {"host_waits_in_a_pass": len(where), "host_waits_at": where}


def _as_graph(rows: Rows, on: Device) -> dict[str, Any]:
    """Milliseconds of the same pass, replayed as a CUDA graph: what fewer launches would give."""
    try:
        graph = torch.cuda.CUDAGraph()
        side = torch.cuda.Stream(on.device)
        side.wait_stream(torch.cuda.current_stream(on.device))
        with torch.cuda.stream(side):  # CUDA's libraries set themselves up before a capture
            rows._advance()
        torch.cuda.current_stream(on.device).wait_stream(side)
        with torch.cuda.graph(graph):
            rows._advance()
        repeats = 20

        def replay() -> None:
            for _ in range(repeats):
                graph.replay()

        seconds = on.seconds(replay)
    except RuntimeError as error:
        return {"cuda_graph": {"failed": str(error).splitlines()[0]}}
    return {"cuda_graph": {"ms_a_pass": round(1e3 * seconds / repeats, 3)}}


def healer(model: Model, threshold: float, on: Device) -> dict[str, Any]:
    """Healing and scoring as `detect` calls them."""
    networks = {
        "pet_vqgan": model.pet_vqgan,
        "ct_vqgan": model.ct_vqgan,
        "transformer": model.performer,
    }
    own = VQGANPerformerHealer(networks, on.device)
    request = HealingRequest(model.samples, model.decodes, 0, threshold, model.samples)
    masked_shares: list[float] = []

    def work() -> None:
        healing = own.heal(model.pet, model.ct, request, lambda _: None)
        assert healing.resampling_mask is not None
        masked_shares.append(float(healing.resampling_mask.mean()))
        maps = _scored(model, healing.decoded.tiles(lambda _: None))
        assert all(np.isfinite(one).all() for one in maps.values())

    first, again = on.seconds(work), on.seconds(work)
    return {
        "seconds_first": round(first, 3),
        "seconds": round(again, 3),
        "masked_share_of_frame": round(masked_shares[0], 4),
    }


@torch.inference_mode()
def checked(on_cpu: Model, on: Device, rates: Rates, windows: tuple[int, ...]) -> dict[str, Any]:
    """All of one model."""
    model = on_cpu.to(on.device)
    found, to_draw = stages(model, on, rates)
    log_p = likelihoods(model, [Grid(*to_draw[0][:3])])[0]  # type: ignore[arg-type]
    # About the share that the stages draw anew.
    threshold = float(log_p[to_draw[0].body].quantile(MASKED_SHARE).exp())
    return {
        "stages": found,
        "against_cpu": against_cpu(on_cpu.to(torch.device("cpu")), model, to_draw, on),
        "step": step(model, to_draw, on, windows),
        "healer": healer(model, min(threshold, 1.0), on),
    }


def check(device: torch.device, small: bool) -> dict[str, Any]:
    """All that the script measures."""
    use_physical_cores()
    on = Device(device)
    began = time.perf_counter()
    rates, rates_in_words = measured_rates(on, small)
    found: dict[str, Any] = {
        "device": device_in_words(device),
        "versions": {"python": platform.python_version(), "torch": torch.__version__,
                     "cuda": torch.version.cuda, "numpy": np.__version__},
        "small": small,
        "cpu_threads": torch.get_num_threads(),
        "rates": rates_in_words,
        "models": {},
    }  # fmt: skip
    models = {"paper": random_model(small)}
    models["petct-phantom"] = shipped_model()
    if small:
        models["petct-phantom"] = replace(models["petct-phantom"], samples=1, decodes=1)
    windows = (2,) if small else (32, 64, 128, 256)  # places, beside the usual number
    for name, model in models.items():
        found["models"][name] = checked(model, on, rates, windows)
        print(f"{name}: {found['models'][name]['stages']['in_all_s']} s", flush=True)
    if not small:
        found["known"] = measure_study(Study(PAPER, 32, MASKED_SHARE), str(device))
    found["seconds"] = round(time.perf_counter() - began, 1)
    found["passed"] = all(one["against_cpu"]["tokens_equal"] for one in found["models"].values())
    return found


def main() -> int:
    """Returns:
    The exit code.
    """
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--small", action="store_true")
    options = parser.parse_args()
    found = check(choose_device(options.device), options.small)
    options.out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    print(f"{'passed' if found['passed'] else 'FAILED'} in {found['seconds']} s: {options.out}")
    return 0 if found["passed"] else 1


if __name__ == "__main__":
    raise SystemExit(main())
