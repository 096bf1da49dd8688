"""Example studies of an evaluation side by side, in the style of paper 1's Figure 2.

One line a study: the PET, the true lesions, the maps, and the findings over the PET.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from PETAnomalyLib.engine.evaluation.cohort_evaluation import Row
from PETAnomalyLib.engine.evaluation.study_judgement import Detections
from PETAnomalyLib.engine.figures.drawing import INK, PAPER, font, heat, plain
from PETAnomalyLib.engine.figures.projection import (
    CORONAL,
    FINDING,
    SUV_WINDOW,
    TRUTH,
    grey,
    map_range,
    outline,
    to_lps,
)
from PETAnomalyLib.engine.findings.delineation import Delineator
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy
from PETAnomalyLib.engine.study.lesion_mask import known_lesions
from PETAnomalyLib.engine.study.study import read_pet

HEIGHT = 330  # of the tallest study, pixels
ABOVE, MARGIN, GAP = 44, 16, 6
BODY_SUV = 0.1
EXAMPLES = 4
SEED = 0


def choose_examples(row: Row) -> list[str]:
    """Four studies with lesions at random, as the paper's, by name; the same each time."""
    with_lesions = [study.study for study in row.by_study if study.lesions]
    count = min(EXAMPLES, len(with_lesions))
    return sorted(np.random.default_rng(SEED).choice(with_lesions, count, replace=False).tolist())


def write_examples(
    path: Path,
    studies: Sequence[CohortStudy],
    maps: Mapping[str, Row],
    drawn: Row,
    detections: Detections,
) -> None:
    """Write the picture.

    Args:
        path: the PNG file.
        studies: one a line.
        maps: the rows whose maps are shown, by their captions.
        drawn: the row whose findings are shown, at the threshold that is best for them.
        detections: where the maps lie.
    """
    lines = [_line(study, list(maps.values()), drawn, detections) for study in studies]
    captions = ["PET", "true lesions", *maps, "findings"]
    widths = [max(line[n].width for line in lines) for n in range(len(captions))]
    wide = 2 * MARGIN + sum(widths) + GAP * (len(widths) - 1)
    tall = ABOVE + sum(line[0].height + GAP for line in lines) + MARGIN
    page = Image.new("RGB", (wide, tall), PAPER)
    draw = ImageDraw.Draw(page)
    x = MARGIN
    for n, caption in enumerate(captions):
        words = plain(caption).replace(" + ", "\n+ ")
        draw.multiline_text(
            (x + widths[n] / 2, ABOVE - 6), words, INK, font(13), "md", align="center"
        )
        y = ABOVE
        for line in lines:
            page.paste(line[n], (x + (widths[n] - line[n].width) // 2, y))
            y += line[n].height + GAP
        x += widths[n] + GAP
    y = ABOVE
    for letter, line in zip("ABCDEFGH", lines):
        draw.text((MARGIN + 4, y + 2), letter, INK, font(18))
        y += line[0].height + GAP
    page.save(path, format="PNG")


def _line(
    study: CohortStudy, maps: Sequence[Row], drawn: Row, detections: Detections
) -> list[Image.Image]:
    pet = read_pet(study.pet)[0]
    truth = known_lesions(study, pet) > 0
    suv = _shadow(pet)
    body = np.flatnonzero((suv > BODY_SUV).any(axis=0))
    across = slice(int(body[0]), int(body[-1]) + 1) if body.size else slice(None)
    spacing = to_lps(pet).GetSpacing()[::-1]
    mm = (spacing[0], spacing[CORONAL.across])
    scale = HEIGHT / (len(suv) * mm[0])

    def picture(flat: NDArray[np.float32], black: float, white: float) -> Image.Image:
        return grey(flat[:, across], mm, scale, black, white)

    lesions = _shadow(_like(pet, truth))
    uptake = picture(suv, SUV_WINDOW, 0.0).convert("RGB")
    panels = [uptake, picture(lesions.astype(np.float32), 1.0, 0.0).convert("RGB")]
    rules = [row.rule for row in maps]
    for row, (score, _) in zip(maps, detections.maps(study, rules, pet)):
        flat = _shadow(score)
        low, high = map_range(flat, row.map.best_threshold)
        panels.append(heat(picture(flat, low, high)))
    (score, mask) = next(detections.maps(study, [drawn.rule], pet))
    labels = Delineator(score, pet, mask).at(
        drawn.best_findings.threshold, drawn.rule.grow, drawn.rule.min_volume_ml
    )
    found = uptake.copy()
    outline(found, lesions[::-1, across] > 0, TRUTH, dashed=True)
    outline(found, _shadow(labels.labels)[::-1, across] > 0, FINDING, dashed=False)
    return [*panels, found]


def _shadow(image: sitk.Image) -> NDArray[np.float32]:
    return np.asarray(sitk.GetArrayViewFromImage(to_lps(image)).max(axis=CORONAL.axis))


def _like(pet: sitk.Image, mask: NDArray[np.bool_]) -> sitk.Image:
    image = sitk.GetImageFromArray(mask.astype(np.uint8))
    image.CopyInformation(pet)
    return image
