"""`petanomaly evaluate --table5`: paper 5's Table 2, of models that it trains on pictures.

References:
    "Iterative latent token masking", appendix C, Table 2.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from PETAnomalyLib.engine.evaluation.pictures.category_models import (
    METHODS,
    as_figures,
    judged_category,
)
from PETAnomalyLib.engine.evaluation.pictures.judged_pictures import AUPRO, AUROC, PictureFigures
from PETAnomalyLib.engine.evaluation.pictures.paper5_figures import METHODS as PRINTED_METHODS
from PETAnomalyLib.engine.evaluation.pictures.paper5_figures import MeanAndDeviation, printed
from PETAnomalyLib.engine.evaluation.tables import table, write_table
from PETAnomalyLib.engine.phantom.texture.categories import TEXTURES
from PETAnomalyLib.engine.phantom.texture.cohort import write_texture_cohort
from PETAnomalyLib.engine.runtime.output import write_whole
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import Cluster, for_each
from PETAnomalyLib.engine.study.picture_cohort import find_categories

SEEDS = (0, 1)
TRAINING, TEST = range(1, 61), range(1_000_001, 1_000_041)
"""Seeds of the synthetic textures, of each category."""

_TRAINING_SHARE = 0.05  # of the progress: making textures


@dataclass(frozen=True)
class Cell:
    """One method on one category, by one measure; per cent.

    Attributes:
        category, measure, method: which.
        value: over all test pictures, the mean of the seeds; None where there is none of ours.
        over_pictures: standard deviation of the pictures with a defect, each by itself.
        over_seeds: standard deviation of the seeds' values.
        paper: mean and deviation as printed; None where the paper has none.
    """

    category: str
    measure: str
    method: str
    value: float | None
    over_pictures: float | None
    over_seeds: float | None
    paper: MeanAndDeviation | None


def table5(
    cohort: Path | None, out: Path, reporter: Reporter, workers: int | Cluster, fewer: int = 1
) -> str:
    """Make the table, and write `table5.md`, `.csv` and `.json`; returns the Markdown.

    What is kept in `out` already - textures, training runs, figures - is used again, and a training
    that was stopped goes on.

    Args:
        cohort: a category of pictures, or a folder of several; None for synthetic textures, in
            `out`/textures.
        out: where everything goes.
        reporter: told of the progress.
        workers: processes, or a cluster, that train and judge.
        fewer: see `judged_category`.

    Raises:
        InputError: a cohort that the table cannot be made of.
    """
    if cohort is None:
        cohort = _textures(out / "textures", reporter, workers)
    categories = find_categories(cohort)
    reporter.stage("train", f"Training and judging {len(categories)} categories")
    jobs = [(one.folder, out / "runs", seed, fewer) for seed in SEEDS for one in categories]
    values = for_each(judged_category, jobs, workers, reporter, (_TRAINING_SHARE, 1.0))
    by_category = {
        category.name: [
            as_figures(values[seed * len(categories) + number]) for seed in range(len(SEEDS))
        ]
        for number, category in enumerate(categories)
    }
    cells = cells_of(by_category)
    markdown = as_markdown(cells, by_category)
    _write(cells, by_category, markdown, out)
    return markdown


def cells_of(by_category: Mapping[str, Sequence[Mapping[str, PictureFigures]]]) -> list[Cell]:
    """Every cell of the table; by_category: category -> seed -> method."""
    cells = []
    for category, seeds in by_category.items():
        rows = printed(category)
        for measure in (AUROC, AUPRO):
            of_paper: tuple[MeanAndDeviation, ...] = ()
            if rows is not None:
                of_paper = rows.auroc if measure == AUROC else rows.aupro
            for number, method in enumerate(PRINTED_METHODS):
                paper = of_paper[number] if of_paper else None
                if method not in METHODS:
                    cells.append(Cell(category, measure, method, None, None, None, paper))
                    continue
                own = 100 * np.array([seed[method].whole[measure] for seed in seeds])
                each = 100 * np.array([seed[method].of_pictures[measure] for seed in seeds])
                cells.append(
                    Cell(category, measure, method, float(own.mean()),
                         float(each.mean(0).std()), float(own.std()), paper)
                )  # fmt: skip
    return cells


def as_markdown(
    cells: Sequence[Cell], by_category: Mapping[str, Sequence[Mapping[str, PictureFigures]]]
) -> str:
    """The table for people."""
    columns = ["category", ""]
    for method in PRINTED_METHODS:
        columns += [method, "paper"] if method in METHODS else [f"{method}, paper"]
    lines = []
    for category in by_category:
        for measure in (AUROC, AUPRO):
            line = [category if measure == AUROC else "", measure]
            for cell in cells:
                if (cell.category, cell.measure) != (category, measure):
                    continue
                if cell.method in METHODS:
                    line.append(_ours(cell))
                line.append("" if cell.paper is None else f"{cell.paper[0]} ± {cell.paper[1]}")
            lines.append(line)
    for measure in (AUROC, AUPRO):
        line = ["mean" if measure == AUROC else "", measure]
        for method in PRINTED_METHODS:
            own = [c.value for c in cells if (c.method, c.measure) == (method, measure)]
            known = [value for value in own if value is not None]
            line += [f"{np.mean(known):.1f}", ""] if method in METHODS else [""]
        lines.append(line)
    return (
        table(columns, lines)
        + "\nPer cent; pixels of all test pictures. First ±: standard deviation over the pictures "
        f"with a defect, each by itself; second: over {len(SEEDS)} seeds of the training. The "
        "paper's figures are of MVTec AD's pictures as printed, other pictures than synthetic "
        "ones; CutPaste and NSA are quoted and not made here. nut stands beside its metal nut.\n"
    )


def _ours(cell: Cell) -> str:
    return f"{cell.value:.1f} ± {cell.over_pictures:.1f} ± {cell.over_seeds:.1f}"


def _textures(folder: Path, reporter: Reporter, workers: int | Cluster) -> Path:
    """Both parts of every category, made where they are not there yet."""
    missing = [
        (folder, 1, seed, healthy, (category,))
        for healthy, seeds in ((True, TRAINING), (False, TEST))
        for seed in seeds
        for category in TEXTURES
        if not any((folder / category).glob(f"t*/*/{seed:07d}.png"))
    ]
    if missing:
        reporter.stage("phantom", f"Making {len(missing)} pictures")
        for_each(write_texture_cohort, missing, workers, reporter, (0.0, _TRAINING_SHARE))
    return folder


def _write(
    cells: Sequence[Cell],
    by_category: Mapping[str, Sequence[Mapping[str, PictureFigures]]],
    markdown: str,
    out: Path,
) -> None:
    write_whole(out / "table5.md", markdown)
    whole = {
        "seeds": list(SEEDS),
        "cells": [asdict(cell) for cell in cells],
        "categories": {
            category: [{method: asdict(found) for method, found in seed.items()} for seed in seeds]
            for category, seeds in by_category.items()
        },
    }
    write_whole(out / "table5.json", json.dumps(whole, indent=2) + "\n")
    write_table(
        out / "table5.csv",
        ["category", "measure", "method", "value", "over_pictures", "over_seeds", "paper",
         "paper_deviation"],
        [
            [cell.category, cell.measure, cell.method, cell.value, cell.over_pictures,
             cell.over_seeds, *(cell.paper or (None, None))]
            for cell in cells
        ],
    )  # fmt: skip
