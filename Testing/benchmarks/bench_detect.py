"""Seconds of a whole `petanomaly detect`, beside those of another checkout of this repository.

    python Testing/benchmarks/bench_detect.py STUDY... [--against CHECKOUT] [--runs 2]
        [--busy 0 1 4] [--cores 1 2]

A STUDY is a folder with SUV.nii.gz and CTres.nii.gz. Both checkouts run with this Python, in turn,
so that what else the machine does touches both; the fewest seconds of the runs count. Beside each
run there are as many processes that do nothing but count as --busy says; --cores bounds the run to
so many cores (Linux). Prints a Markdown table; healing counts from the study's being aligned to its
being healed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from busy_machine import busy

HERE = Path(__file__).resolve().parents[2]


class Seconds(NamedTuple):
    """Wall-clock seconds of one run; `healing` is a part of the whole."""

    whole: float
    healing: float


def _run(checkout: Path, study: Path, model: str, cores: int | None) -> Seconds:
    with tempfile.TemporaryDirectory() as folder:
        words = [sys.executable, "-m", "PETAnomalyLib.engine", "detect", "--model", model,
                 "--pet", str(study / "SUV.nii.gz"), "--ct", str(study / "CTres.nii.gz"),
                 "--out", f"{folder}/result"]  # fmt: skip
        if checkout == HERE:
            words.append("--anyway")  # the other one may know no doubt
        if cores is not None:
            words = ["taskset", "-c", f"0-{cores - 1}", *words]
        environment = {**os.environ, "PYTHONPATH": str(checkout / "PETAnomaly")}
        began = time.perf_counter()
        done = subprocess.run(
            words, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        whole = time.perf_counter() - began
        if done.returncode != 0:
            sys.exit(f"{checkout}: {done.stderr[-500:]}")
        report = json.loads(Path(folder, "result", "report.json").read_text(encoding="utf-8"))
        return Seconds(whole, report["seconds"]["heal"])


def _fewest(runs: list[Seconds]) -> Seconds:
    return Seconds(min(run.whole for run in runs), min(run.healing for run in runs))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("studies", type=Path, nargs="+", metavar="STUDY")
    parser.add_argument("--against", type=Path, metavar="CHECKOUT")
    parser.add_argument("--model", default="petct-phantom")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--busy", type=int, nargs="+", default=[0])
    parser.add_argument("--cores", type=int, nargs="+", default=[None])
    options = parser.parse_args()
    checkouts = [HERE, *([options.against.resolve()] if options.against else [])]
    print(
        "| study | busy beside it | cores | whole, s | healing, s |"
        + (" whole there, s | healing there, s | whole | healing |" if options.against else "")
    )
    print("|---|---|---|---|---|" + ("---|---|---|---|" if options.against else ""))
    for study, others_busy, cores in itertools.product(
        options.studies, options.busy, options.cores
    ):
        runs: dict[Path, list[Seconds]] = {checkout: [] for checkout in checkouts}
        with busy(others_busy):
            for _ in range(options.runs):
                for checkout in checkouts:
                    runs[checkout].append(_run(checkout, study.resolve(), options.model, cores))
        own, *others = (_fewest(runs[checkout]) for checkout in checkouts)
        cells = [study.name, others_busy, cores or "all", f"{own.whole:.1f}", f"{own.healing:.1f}"]
        for other in others:
            cells += [f"{other.whole:.1f}", f"{other.healing:.1f}",
                      f"{other.whole / own.whole:.2f} times faster",
                      f"{other.healing / own.healing:.2f} times faster"]  # fmt: skip
        print(f"| {' | '.join(map(str, cells))} |", flush=True)


if __name__ == "__main__":
    main()
