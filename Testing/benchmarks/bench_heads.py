"""How long a detection in brain MR takes with each model, beside what nobody can do without.

    python Testing/benchmarks/bench_heads.py HEAD MODEL [MODEL ...]

HEAD is an MR file, with MASK.nii.gz beside it where there is one, as `petanomaly phantom --kind
brain` leaves it; it is first cut and sampled to 128 x 128 x 100 voxels of 1.5 mm. The peer imports
torch, reads the same image and lays it onto the model's template, in a process of its own, and does
nothing else. Prints a Markdown table: seconds of wall time, the quicker of two each.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import SimpleITK as sitk

ROUNDS = 2
SIZE, SPACING_MM = (128, 128, 100), 1.5
MODULE = Path(__file__).resolve().parents[2] / "PETAnomaly"
NEEDED = """
import sys
sys.path.insert(0, {module!r})
import torch, SimpleITK as sitk
from pathlib import Path
from PETAnomalyLib.engine import families
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.frame.head_alignment import align_head
from PETAnomalyLib.engine.study.head import read_head
from PETAnomalyLib.engine.study.image_file import read_float_image
bundle = find_bundle({model!r})
mask = sitk.Cast(read_float_image(bundle.template_mask), sitk.sitkUInt8)
head = read_head(Path({head!r}), {mask}, bundle.contrast)
align_head(head, read_float_image(bundle.template), mask, True)
"""


def sampled(source: Path, target: Path, *, nearest: bool) -> None:
    """Write an image on the benchmark's grid, round its own middle."""
    image = sitk.ReadImage(str(source))
    middle = image.TransformContinuousIndexToPhysicalPoint([(n - 1) / 2 for n in image.GetSize()])
    grid = sitk.Image(SIZE, sitk.sitkUInt8)
    grid.SetSpacing([SPACING_MM] * 3)
    grid.SetOrigin([c - (n - 1) / 2 * SPACING_MM for c, n in zip(middle, SIZE)])
    how = sitk.sitkNearestNeighbor if nearest else sitk.sitkLinear
    sitk.WriteImage(sitk.Resample(image, grid, sitk.Transform(), how, 0.0), str(target))


def seconds_of(command: list[str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - started


def seconds_of_detect(head: Path, mask: Path | None, model: str, out: Path) -> float:
    words = ["--mr", str(head), "--model", model, "--out", str(out), "--anyway"]
    if mask is not None:
        words += ["--mask", str(mask)]
    program = f"import sys; sys.path.insert(0, {str(MODULE)!r}); " + (
        "from PETAnomalyLib.engine.cli import main; sys.exit(main(sys.argv[1:]))"
    )
    return seconds_of([sys.executable, "-c", program, "detect", *words])


def main(head: Path, models: list[str]) -> None:
    """Measure and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        small, mask = Path(folder, "head.nii.gz"), None
        sampled(head, small, nearest=False)
        beside = head.with_name("MASK.nii.gz")
        if beside.exists():
            mask = Path(folder, "mask.nii.gz")
            sampled(beside, mask, nearest=True)
        print("| model | seconds | peer | ratio | heal | score |")
        print("|---|---|---|---|---|---|")
        for model in models:
            given = "None" if mask is None else f"Path({str(mask)!r})"
            script = NEEDED.format(module=str(MODULE), model=model, head=str(small), mask=given)
            peer = min(seconds_of([sys.executable, "-c", script]) for _ in range(ROUNDS))
            out = Path(folder, "r")
            whole = min(seconds_of_detect(small, mask, model, out) for _ in range(ROUNDS))
            stages = json.loads((out / "report.json").read_text(encoding="utf-8"))["seconds"]
            print(
                f"| {Path(model).name} | {whole:.1f} | {peer:.1f} | {whole / peer:.1f} "
                f"| {stages['heal']:.1f} | {stages['score']:.1f} |"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
