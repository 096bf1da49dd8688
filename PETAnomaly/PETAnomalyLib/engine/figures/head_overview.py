"""The overview picture of an MR: axial slices through its findings, the map below them.

In true millimetres and the radiological view: the patient's right on the left, the face up.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from PETAnomalyLib.engine.figures.drawing import FAINT, INK, PAPER, font, heat, plain
from PETAnomalyLib.engine.figures.page import (
    MAP_NAMES,
    SCALE_WIDTH,
    draw_footer,
    draw_legend,
    draw_rows,
    draw_scale_marks,
)
from PETAnomalyLib.engine.figures.projection import (
    FINDING,
    TRUTH,
    grey,
    map_range,
    outline,
    to_lps,
)
from PETAnomalyLib.engine.findings.head_measures import HeadFinding, total_volume_ml

COLUMNS = 6  # slices that are shown
PANEL = 250  # pixels across
TABLE_ROWS = 14
NUMBERED = 12  # findings in a slice; more numbers would hide it
MARGIN, GAP, ABOVE, BELOW, BAR, TABLE = 28, 8, 104, 76, 88, 390
_APART_MM = 4.0  # of two slices that are shown
_BRIGHTEST = 99.5  # percentile shown white


def head_overview(
    path: Path,
    image: sitk.Image,
    score: sitk.Image,
    scorer_name: str,
    labels: sitk.Image,
    findings: Sequence[HeadFinding],
    truth: sitk.Image | None = None,
    title: str = "",
    threshold: float | None = None,
) -> None:
    """Draw the overview of a detection in an MR and write it as PNG.

    Args:
        path: the PNG file.
        image, score, labels, truth: MR, anomaly map, finding numbers and, where it is known, the
            true lesions; on one grid.
        scorer_name: the scorer that made the map.
        findings: as in the table; the first ones are listed beside the pictures.
        title: the study and the model, shown on top.
        threshold: marked on the map's scale.
    """
    turned = [to_lps(one) for one in (image, score, labels)]
    mr, map_values, drawn = (sitk.GetArrayFromImage(one) for one in turned)
    known = None if truth is None else sitk.GetArrayFromImage(to_lps(truth)) > 0
    step_k, *mm = turned[0].GetSpacing()[::-1]
    places = _slices(drawn, map_values, step_k)
    scale = PANEL / (mr.shape[2] * mm[1])
    low, high = map_range(map_values.max(axis=0), threshold)
    white = float(np.percentile(mr[mr > mr.min()], _BRIGHTEST)) if mr.max() > mr.min() else 1.0
    rows: list[list[Image.Image]] = [[], []]
    for place in places:
        pictures = (
            _slice(mr[place], (mm[0], mm[1]), scale, float(mr.min()), white).convert("RGB"),
            heat(_slice(map_values[place], (mm[0], mm[1]), scale, low, high)),
        )
        for row, picture in zip(rows, pictures):
            if known is not None:
                outline(picture, known[place], TRUTH, dashed=True)
            _outline_findings(picture, drawn[place])
            row.append(picture)
    height = rows[0][0].height
    width = 2 * MARGIN + len(places) * (PANEL + GAP) + BAR + TABLE
    page = Image.new("RGB", (width, ABOVE + 2 * height + 40 + BELOW), PAPER)
    draw = ImageDraw.Draw(page)
    map_name = MAP_NAMES.get(scorer_name, scorer_name)
    heading = title or "Brain MR anomaly detection"
    draw.text((MARGIN, 22), plain(f"{heading}  |  {map_name}"), INK, font(26))
    for number, (row, name) in enumerate(zip(rows, ("MR", map_name))):
        y = ABOVE + number * (height + 40)
        draw.text((MARGIN, y - 26), plain(f"{name}, axial"), FAINT, font(16))
        for column, picture in enumerate(row):
            x = MARGIN + column * (PANEL + GAP)
            page.paste(picture, (x, y))
            draw.text((x + 6, y + 5), "R", PAPER, font(18))
            draw.text((x + PANEL - 6, y + 5), "L", PAPER, font(18), anchor="ra")
    x = MARGIN + len(places) * (PANEL + GAP) + GAP
    _draw_scale(page, x, ABOVE + height + 40, height, low, high, threshold)
    _draw_table(draw, x + BAR, findings)
    draw_legend(draw, float(MARGIN), page.height - BELOW + 14, known is not None)
    draw_footer(draw, MARGIN, page.height - 30)
    page.save(path, format="PNG")


def _outline_findings(picture: Image.Image, labels: NDArray[np.integer]) -> None:
    """Each finding of a slice, its number at the upper right of it."""
    draw = ImageDraw.Draw(picture)
    for number in np.unique(labels[labels > 0])[:NUMBERED]:
        edges = outline(picture, labels == number, FINDING, dashed=False)
        corner = (min(edges[2] + 3, PANEL - 14), max(edges[1] - 14, 2))
        draw.text(corner, str(number), FINDING, font(16), stroke_width=2, stroke_fill=PAPER)


def _slices(drawn: NDArray[np.integer], score: NDArray[np.floating], step_mm: float) -> list[int]:
    """Places of slices, from the top: through the first findings, then at even steps of the map."""
    wanted = []
    for number in range(1, int(drawn.max()) + 1):
        areas = (drawn == number).sum(axis=(1, 2))
        if areas.any():
            wanted.append(int(areas.argmax()))
        if len(wanted) > 4 * COLUMNS:
            break
    inside = np.flatnonzero((score > score.min()).any(axis=(1, 2)))
    first, last = (inside[0], inside[-1]) if inside.size else (0, score.shape[0] - 1)
    wanted += [round(first + (last - first) * part) for part in (0.5, 0.65, 0.35, 0.8, 0.2, 0.9)]
    apart = max(1, math.ceil(_APART_MM / step_mm))
    chosen: list[int] = []
    for place in wanted:
        if len(chosen) < COLUMNS and all(abs(place - other) >= apart for other in chosen):
            chosen.append(int(place))
    return sorted(chosen, reverse=True)


def _slice(
    flat: NDArray[np.floating], mm: tuple[float, float], scale: float, black: float, white: float
) -> Image.Image:
    """`grey` begins with the last row, as a projection's head does; a slice's first is the face."""
    return grey(flat[::-1].astype(np.float32), mm, scale, black, max(white, black + 1e-6))


def _draw_scale(
    page: Image.Image, x: int, top: int, height: int, low: float, high: float,
    threshold: float | None,
) -> None:  # fmt: skip
    draw = ImageDraw.Draw(page)
    tall = height - 40
    ramp = Image.fromarray(np.round(np.linspace(255, 0, tall)).astype(np.uint8)[:, None])
    page.paste(heat(ramp.resize((SCALE_WIDTH, tall))), (x, top + 24))
    draw.text((x - 2, top), "score", INK, font(16))
    draw_scale_marks(draw, x, top + 24, tall, low, high, threshold)


def _draw_table(draw: ImageDraw.ImageDraw, x: int, findings: Sequence[HeadFinding]) -> None:
    columns = (("No.", 34), ("ml", 104), ("mm", 174), ("score", 250))
    rows = [
        (
            str(one.number),
            f"{one.volume_ml:.1f}",
            f"{one.diameter_mm:.0f}",
            f"{one.score_max:.2f}",
        )
        for one in findings[:TABLE_ROWS]
    ]
    y = draw_rows(draw, x, ABOVE, columns, rows, len(findings) - TABLE_ROWS)
    words = "no findings"
    if findings:
        many = f"{len(findings)} finding{'s'[: len(findings) > 1]}"
        words = f"{many}, {total_volume_ml(findings):.1f} ml"
    draw.text((x, y + 8), words, INK, font(16))
