"""What libraries make of four things that are our own: components, correlation, FROC, the overview.

    python Testing/benchmarks/bench_libraries.py [DEMO]

DEMO is the folder that `make demo` fills. Growing has its own file, bench_growing.py. Processor
seconds, the quickest of three.

- Components of the map above a threshold, in a 400 x 400 x 300 PET (that of bench_delineation.py):
  ours, `scipy.ndimage.label` and ITK's ConnectedComponent.
- Masked correlation of two volumes of the size that alignment compares, and ITK's.
- FROC of the demo's KDE map: findings drawn anew at each threshold (ours), and MONAI's counts, for
  which detections are points with one probability each: the hottest voxels of the findings at the
  lowest threshold.
- The overview of the demo, and what matplotlib takes for the same panels without the numbers that
  keep clear of each other, the legend and the table: its import, and its drawing.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from bench_delineation import BOX26, study
from monai.metrics.froc import compute_fp_tp_probs_nd
from PETAnomalyLib.engine.evaluation.froc import count_at_each, thresholds_to_try
from PETAnomalyLib.engine.figures.overview import overview
from PETAnomalyLib.engine.figures.projection import SUV_WINDOW, mips, to_lps
from PETAnomalyLib.engine.findings.components import components, padded
from PETAnomalyLib.engine.findings.delineation import Delineator
from PETAnomalyLib.engine.findings.measures import measure
from PETAnomalyLib.engine.frame.masked_correlation import masked_correlation
from PETAnomalyLib.engine.study.lesion_mask import number_lesions
from scipy import ndimage

BODY = (61, 51, 51)  # voxels of 16 mm: a scan from head to thighs
IMPORT = (
    "import time, numpy; begin = time.process_time()\n"
    "from matplotlib.figure import Figure; from matplotlib.backends.backend_agg import *\n"
    "print(time.process_time() - begin)"
)


def seconds(work: Callable[[], object]) -> float:
    """Processor seconds of the quickest of three runs."""
    taken = []
    for _ in range(3):
        begin = time.process_time()
        work()
        taken.append(time.process_time() - begin)
    return min(taken)


def of_components() -> None:
    """Print a line for each threshold."""
    score = sitk.GetArrayFromImage(study(1)[0])
    for threshold in (4.0, 3.5, 3.0, 2.5):
        above = score > np.float32(threshold)
        as_image = sitk.GetImageFromArray(above.astype(np.uint8))
        ours = seconds(partial(_our_components, above))
        scipy = seconds(partial(ndimage.label, above, BOX26))
        itk = seconds(partial(sitk.ConnectedComponent, as_image, True))
        print(
            f"components above {threshold}: {above.sum()} voxels, ours {ours:.3f} s, "
            f"scipy.ndimage.label {scipy:.3f} s ({scipy / ours:.1f} times), "
            f"ConnectedComponent {itk:.3f} s ({itk / ours:.1f} times)"
        )


def _our_components(above: np.ndarray) -> None:
    components(padded(above))


def of_correlation() -> None:
    """Print the seconds of both."""
    rng = np.random.default_rng(0)
    volumes = [rng.random(BODY) for _ in range(2)]
    masks = [volume > 0.1 for volume in volumes]
    images = [sitk.GetImageFromArray(volume.astype(float)) for volume in (*volumes, *masks)]
    ours = seconds(partial(masked_correlation, volumes[0], masks[0], volumes[1], masks[1]))
    itk = seconds(partial(sitk.MaskedFFTNormalizedCorrelation, *images))
    print(
        f"masked correlation of {BODY}: ours {ours:.2f} s, MaskedFFTNormalizedCorrelation "
        f"{itk:.2f} s ({itk / ours:.1f} times)"
    )


def of_froc(pet: sitk.Image, score: sitk.Image, scored: sitk.Image, lesions: np.ndarray) -> None:
    """Print a line for each threshold at which the two differ, and how many do."""
    values = sitk.GetArrayViewFromImage(score)
    thresholds = thresholds_to_try(values[lesions > 0])
    delineator = Delineator(score, pet, scored)
    counts = count_at_each(delineator, lesions, thresholds, 0.4, 0.3)
    lowest = sitk.GetArrayFromImage(delineator.at(thresholds[0], 0.4, 0.3).labels)
    numbers = range(1, int(lowest.max()) + 1)
    points = np.array(ndimage.maximum_position(values, lowest, numbers))
    probabilities = values[tuple(points.T)]
    false, true, _ = compute_fp_tp_probs_nd(probabilities, points, lesions)
    differ = 0
    for threshold, ours in zip(thresholds, counts):
        monai = (int((true > threshold).sum()), int((false > threshold).sum()))
        own = (ours.lesions_hit, len(ours.false_positives))
        differ += monai != own
        if monai != own:
            print(
                f"FROC at {threshold:.2f}: ours {own[0]} of {lesions.max()} lesions hit and "
                f"{own[1]} false positives, MONAI {monai[0]} and {monai[1]}"
            )
    print(f"FROC: {differ} of {len(thresholds)} thresholds differ")


def of_overview(pet: sitk.Image, score: sitk.Image, scored: sitk.Image) -> None:
    """Print the seconds of both ways."""
    labels = Delineator(score, pet, scored).at(1.0).labels
    findings = measure(labels, pet, score)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "overview.png"
        ours = seconds(partial(overview, path, pet, score, "kde", labels, findings))
        theirs = seconds(partial(drawn_by_matplotlib, path, pet, score, labels))
    run = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True)
    print(
        f"overview of {len(findings)} findings: ours {ours:.2f} s, matplotlib {theirs:.2f} s and "
        f"{float(run.stdout):.2f} s to import it"
    )


def drawn_by_matplotlib(path: Path, pet: sitk.Image, score: sitk.Image, labels: sitk.Image) -> None:
    """Four panels of about our size with the outlines of all findings, and two colour scales."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    spacing = pet.GetSpacing()
    figure = Figure(figsize=(19.0, 10.4), dpi=100, layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 4)
    shadows = mips(to_lps(labels))
    for start, image, colours in ((0, pet, "gray_r"), (2, score, "inferno")):
        for panel, flat, shadow in zip(panels[start:], mips(to_lps(image)), shadows):
            top = SUV_WINDOW if start == 0 else None
            shown = panel.imshow(
                flat, cmap=colours, vmax=top, origin="lower", aspect=spacing[2] / spacing[0]
            )
            panel.contour(shadow > 0, levels=[0.5], colors="#0082ff")
        figure.colorbar(shown, ax=panels[start : start + 2])
    figure.savefig(path, format="png")


def main() -> None:
    """Measure the four."""
    demo = Path(sys.argv[1] if len(sys.argv) > 1 else "demo")
    folder = next(demo.glob("phantom-*/0"))
    pet = sitk.ReadImage(str(folder / "SUV.nii.gz"), sitk.sitkFloat32)
    score, scored = (
        sitk.ReadImage(str(demo / "result" / f"{name}.nii.gz")) for name in ("kde", "scored_mask")
    )
    truth = sitk.GetArrayFromImage(sitk.ReadImage(str(folder / "SEG.nii.gz"))) > 0
    of_components()
    of_correlation()
    of_froc(pet, score, scored, number_lesions(truth))
    of_overview(pet, score, scored)


if __name__ == "__main__":
    main()
