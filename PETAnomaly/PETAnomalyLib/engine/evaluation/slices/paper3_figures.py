"""What paper 3 prints in its Tables 4.3 and 5.1 to 5.4, as shares where it has percent: data.

References:
    N. Reddipalli, Evaluation of State-Of-The-Art image generation models in Unsupervised Anomaly
    Detection using Brain MRI, 2022.
"""

from __future__ import annotations

from typing import Any

from PETAnomalyLib.engine.evaluation.slices.heads import MASS, STROKE
from PETAnomalyLib.engine.evaluation.slices.paper3 import AUPRC, AUROC, DICE_S, DICE_T
from PETAnomalyLib.engine.evaluation.slices.paper_rows import Key, PaperRow, Printed

SAMPLE, SLICE, PIXEL, MEDIAN, SIZE = "sample", "slice", "pixel", "smaller median", "size"
"""Tables 5.1, 5.2, 5.3, the 5 x 5 half of 5.4, and 4.3."""
PARAMETERS = "parameters"

DATA_SETS = {MASS: "BraTS19, 223 patients", STROKE: "ATLAS, 202 patients"}

Two = tuple[float, float]
Pixels = tuple[float, float, float, float]  # DICE_T, DICE_S and its spread, AUPRC


def _percent(value: float, spread: float | None = None) -> Printed:
    return Printed(round(value / 100, 4), None if spread is None else round(spread / 100, 4))


def _row(
    name: str,
    family: str,
    sizes: dict[str, Any],
    size: str,
    sample: tuple[Two, Two],
    slices: tuple[Two, Two],
    pixels: tuple[Pixels, Pixels],
    median: tuple[tuple[float, float, float], tuple[float, float, float]] | None = None,
    parameters: int | None = None,
) -> PaperRow:
    """A row; of each pair BraTS comes first, ATLAS second."""
    figures: dict[Key, Printed] = {}
    for number, disease in enumerate((MASS, STROKE)):
        for part, (auroc, auprc) in ((SAMPLE, sample[number]), (SLICE, slices[number])):
            figures[part, disease, AUROC] = _percent(auroc)
            figures[part, disease, AUPRC] = _percent(auprc)
        total, subjects, spread, area = pixels[number]
        figures[PIXEL, disease, DICE_T] = _percent(total)
        figures[PIXEL, disease, DICE_S] = _percent(subjects, spread)
        figures[PIXEL, disease, AUPRC] = _percent(area)
        if median is not None:
            total, subjects, spread = median[number]
            figures[MEDIAN, disease, DICE_T] = _percent(total)
            figures[MEDIAN, disease, DICE_S] = _percent(subjects, spread)
    if parameters is not None:
        figures[SIZE, "", PARAMETERS] = Printed(parameters, digits=0)
    return PaperRow(name, family, sizes, figures, size)


def _code(dimensions: int, vectors: int) -> dict[str, int]:
    return {"code_length": dimensions, "codebook": vectors}


TABLES_5 = (
    _row("VAE", "vae", {"code": 128}, "128",
         ((45.43, 30.36), (89.67, 78.35)), ((84.08, 82.77), (86.27, 72.89)),
         ((24.94, 21.72, 12.58, 17.54), (31.00, 13.68, 18.41, 21.32)), parameters=1_915_041),
    _row("VAE", "vae", {"code": 256}, "256",
         ((37.09, 26.67), (88.82, 77.84)), ((84.32, 83.16), (86.42, 73.74)),
         ((24.34, 20.88, 12.97, 17.34), (31.43, 13.08, 18.29, 21.70)),
         ((21.27, 18.65, 10.89), (22.09, 10.32, 14.59))),
    _row("VQVAE", "vqvae", _code(256, 128), "256 x 128",
         ((19.09, 20.11), (84.54, 66.53)), ((82.78, 79.55), (84.62, 66.41)),
         ((18.24, 17.71, 9.48, 10.38), (7.45, 4.70, 6.72, 3.85))),
    _row("VQVAE", "vqvae", _code(256, 64), "256 x 64",
         ((21.74, 20.82), (84.49, 66.93)), ((82.55, 79.36), (85.02, 68.31)),
         ((17.92, 17.43, 9.35, 11.65), (9.88, 5.45, 8.43, 5.25)),
         ((17.53, 17.08, 9.15), (7.72, 4.88, 6.44))),
    _row("VQGAN", "vqgan", _code(64, 128), "64 x 128",
         ((75.64, 59.84), (89.69, 77.41)), ((83.54, 81.77), (85.10, 68.14)),
         ((27.30, 23.76, 13.59, 20.52), (31.80, 12.05, 18.22, 22.34)),
         ((23.19, 20.74, 10.87), (21.19, 9.09, 14.04))),
    _row("VQGAN", "vqgan", _code(64, 64), "64 x 64",
         ((81.42, 68.88), (90.80, 79.94)), ((83.66, 82.42), (86.01, 70.61)),
         ((25.87, 22.36, 13.19, 18.61), (30.98, 11.54, 17.89, 21.06))),
)  # fmt: skip
"""Embedding dimensions x vectors, the two best of each model; the first is the better by DICE_T of
BraTS, and stands beside ours of other sizes."""


def _counted(name: str, family: str, sizes: dict[str, Any], size: str, parameters: int) -> PaperRow:
    return PaperRow(
        name, family, sizes, {(SIZE, "", PARAMETERS): Printed(parameters, digits=0)}, size
    )


TABLE_4_3 = (
    _counted("VAE", "vae", {"code": 64}, "64", 1_423_393),
    _counted("VQVAE", "vqvae", _code(128, 128), "128 x 128", 1_005_825),
    _counted("VQVAE", "vqvae", _code(128, 256), "128 x 256", 1_022_209),
    _counted("VQGAN", "vqgan", _code(128, 128), "128 x 128", 73_445_826),
    _counted("VQGAN", "vqgan", _code(128, 256), "128 x 256", 73_462_210),
)
"""Sizes of which only the parameters are printed."""

ABOUT_PARAMETERS = (
    "The paper counts a VQGAN with its discriminator, 2,763,585 of 73,445,826 numbers. It is for "
    "training alone: a model on disk has none."
)
