"""How long until a detection begins to heal, beside what nobody can do without.

    python Testing/benchmarks/bench_start.py STUDY

STUDY holds SUV.nii.gz and CTres.nii.gz, as `make demo` leaves them in demo/phantom-2000049/0. The
peer imports torch and SimpleITK, reads the same study and aligns it, in a process of its own, and
does nothing else. Prints a Markdown table: seconds of wall time, the quickest of three each.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 3
MODULE = Path(__file__).resolve().parents[2] / "PETAnomaly"
NEEDED = """
import sys
sys.path.insert(0, {module!r})
import torch, SimpleITK
from pathlib import Path
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine import families
from PETAnomalyLib.engine.frame.alignment import align
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.study import read_study
study = read_study(Path({pet!r}), Path({ct!r}))
align(study.pet, read_float_image(find_bundle("petct-phantom").template))
"""


def seconds_of_the_peer(study: Path) -> float:
    script = NEEDED.format(
        module=str(MODULE), pet=str(study / "SUV.nii.gz"), ct=str(study / "CTres.nii.gz")
    )
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", script], check=True)
    return time.perf_counter() - started


DETECT = """
import os, sys, time
sys.path.insert(0, {module!r})
def tell(event, arguments):
    # torch is there by then, and the weights are the next thing that is read.
    if event == "import" and arguments[0] == {healer!r}:
        os._exit(0)
sys.addaudithook(tell)
from PETAnomalyLib.engine.cli import main
main({arguments!r})
"""
HEALER = "PETAnomalyLib.engine.families.vqgan_performer.healer"


def seconds_of_detect(study: Path) -> tuple[float, float]:
    """Until the first event, and until the healer is made."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = [
            *("detect", "--events", "--out", str(Path(folder) / "result")),
            *("--pet", str(study / "SUV.nii.gz"), "--ct", str(study / "CTres.nii.gz")),
        ]
        script = DETECT.format(module=str(MODULE), healer=HEALER, arguments=arguments)
        started = time.perf_counter()
        with subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            first = time.perf_counter() - started
            process.stdout.read()
    return first, time.perf_counter() - started


def main() -> None:
    study = Path(sys.argv[1])
    peer = min(seconds_of_the_peer(study) for _ in range(ROUNDS))
    first, healing = (min(values) for values in zip(*(seconds_of_detect(study) for _ in "123")))
    print("| | s | ratio |\n|---|---|---|")
    print(f"| importing torch and SimpleITK, reading, aligning | {peer:.2f} | 1 |")
    print(f"| `detect`: first event | {first:.2f} | {first / peer:.2f} |")
    print(f"| `detect`: the healer is made | {healing:.2f} | {healing / peer:.2f} |")


if __name__ == "__main__":
    main()
