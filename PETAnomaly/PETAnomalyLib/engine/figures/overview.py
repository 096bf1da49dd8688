"""The overview picture: PET and anomaly map in two projections, with the findings drawn on both.

Coronal and sagittal maximum-intensity projections; `projection.py` says how they are made.
Pillow draws it: Slicer ships Pillow, and not matplotlib, which takes 2.4 times the seconds for the
panels alone, more than ours once more to import, and has nothing that keeps the findings' numbers
clear of each other (Testing/benchmarks/bench_libraries.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw

from PETAnomalyLib.engine.figures.drawing import FAINT, INK, PAPER, Colour, font, heat, plain
from PETAnomalyLib.engine.figures.page import (
    MAP_NAMES,
    SCALE_WIDTH,
    draw_footer,
    draw_legend,
    draw_rows,
    draw_scale_marks,
    first_row,
)
from PETAnomalyLib.engine.figures.projection import (
    FINDING,
    SUV_WINDOW,
    TRUTH,
    VIEWS,
    Box,
    View,
    grey,
    map_range,
    mips,
    outline,
    to_lps,
)
from PETAnomalyLib.engine.findings.measures import Finding, bounding_boxes, total

BODY_SUV = 0.1  # what is body rather than air
TABLE_ROWS = 20
NUMBERED = 30  # more numbers than this would hide the picture

HEIGHT = 860  # of the projections, pixels, at most
WIDTH = 1480  # of all projections together, pixels, at most
MOST_PIXELS_PER_MM = 3.0
MARGIN = 28
BAR = 88  # width that a colour scale takes with its numbers
TABLE = 300
ABOVE = 104  # title, captions
BELOW = 76  # legend, footer


@dataclass(frozen=True)
class _Study:
    """What is to be drawn, in LPS order; projections are (k, j or i), feet first, one a view."""

    pet: tuple[NDArray[np.float32], ...]
    score: tuple[NDArray[np.float32], ...]
    findings: tuple[list[tuple[Finding, NDArray[np.bool_]]], ...]  # with their shadows
    truth: tuple[NDArray[np.bool_], ...]  # shadows of all true lesions; empty where not known
    across: tuple[slice, slice]  # what of each view holds the body
    spacing: tuple[float, float, float]  # k, j, i, mm


def overview(
    path: Path,
    pet: sitk.Image,
    score: sitk.Image,
    scorer_name: str,
    labels: sitk.Image,
    findings: Sequence[Finding],
    truth: sitk.Image | None = None,
    title: str = "",
    threshold: float | None = None,
) -> None:
    """Draw the overview of a detection and write it as PNG.

    Args:
        path: the PNG file.
        pet, score, labels, truth: SUVbw, anomaly map, finding numbers and, where it is known, the
            true lesions; on one grid.
        scorer_name: the scorer that made the map: `kde`, `zscore`, `residual`.
        findings: as in the table; the first ones are listed beside the pictures.
        title: the study and the model, shown on top.
        threshold: marked on the map's scale.
    """
    study = _projected(pet, score, labels, findings, truth)
    low, high = map_range(study.score[0], threshold)
    scale = _pixels_per_mm(study)
    map_name = MAP_NAMES.get(scorer_name, scorer_name)

    panels: list[Image.Image] = []
    captions = []
    for name, is_map in (("PET", False), (map_name, True)):
        for number, view in enumerate(VIEWS):
            if is_map:
                panel = heat(_grey(study, study.score[number], number, scale, low, high))
            else:
                shades = _grey(study, study.pet[number], number, scale, SUV_WINDOW, 0.0)
                panel = shades.convert("RGB")
            _draw_outlines(panel, study, number)
            _draw_marks(panel, view, PAPER if is_map else INK)
            panels.append(panel)
            captions.append(f"{name}, {view.name} MIP")

    height = panels[0].height
    gap = 10
    width = 2 * MARGIN + sum(panel.width for panel in panels) + 2 * gap + 2 * BAR + TABLE
    rows_height = 80 + 24 * (min(len(findings), TABLE_ROWS) + 3)
    page = Image.new("RGB", (width, ABOVE + max(height, rows_height) + BELOW), PAPER)
    draw = ImageDraw.Draw(page)
    heading = title or "PET anomaly detection"
    draw.text((MARGIN, 22), plain(f"{heading}  |  {map_name}"), INK, font(26))

    x = MARGIN
    for index, (panel, caption) in enumerate(zip(panels, captions)):
        draw.text((x, ABOVE - 26), plain(caption), FAINT, font(16))
        page.paste(panel, (x, ABOVE))
        draw.rectangle((x - 1, ABOVE - 1, x + panel.width, ABOVE + height), outline=(200, 200, 205))
        x += panel.width + gap
        if index == 1:
            _draw_scale(page, x, height, "SUV", 0.0, SUV_WINDOW, None, coloured=False)
            x += BAR - gap
        if index == 3:
            _draw_scale(page, x, height, "score", low, high, threshold, coloured=True)
            x += BAR - gap
    _draw_table(draw, x + gap, findings)
    _draw_legend(draw, page.height - BELOW + 14, findings, truth is not None)
    draw_footer(draw, MARGIN, page.height - 30)
    page.save(path, format="PNG")


def _projected(
    pet: sitk.Image,
    score: sitk.Image,
    labels: sitk.Image,
    findings: Sequence[Finding],
    truth: sitk.Image | None,
) -> _Study:
    """All images turned to LPS axes and projected once."""
    turned = to_lps(pet)
    pet_mips = mips(turned)
    spacing = turned.GetSpacing()[::-1]
    across = []
    for view, mip in zip(VIEWS, pet_mips):
        body = np.flatnonzero((mip > BODY_SUV).any(axis=0))
        first, last = (int(body[0]), int(body[-1])) if body.size else (0, mip.shape[1] - 1)
        air = math.ceil(10.0 / spacing[view.across])
        across.append(slice(max(0, first - air), min(mip.shape[1], last + 1 + air)))
    return _Study(
        pet=pet_mips,
        score=mips(to_lps(score)),
        findings=_shadows(to_lps(labels), findings),
        truth=() if truth is None else mips(to_lps(truth) != 0),
        across=(across[0], across[1]),
        spacing=spacing,
    )


def _shadows(
    labels: sitk.Image, findings: Sequence[Finding]
) -> tuple[list[tuple[Finding, NDArray[np.bool_]]], ...]:
    array = sitk.GetArrayViewFromImage(labels)
    boxes = dict(bounding_boxes(array))
    found: tuple[list, ...] = tuple([] for _ in VIEWS)
    for finding in findings:
        if finding.number not in boxes:
            continue
        box = boxes[finding.number]
        inside = array[box] == finding.number
        for view, shadows in zip(VIEWS, found):
            shadow = np.zeros((array.shape[0], array.shape[view.across]), bool)
            shadow[box[0], box[view.across]] = inside.any(axis=view.axis)
            shadows.append((finding, shadow))
    return found


def _pixels_per_mm(study: _Study) -> float:
    tall = study.pet[0].shape[0] * study.spacing[0]
    wide = sum(
        (part.stop - part.start) * study.spacing[view.across]
        for view, part in zip(VIEWS, study.across)
    )
    return min(HEIGHT / tall, WIDTH / (2 * wide), MOST_PIXELS_PER_MM)


def _grey(
    study: _Study, mip: NDArray[np.float32], number: int, scale: float, black: float, white: float
) -> Image.Image:
    """A projection as grey, head up, `scale` pixels a millimetre."""
    mm = (study.spacing[0], study.spacing[VIEWS[number].across])
    return grey(mip[:, study.across[number]], mm, scale, black, white)


def _draw_outlines(panel: Image.Image, study: _Study, number: int) -> None:
    """Truth dashed below, findings on top, then the numbers, which keep clear of each other."""
    part = study.across[number]
    if study.truth:
        outline(panel, study.truth[number][::-1, part] > 0, TRUTH, dashed=True)
    placed = []
    for finding, shadow in study.findings[number]:
        edges = outline(panel, shadow[::-1, part], FINDING, dashed=False)
        placed.append((f"{finding.number}{'*' if finding.growth_limited else ''}", edges))
    draw = ImageDraw.Draw(panel)
    taken: list[Box] = []
    for text, edges in placed[:NUMBERED]:
        _draw_number(draw, text, edges, taken, panel.size)


def _draw_number(
    draw: ImageDraw.ImageDraw, text: str, edges: Box, taken: list[Box], panel: tuple[int, int]
) -> None:
    """A number beside its finding, at the nearest place where no other number stands."""
    letters = font(17)
    left, top, right, bottom = draw.textbbox((0, 0), text, font=letters)
    wide, tall = right - left, bottom - top
    middle = ((edges[0] + edges[2]) / 2, (edges[1] + edges[3]) / 2)
    best: Box | None = None
    for distance in (5, 20, 36, 54, 74):
        for angle in range(0, 360, 30):
            away = (math.cos(math.radians(angle)), math.sin(math.radians(angle)))
            x = middle[0] + away[0] * ((edges[2] - edges[0] + wide) / 2 + distance) - wide / 2
            y = middle[1] + away[1] * ((edges[3] - edges[1] + tall) / 2 + distance) - tall / 2
            place = (x, y, x + wide, y + tall)
            inside = x >= 2 and y >= 2 and place[2] <= panel[0] - 2 and place[3] <= panel[1] - 2
            if inside and not any(_overlap(place, other) for other in taken):
                best = place
                break
        if best is not None:
            break
    if best is None:
        return
    taken.append(best)
    if distance > 5:
        draw.line((*middle, (best[0] + best[2]) / 2, (best[1] + best[3]) / 2), FINDING, 1)
    draw.text(
        (best[0] - left, best[1] - top),
        text,
        FINDING,
        letters,
        stroke_width=2,
        stroke_fill=PAPER,
    )


def _overlap(one: Box, other: Box) -> bool:
    return (
        one[0] < other[2] + 3
        and other[0] < one[2] + 3
        and one[1] < other[3] + 3
        and other[1] < one[3] + 3
    )


def _draw_marks(panel: Image.Image, view: View, ink: Colour) -> None:
    edge = PAPER if ink == INK else INK
    draw = ImageDraw.Draw(panel)
    for text, x, anchor in ((view.marks[0], 6, "la"), (view.marks[1], panel.width - 6, "ra")):
        draw.text((x, 5), text, ink, font(20), anchor, stroke_width=2, stroke_fill=edge)


def _draw_scale(
    page: Image.Image,
    x: int,
    height: int,
    name: str,
    low: float,
    high: float,
    threshold: float | None,
    coloured: bool,
) -> None:
    """A vertical colour scale with numbers, and the threshold where one is given."""
    draw = ImageDraw.Draw(page)
    tall, top = min(320, max(height, 160) - 40), ABOVE + 24
    ramp = Image.fromarray(np.round(np.linspace(255, 0, tall)).astype(np.uint8)[:, None])
    ramp = ramp.resize((SCALE_WIDTH, tall))
    page.paste(heat(ramp) if coloured else ImageChops.invert(ramp), (x, top))
    draw.rectangle((x - 1, top - 1, x + SCALE_WIDTH, top + tall), outline=(160, 160, 165))
    draw.text((x - 2, top - 24), name, INK, font(16))

    draw_scale_marks(draw, x, top, tall, low, high, threshold)


def _draw_table(draw: ImageDraw.ImageDraw, x: int, findings: Sequence[Finding]) -> None:
    """The first findings and the totals, right-aligned as in a report."""
    columns = (("No.", 34), ("SUVmax", 108), ("MTV ml", 188), ("score", 262))
    shown = findings[:TABLE_ROWS]
    rows = [
        (
            str(finding.number),
            f"{finding.suv_max:.1f}",
            f"{finding.mtv_ml:.1f}",
            f"{finding.score_max:.2f}",
        )
        for finding in shown
    ]
    y = draw_rows(draw, x, ABOVE, columns, rows, len(findings) - TABLE_ROWS)
    for number, finding in enumerate(shown):
        if finding.growth_limited:
            draw.text((x + columns[0][1] + 1, first_row(ABOVE, number)), "*", INK, font(16))
    sums = total(findings)
    words = "no findings" if not findings else f"{sums.count} finding{'s'[: sums.count > 1]}"
    draw.text((x, y + 8), words, INK, font(16))
    foreign = sum(finding.unfamiliar for finding in findings)
    if foreign:
        draw.text((x, y + 56), f"{foreign} in regions unlike the model's", INK, font(16))
    if findings:
        sum_text = f"TMTV {sums.tmtv_ml:.1f} ml   TLG {sums.tlg_g:.0f} g"
        draw.text((x, y + 32), sum_text, INK, font(16))


def _draw_legend(
    draw: ImageDraw.ImageDraw, y: int, findings: Sequence[Finding], with_truth: bool
) -> None:
    x = draw_legend(draw, float(MARGIN), y, with_truth)
    if any(finding.growth_limited for finding in findings):
        draw.text(
            (x, y),
            "* growth limited: where the contour leaked, it is the map's own",
            INK,
            font(16),
        )
