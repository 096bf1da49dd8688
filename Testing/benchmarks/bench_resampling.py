"""Seconds to draw a study's masked tokens anew: many a pass, beside one a step.

    python Testing/benchmarks/bench_resampling.py STUDY [--busy 0 1 4] [--masks demo dense]

STUDY is a folder with SUV.nii.gz and CTres.nii.gz, such as the one that `make demo` leaves. Its
tokens are those of the shipped petct-phantom; the dense mask is that of the study mirrored, left
and right exchanged, made up to the 1,148 least likely tokens of each grid. Beside each run there
are as many processes that do nothing but count as --busy says. Prints Markdown tables; nothing is
extrapolated, and how many samples differ between the two ways is said.

One token a step is the algorithm of commit d4fb807: each grid after the other, all its samples
together, runs of kept tokens as one chunk, every operation on all threads.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from busy_machine import busy
from PETAnomalyLib.engine import families  # noqa: F401  # they enter themselves
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.families.networks import build_network, load_weights
from PETAnomalyLib.engine.families.vqgan_performer import kind
from PETAnomalyLib.engine.families.vqgan_performer.favor import AttentionState
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer
from PETAnomalyLib.engine.families.vqgan_performer.resampling import (
    log_likelihood_beside_hot,
    resample,
)
from PETAnomalyLib.engine.families.vqgan_performer.side_by_side import side_by_side
from PETAnomalyLib.engine.families.vqgan_performer.speculation import MaskedGrid, Rows, draw
from PETAnomalyLib.engine.families.vqgan_performer.token_grids import (
    body_tokens,
    moved,
    token_grids,
)
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN
from PETAnomalyLib.engine.families.vqgan_performer.windows import Windows
from PETAnomalyLib.engine.frame.alignment import align
from PETAnomalyLib.engine.frame.model_input import model_input
from PETAnomalyLib.engine.runtime.devices import use_physical_cores
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.study import read_study

MODEL = "petct-phantom"
SAMPLES = 16
DENSE = 1148
ROWS_OF_A_CHUNK = 2**13  # tokens x samples

Image = np.ndarray


class Judged(NamedTuple):
    """A study on its grids: encoded, with every token's log-likelihood."""

    grids: list[MaskedGrid]
    log_p: list[torch.Tensor]


def one_token_a_step(performer: Performer, grid: MaskedGrid, threshold: float) -> torch.Tensor:
    """Samples x T healed tokens of one grid."""
    samples = len(grid.uniforms)
    conditioning = performer.condition(grid.context, body=grid.body)
    places = grid.mask[conditioning.positions].nonzero()[:, 0]
    positions = conditioning.positions[places].tolist()
    states: tuple[AttentionState, ...] | None = None
    start, healed = 0, grid.tokens
    for k, place in enumerate(places.tolist()):
        while start <= place:
            stop = min(start + max(64, ROWS_OF_A_CHUNK // len(healed) // 64 * 64), place + 1)
            logits, states = performer.advance(healed, conditioning, states, start, stop, True)
            start = stop
        if k == 0:  # from here on the samples differ
            healed = healed.repeat(samples, 1)
            states = tuple(
                AttentionState(*(part.expand(samples, *part.shape[1:]) for part in state))
                for state in states or ()
            )
            logits = logits.expand(samples, -1, -1)
        healed[:, positions[k]] = draw(logits[:, 0], grid.uniforms[:, k], threshold)
    return healed if len(healed) == samples else healed.repeat(samples, 1)


@torch.inference_mode()
def judged(pet: Image, ct: Image, threshold: float, performer: Performer) -> Judged:
    """The study's tokens on the shipped model's grids, and what is masked below the threshold."""
    bundle = find_bundle(MODEL)
    pet_vqgan, ct_vqgan = (
        load_weights(build_network(kind.VQGAN, bundle.healer[name]), bundle.weights[name])
        for name in ("pet_vqgan", "ct_vqgan")
    )
    assert isinstance(pet_vqgan, VQGAN)
    assert isinstance(ct_vqgan, VQGAN)
    generator = torch.Generator().manual_seed(0)
    grids, log_ps = [], []
    for shift, samples in token_grids(SAMPLES, pet_vqgan.sizes.stride):
        own, own_ct = (
            torch.from_numpy(np.ascontiguousarray(moved(image, shift)))[None, None]
            for image in (pet, ct)
        )
        tokens, context = pet_vqgan.tokens(own).flatten(1), ct_vqgan.tokens(own_ct).flatten(1)
        body = torch.from_numpy(body_tokens(own[0, 0].numpy(), performer.sizes.grid)).flatten()
        log_p = log_likelihood_beside_hot(
            performer, tokens, context, body, threshold, pet_vqgan.code_uptake()
        )
        mask = log_p < np.log(threshold)
        shape = (samples, int(mask.sum()))
        uniforms = torch.rand(shape, generator=generator, dtype=torch.float64)
        grids.append(MaskedGrid(tokens, context, body, mask, uniforms))
        log_ps.append(log_p)
    return Judged(grids, log_ps)


def made_dense(study: Judged) -> list[MaskedGrid]:
    """The least likely tokens of each grid masked, DENSE of them."""
    generator = torch.Generator().manual_seed(1)
    grids = []
    for grid, log_p in zip(study.grids, study.log_p):
        mask = torch.zeros_like(grid.mask)
        mask[log_p.argsort()[:DENSE]] = True
        uniforms = torch.rand((len(grid.uniforms), DENSE), generator=generator, dtype=torch.float64)
        grids.append(grid._replace(mask=mask, uniforms=uniforms))
    return grids


def timed(work: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, float, float]:
    """What it gives, its seconds by the clock and of processor time."""
    clock, processor = time.perf_counter(), time.process_time()
    found = work()
    return found, time.perf_counter() - clock, time.process_time() - processor


@torch.inference_mode()
def passes(performer: Performer, grids: list[MaskedGrid], threshold: float, ahead: int) -> str:
    """Masked tokens over passes of each grid's first sample, so many masked ones in a window."""
    windows, ratios = Windows(performer), []
    for grid in grids:
        alone = grid._replace(uniforms=grid.uniforms[:1])
        places = grid.mask.nonzero()[:, 0]
        assert grid.body is not None
        run = int(grid.body[places[0] : places[-1] + 1].sum())
        window = round(ahead * run / len(places))

        def counted(
            on_share: Callable[[float], None], grid: MaskedGrid = alone, window: int = window
        ) -> int:
            rows = Rows(performer, windows, [grid], threshold, window)
            rows.draw_all(on_share)
            return rows.passes

        (made,) = side_by_side([counted], 1)
        ratios.append(f"{len(places)} / {made} = {len(places) / made:.1f}")
    return ", ".join(ratios)


@torch.inference_mode()
def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else None)
    parser.add_argument("study", type=Path)
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 4])
    parser.add_argument("--masks", nargs="+", default=["demo", "dense"], choices=["demo", "dense"])
    options = parser.parse_args()

    use_physical_cores()
    bundle = find_bundle(MODEL)
    threshold = bundle.thresholds["resampling"]
    performer = load_weights(
        build_network(kind.PERFORMER, bundle.healer["transformer"]), bundle.weights["transformer"]
    )
    assert isinstance(performer, Performer)
    study = read_study(options.study / "SUV.nii.gz", options.study / "CTres.nii.gz")
    template = read_float_image(bundle.template)
    pet, ct = model_input(study, template, align(study.pet, template), bundle.intensity)
    assert ct is not None
    masks = {}
    if "demo" in options.masks:
        masks["demo"] = judged(pet, ct, threshold, performer).grids
    if "dense" in options.masks:
        mirrored = judged(pet[..., ::-1], ct[..., ::-1], threshold, performer)
        masks["dense"] = made_dense(mirrored)

    print("| mask | masked tokens / passes, 8 of them in a window | 32 |")
    print("|---|---|---|")
    for name, grids in masks.items():
        print(f"| {name} | " + " | ".join(passes(performer, grids, threshold, w) for w in (8, 32))
              + " |", flush=True)  # fmt: skip
    print("\n| mask | busy beside | one a step: s (processor s) | many a pass | ratio | differ |")
    print("|---|---|---|---|---|---|")
    for name, grids in masks.items():
        for processes in options.busy:
            with busy(processes):
                ours, clock, processor = timed(lambda g=grids: resample(performer, g, threshold))  # type: ignore[misc]
                steps, steps_clock, steps_processor = timed(
                    lambda g=grids: torch.cat(  # type: ignore[misc]
                        [one_token_a_step(performer, grid, threshold) for grid in g]
                    )
                )
            differing = int((ours != steps).any(1).sum())
            print(
                f"| {name} | {processes} | {steps_clock:.1f} ({steps_processor:.1f}) "
                f"| {clock:.1f} ({processor:.1f}) | {steps_clock / clock:.1f} "
                f"| {differing} of {len(ours)} samples |",
                flush=True,
            )


if __name__ == "__main__":
    main()
