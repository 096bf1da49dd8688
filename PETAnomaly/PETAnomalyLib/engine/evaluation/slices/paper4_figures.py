"""What paper 4 prints in its Tables 1 and 2, as shares: data.

References:
    K. Rashmi et al., Ano-swinMAE: Unsupervised Anomaly Detection in Brain MRI using Swin
    Transformer-based Masked Auto Encoder, MIDL 2024.
"""

from __future__ import annotations

from typing import NamedTuple

from PETAnomalyLib.engine.evaluation.slices.heads import HYPERINTENSITIES, MASS, PLAQUES
from PETAnomalyLib.engine.evaluation.slices.paper4 import AUPRC, DICE
from PETAnomalyLib.engine.evaluation.slices.paper_rows import Key, PaperRow, Printed

PIXEL, CROSS, SIZE = "pixel", "cross", "size"
"""Parts: Table 1's figures, Table 2's, and what Table 1 says of a model by itself."""

PARAMETERS, SECONDS = "parameters", "seconds"

DATA_SETS = {MASS: "BraTS21", PLAQUES: "MSLUB", HYPERINTENSITIES: "WMH"}

MASK = "mask"
"""The size that tells two rows of one model apart: the edge of the mask, mm here."""

DIFFUSION, SMALL_MASK, LARGE_MASK = "autoDDPM", "Ano-swinMAE (32x32)", "Ano-swinMAE (64x64)"


class Direction(NamedTuple):
    """Trained on one contrast, run on another, on heads with a disease."""

    trained: str
    shown: str
    disease: str

    @property
    def name(self) -> str:
        """Of the heads, in the table."""
        return f"{self.trained} to {self.shown}"


T1_TO_T2 = Direction("T1w", "T2w", MASS)
T2_TO_T1 = Direction("T2w", "T1w", MASS)
T1_TO_FLAIR = Direction("T1w", "FLAIR", HYPERINTENSITIES)
DIRECTIONS = (T1_TO_T2, T2_TO_T1, T1_TO_FLAIR)

Two = tuple[float, float]  # Dice and AUPRC


def _printed(part: str, heads: str, figures: Two) -> dict[Key, Printed]:
    return {(part, heads, measure): Printed(v) for measure, v in zip((DICE, AUPRC), figures)}


def _row(
    name: str,
    family: str,
    brats: Two,
    mslub: Two,
    millions: float,
    seconds: float,
    mask: int | None = None,
) -> PaperRow:
    figures = {
        **_printed(PIXEL, MASS, brats),
        **_printed(PIXEL, PLAQUES, mslub),
        (SIZE, "", PARAMETERS): Printed(millions * 1e6),
        (SIZE, "", SECONDS): Printed(seconds, digits=2),
    }
    return PaperRow(name, family, {} if mask is None else {MASK: mask}, figures)


TABLE_1 = (
    _row("VAE", "vae", (0.3111, 0.2880), (0.0689, 0.0500), 4.96, 0.02),
    _row("f-AnoGAN", "f-anogan", (0.2416, 0.2205), (0.0418, 0.0401), 5.56, 0.04),
    _row("MAE", "mae", (0.3197, 0.2544), (0.1546, 0.1056), 329, 90),
    _row(DIFFUSION, "auto-ddpm", (0.3580, 0.2907), (0.1935, 0.1179), 18.5, 16.32),
    _row(SMALL_MASK, "ano-swinmae", (0.4255, 0.3044), (0.1978, 0.1278), 26.1, 52, 32),
    _row(LARGE_MASK, "ano-swinmae", (0.4292, 0.3024), (0.1852, 0.1250), 26.1, 14.38, 64),
)
"""Table 1."""

_TABLE_2 = {
    DIFFUSION: {T1_TO_T2: (0.3087, 0.2567), T2_TO_T1: (0.2977, 0.2588),
                T1_TO_FLAIR: (0.3597, 0.3291)},
    LARGE_MASK: {T1_TO_T2: (0.3899, 0.2719), T2_TO_T1: (0.2862, 0.2511),
                 T1_TO_FLAIR: (0.3592, 0.2995)},
}  # fmt: skip

TABLE_2 = {
    direction: [
        PaperRow(row.name, row.family, row.sizes, _printed(CROSS, direction.name, figures))
        for row in TABLE_1
        if (figures := _TABLE_2.get(row.name, {}).get(direction))
    ]
    for direction in DIRECTIONS
}
"""Table 2."""

TREND = {"MAE": 1, SMALL_MASK: 1, LARGE_MASK: 1, DIFFUSION: -1}
"""Whether brighter masses are found better (1) or worse, section 4.2.1."""
