"""`petanomaly bench`: seconds, memory and ratios to other ways of doing the same, in one run.

Networks have random weights: time does not depend on what a network has learnt. Each measurement
runs in a process of its own, so that its peak of memory is its own. What would take hours is
measured on a few repetitions and multiplied by its measured law, and says so ("extrapolated").
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import torch

from PETAnomalyLib.engine.benchmark.peers import PEERS
from PETAnomalyLib.engine.benchmark.study import (
    PAPER,
    SHIPPED,
    THRESHOLD,
    Study,
    masked_tokens,
    measure_study,
    prepared_device,
    quickest_seconds,
)
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer
from PETAnomalyLib.engine.families.vqgan_performer.resampling import resample
from PETAnomalyLib.engine.families.vqgan_performer.speculation import MaskedGrid
from PETAnomalyLib.engine.runtime.devices import device_in_words
from PETAnomalyLib.engine.runtime.reporter import Reporter

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

# What a study did, the machine's rate of doing it, and the share of that rate that was reached.
RATES = (
    ("gflop", "gflops", "fraction_of_matmul_rate"),
    ("gigabytes", "copy_gb_per_s", "fraction_of_copy_rate"),
)


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
        found = _apart(measure_study, study, device)
        for work, rate, share in RATES:
            found[share] = {
                stage: round(done / found["seconds"][stage] / machine[rate], 3)
                for stage, done in found[work].items()
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


@torch.inference_mode()
def _machine(device_name: str) -> dict[str, Any]:
    device = prepared_device(device_name)
    a, b = (torch.randn(2048, 2048, device=device) for _ in range(2))
    source, target = (torch.zeros(2**26, device=device) for _ in range(2))
    for _ in range(2):  # the first run of either is not typical
        gflops = 2 * 2048**3 / quickest_seconds(lambda: a @ b, 3) / 1e9
        gigabytes = 2 * source.nbytes / quickest_seconds(lambda: target.copy_(source), 3) / 1e9
    return {
        "device": device_in_words(device),
        "threads": torch.get_num_threads(),
        "gflops": round(gflops, 1),
        "copy_gb_per_s": round(gigabytes, 1),
    }


@torch.inference_mode()
def _doubling(device_name: str, masked: int) -> dict[str, Any]:
    """Resampling of twice the tokens with as many of them masked."""
    device = prepared_device(device_name)
    seconds = []
    for factor in (1, 2):
        z, y, x = SHIPPED.performer.grid
        sizes = replace(SHIPPED.performer, grid=(factor * z, y, x))
        performer = Performer(sizes).eval().to(device)
        tokens = torch.zeros(1, sizes.length, dtype=torch.int64, device=device)
        mask = masked_tokens(sizes.grid, masked / sizes.length, False).to(device)
        uniforms = torch.rand(8, int(mask.sum()), dtype=torch.float64, device=device)
        grids = [MaskedGrid(tokens, tokens, None, mask, uniforms)]
        arguments = (performer, grids, THRESHOLD)
        seconds.append(quickest_seconds(lambda a=arguments: resample(*a), 2))  # type: ignore[misc]
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
