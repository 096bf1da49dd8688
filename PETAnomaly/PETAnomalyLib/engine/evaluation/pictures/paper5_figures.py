"""Table 2 of paper 5's appendix as printed, per cent: mean and standard deviation.

"Iterative latent token masking", appendix C: "For each dataset category, AUROC (top row) and AUPRO
(bottom row) are given along with the respective standard deviation"; over what it is taken is not
said. One deviation of ILTM's (metal nut, AUPRO, 51.2) is printed so.
"""

from __future__ import annotations

from typing import NamedTuple

METHODS = ("AE", "VAE", "CutPaste", "NSA", "VQ-VAE + Transformer", "ILTM")
"""The table's columns: [1], [1], [16], [24], [19], and the paper's own."""

MeanAndDeviation = tuple[float, float]


class PrintedRows(NamedTuple):
    """A category's two rows, a figure for each of `METHODS`."""

    auroc: tuple[MeanAndDeviation, ...]
    aupro: tuple[MeanAndDeviation, ...]


PRINTED: dict[str, PrintedRows] = {
    "bottle": PrintedRows(
        ((45.9, 11.5), (65.5, 12.2), (82.0, 6.3), (91.1, 3.9), (87.2, 5.3), (95.1, 1.4)),
        ((2.8, 19.6), (39.3, 14.1), (65.7, 12.2), (81.0, 6.7), (81.9, 6.7), (91.0, 3.4)),
    ),
    "pill": PrintedRows(
        ((79.6, 10.0), (83.1, 8.9), (74.8, 8.2), (87.0, 5.3), (84.5, 4.8), (92.6, 2.8)),
        ((49.0, 19.2), (55.4, 19.4), (69.5, 11.1), (79.3, 8.6), (78.5, 9.6), (88.5, 6.9)),
    ),
    "screw": PrintedRows(
        ((54.0, 17.0), (75.2, 17.5), (80.8, 6.2), (81.2, 7.5), (81.2, 8.0), (89.9, 4.9)),
        ((22.2, 22.9), (36.0, 21.4), (73.1, 11.0), (76.1, 11.8), (71.4, 13.1), (82.7, 8.7)),
    ),
    "cable": PrintedRows(
        ((46.0, 13.1), (59.3, 15.4), (69.4, 7.4), (84.3, 6.5), (85.2, 6.7), (87.9, 6.1)),
        ((15.2, 13.6), (23.9, 13.6), (34.6, 13.6), (68.5, 13.2), (73.9, 13.2), (78.3, 16.4)),
    ),
    "hazelnut": PrintedRows(
        ((82.1, 12.8), (68.7, 12.0), (78.9, 9.5), (82.5, 6.8), (89.5, 10.6), (97.5, 1.1)),
        ((72.1, 12.7), (45.5, 19.8), (58.6, 12.7), (63.7, 10.6), (82.1, 6.1), (93.1, 3.6)),
    ),
    "zipper": PrintedRows(
        ((62.3, 9.5), (66.9, 8.3), (86.1, 8.1), (82.9, 8.0), (80.4, 7.6), (89.1, 5.1)),
        ((41.1, 12.4), (52.4, 10.2), (77.5, 11.8), (74.1, 9.3), (73.6, 14.9), (81.1, 6.2)),
    ),
    "metal nut": PrintedRows(
        ((78.3, 6.2), (77.2, 8.1), (75.1, 9.1), (84.1, 4.7), (82.1, 6.1), (90.1, 3.4)),
        ((61.2, 12.4), (59.1, 14.1), (59.1, 15.1), (70.1, 9.1), (75.1, 9.8), (83.5, 51.2)),
    ),
    "tile": PrintedRows(
        ((53.6, 9.2), (46.0, 14.5), (68.6, 13.8), (79.2, 9.3), (72.1, 12.0), (72.2, 14.1)),
        ((21.3, 15.8), (15.2, 18.7), (48.5, 18.4), (62.5, 15.2), (56.9, 18.2), (57.9, 21.4)),
    ),
    "wood": PrintedRows(
        ((49.5, 15.7), (59.2, 7.6), (69.0, 7.0), (74.7, 7.7), (81.7, 6.1), (88.2, 4.1)),
        ((18.9, 22.4), (34.1, 7.5), (46.3, 17.5), (55.1, 9.7), (75.7, 7.0), (90.2, 4.9)),
    ),
    "leather": PrintedRows(
        ((51.8, 9.0), (72.5, 20.5), (53.3, 15.2), (64.0, 7.5), (90.8, 3.0), (97.1, 1.6)),
        ((25.4, 13.0), (48.5, 25.2), (35.3, 21.6), (51.4, 14.4), (83.7, 6.4), (93.8, 1.9)),
    ),
    "carpet": PrintedRows(
        ((52.5, 7.8), (51.3, 3.3), (54.6, 14.2), (61.4, 14.9), (76.8, 15.0), (80.4, 8.5)),
        ((18.6, 9.8), (16.7, 3.9), (24.7, 19.0), (45.1, 19.4), (65.8, 21.5), (71.3, 14.7)),
    ),
    "grid": PrintedRows(
        ((55.9, 10.7), (59.4, 8.6), (73.6, 11.7), (82.5, 7.1), (81.5, 12.1), (89.0, 4.1)),
        ((22.8, 15.1), (20.9, 8.9), (65.3, 14.8), (75.2, 8.6), (72.5, 6.2), (82.0, 4.7)),
    ),
}  # fmt: skip

_SAME = {"nut": "metal nut"}
"""Categories of ours -> those of MVTec AD that they are made after."""


def printed(category: str) -> PrintedRows | None:
    """The rows of a category, by the name of its folder; None where the paper has none."""
    return PRINTED.get(_SAME.get(category, category.replace("_", " ")))
