"""Seconds of `detect --cohort --processes 2`, beside those of a `detect` a study, two at a time.

    python Testing/benchmarks/bench_cohort.py COHORT [--model petct-phantom]

A COHORT is a folder of studies in the autoPET layout (`petanomaly phantom`). Each of the single
commands runs on one thread, as each worker does. The cohort's command is started a second time on
its own result, which must find everything done. Prints a Markdown table.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parents[2]
AT_ONCE = 2


def _run(words: list[str], threads: int | None = None) -> None:
    environment = {**os.environ, "PYTHONPATH": str(HERE / "PETAnomaly")}
    if threads is not None:
        environment["OMP_NUM_THREADS"] = str(threads)
    done = subprocess.run(
        [sys.executable, "-m", "PETAnomalyLib.engine", "detect", *words],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}: {done.stderr[-500:]}")


def _single(study: Path, model: str, out: Path) -> None:
    words = ["--pet", str(study / "SUV.nii.gz"), "--model", model, "--out", str(out)]
    if (study / "CTres.nii.gz").exists():
        words += ["--ct", str(study / "CTres.nii.gz")]
    _run(words, threads=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("cohort", type=Path)
    parser.add_argument("--model", default="petct-phantom")
    options = parser.parse_args()
    studies = sorted(file.parent for file in options.cohort.glob("*/*/SUV.nii.gz"))
    with tempfile.TemporaryDirectory() as folder:
        whole = ["--cohort", str(options.cohort), "--model", options.model,
                 "--out", f"{folder}/all", "--processes", str(AT_ONCE)]  # fmt: skip
        began = time.perf_counter()
        _run(whole)
        together = time.perf_counter() - began
        began = time.perf_counter()
        _run(whole)
        again = time.perf_counter() - began
        began = time.perf_counter()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [
                pool.submit(_single, study, options.model, Path(folder, f"one-{number}"))
                for number, study in enumerate(studies)
            ]
            for job in jobs:
                job.result()
        alone = time.perf_counter() - began
    print("| studies | a command each, two at a time | `--processes 2` | ratio | started again |")
    print("|---|---|---|---|---|")
    print(
        f"| {len(studies)} | {alone:.0f} s | {together:.0f} s | {together / alone:.2f} "
        f"| {again:.1f} s |"
    )


if __name__ == "__main__":
    main()
