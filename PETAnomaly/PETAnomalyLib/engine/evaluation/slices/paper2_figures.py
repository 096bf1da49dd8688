"""What paper 2 prints in its Tables 2, 5 to 8: data.

References:
    A. Ghorbel et al., Transformer based Models for Unsupervised Anomaly Segmentation in Brain MR
    Images, 2022. The models with an asterisk are quoted there from W. Pinaya et al.,
    arXiv:2102.11650, and were trained on other heads.
"""

from __future__ import annotations

from PETAnomalyLib.engine.evaluation.slices.heads import HEALTHY, MASS, PLAQUES
from PETAnomalyLib.engine.evaluation.slices.paper2 import AUPRC, AUROC, DICE_OF_SLICES, SSIM
from PETAnomalyLib.engine.evaluation.slices.paper_rows import Key, PaperRow, Printed

PIXEL, FIDELITY = "pixel", "fidelity"
"""Parts of Table 2: of patients, and of healthy heads."""

DATA_SETS = {MASS: "BraTS-20, 31 patients", PLAQUES: "MSLUB, 18 patients", HEALTHY: "OASIS-3"}

Three = tuple[float, float, float, float]  # AUROC, AUPRC, [DSC] and its spread


def _of(disease: str, figures: Three) -> dict[Key, Printed]:
    auroc, auprc, dice, spread = figures
    return {
        (PIXEL, disease, AUROC): Printed(auroc),
        (PIXEL, disease, AUPRC): Printed(auprc),
        (PIXEL, disease, DICE_OF_SLICES): Printed(dice, spread),
    }


def _row(
    name: str,
    family: str,
    brats: Three,
    mslub: Three,
    ssim: float | None = None,
    sizes: tuple[int, int, int] | None = None,
) -> PaperRow:
    """A row; sizes are layers, patch and heads."""
    figures = {**_of(MASS, brats), **_of(PLAQUES, mslub)}
    if ssim is not None:
        figures[FIDELITY, HEALTHY, SSIM] = Printed(ssim)
    named = dict(zip(("layers", "patch", "heads"), sizes or ()))
    words = "{} layers, patch {}, {} heads".format(*sizes) if sizes else ""
    return PaperRow(name, family, named, figures, words)


def _quoted(name: str, brats: float, mslub: float) -> PaperRow:
    return PaperRow(
        name,
        figures={
            (PIXEL, MASS, DICE_OF_SLICES): Printed(brats, digits=3),
            (PIXEL, PLAQUES, DICE_OF_SLICES): Printed(mslub, digits=3),
        },
    )


TABLE_2 = (
    _row("AE (dense)", "ae-dense",
         (0.7648, 0.3493, 0.4584, 0.4017), (0.8765, 0.1299, 0.1687, 0.2955), 0.8758),
    _row("AE (spatial)", "ae-spatial",
         (0.6211, 0.0857, 0.3646, 0.4031), (0.7430, 0.0347, 0.1539, 0.2893), 0.9415),
    _row("VAE", "vae",
         (0.7733, 0.3923, 0.4663, 0.4041), (0.8263, 0.0863, 0.1751, 0.2985), 0.8761),
    _row("VQ-VAE", "vq-vae",
         (0.6992, 0.2549, 0.4306, 0.3889), (0.8881, 0.2441, 0.1724, 0.2952), 0.8724),
    _row("B_TAE", "b-tae",
         (0.6142, 0.1221, 0.4252, 0.4475), (0.7272, 0.0177, 0.1490, 0.2747), 0.9610),
    _row("DC_TAE", "dc-tae",
         (0.7802, 0.4250, 0.5017, 0.4056), (0.8861, 0.2025, 0.1728, 0.2971), 0.8269, (12, 16, 8)),
    _row("SC_TAE", "sc-tae",
         (0.6847, 0.2561, 0.4552, 0.4180), (0.6669, 0.0133, 0.1306, 0.2682), 0.9784),
    _row("H_TAE", "h-tae",
         (0.5472, 0.0716, 0.3593, 0.4020), (0.5788, 0.0374, 0.1592, 0.2865), 0.8987),
    _row("H_TAE_S", "h-tae-s",
         (0.7763, 0.5086, 0.5296, 0.4417), (0.6906, 0.0209, 0.1489, 0.2857), 0.9958, (8, 4, 4)),
    _quoted("Model 1*", 0.431, 0.097),
    _quoted("Model 2*", 0.476, 0.234),
    _quoted("Model 3*", 0.759, 0.378),
)  # fmt: skip
"""Table 2."""

TUNING = (
    _row("DC_TAE 8/8/4", "dc-tae", (0.7755, 0.3824, 0.4821, 0.4058),
         (0.8909, 0.0975, 0.1562, 0.2931), sizes=(8, 8, 4)),
    _row("DC_TAE 8/8/8", "dc-tae", (0.8016, 0.5193, 0.4935, 0.4128),
         (0.8892, 0.0444, 0.1556, 0.2920), sizes=(8, 8, 8)),
    _row("DC_TAE 8/16/4", "dc-tae", (0.7672, 0.3498, 0.4603, 0.4022),
         (0.8745, 0.1609, 0.1631, 0.2926), sizes=(8, 16, 4)),
    _row("DC_TAE 8/16/8", "dc-tae", (0.7890, 0.4673, 0.5060, 0.4064),
         (0.8765, 0.1299, 0.1687, 0.2955), sizes=(8, 16, 8)),
    _row("DC_TAE 12/8/4", "dc-tae", (0.7773, 0.3905, 0.4714, 0.4052),
         (0.8776, 0.1812, 0.1787, 0.2958), sizes=(12, 8, 4)),
    _row("DC_TAE 12/8/8", "dc-tae", (0.8012, 0.5411, 0.4977, 0.4117),
         (0.8657, 0.0329, 0.1599, 0.2915), sizes=(12, 8, 8)),
    _row("H_TAE_S 8/4/8", "h-tae-s", (0.5863, 0.1346, 0.3444, 0.3814),
         (0.5335, 0.0046, 0.1114, 0.2184), sizes=(8, 4, 8)),
)  # fmt: skip
"""Tables 7 and 8; layers/patch/heads. DC_TAE in the ablation (Tables 5 and 6) is 8/16/4."""
