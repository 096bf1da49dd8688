"""Table 4's figures, model by model: which row each stands in, and what its heads give."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.evaluation.slices import paper4
from PETAnomalyLib.engine.evaluation.slices.head import Array, HealedHead
from PETAnomalyLib.engine.evaluation.slices.heads import HEALTHY, MASS, PLAQUES
from PETAnomalyLib.engine.evaluation.slices.measuring import MeasuredModel
from PETAnomalyLib.engine.evaluation.slices.paper4 import AUPRC, LEVELS, Mixtures, Tiles
from PETAnomalyLib.engine.evaluation.slices.paper4_figures import (
    CROSS,
    MASK,
    PIXEL,
    TABLE_1,
    TABLE_2,
    TREND,
    Direction,
)
from PETAnomalyLib.engine.evaluation.slices.paper_rows import PaperRow, TableRow, told_apart
from PETAnomalyLib.engine.evaluation.slices.resampling import mean_of, measured
from PETAnomalyLib.engine.evaluation.slices.slice_table import SliceTable
from PETAnomalyLib.engine.evaluation.slices.table4_markdown import DRAWN_ML, FALSE, INTENSITY
from PETAnomalyLib.engine.families.slice_family import NETWORK
from PETAnomalyLib.engine.runtime.reporter import Reporter

VALUE, FROM_TEMPLATE = "intensity", "distance from the template's intensity"


@dataclass(frozen=True)
class CrossModels:
    """Models of one contrast on heads of another.

    Attributes:
        direction: which.
        models: with the heads that are shown to them, the group `direction.name`.
    """

    direction: Direction
    models: list[MeasuredModel]


def paper_row(bundle: Bundle, pixel_mm: float, rows: Sequence[PaperRow]) -> PaperRow | None:
    """The row of the paper that a model stands in: of its family, and its mask's nearest size.

    Args:
        bundle: the model.
        pixel_mm: edge of its pixels.
        rows: of one of the paper's tables.
    """
    family = [row for row in rows if row.family == bundle.healer["family"]]
    edge = bundle.healer[NETWORK].get(MASK)
    if edge is None:
        return next(iter(family), None)
    masks = [row.sizes[MASK] for row in TABLE_1 if row.family == bundle.healer["family"]]
    nearest = min(masks, key=lambda mm: abs(math.log(edge * pixel_mm / mm)))
    return next((row for row in family if row.sizes[MASK] == nearest), None)


def paper_rows(models: Sequence[tuple[Bundle, float]], paper: Sequence[PaperRow]) -> list[TableRow]:
    """The paper's rows, with ours where a model stands in one."""
    taken = [(bundle, paper_row(bundle, pixel_mm, paper)) for bundle, pixel_mm in models]
    rows: list[TableRow] = []
    for row in paper:
        ours = [TableRow(row.name, bundle, row) for bundle, found in taken if found is row]
        rows += ours or [TableRow(row.name, None, row)]
    return rows


def seconds_a_slice(model: MeasuredModel) -> float | None:
    """The median over heads of the seconds of a reconstruction, for a slice that holds brain."""
    each = []
    for group in model.aligned.values():
        for study in group:
            seconds = model.reconstructions.seconds(study)
            filled = np.moveaxis(study.image, model.axis, 0).any(axis=(1, 2)).sum()
            if seconds is not None and filled:
                each.append(seconds / filled)
    return float(np.median(each)) if each else None


class Judging:
    """Figures entered into a table, model by model.

    Args:
        found: the table.
        reporter: told of the progress, asked whether to stop.
        passes: how often heads will be looked at, about.
    """

    def __init__(self, found: SliceTable, reporter: Reporter, passes: int) -> None:
        self._found, self._reporter = found, reporter
        self._mixtures = Mixtures()
        self._passes, self._done = passes, 0

    def disease(self, disease: str, models: Sequence[tuple[str, MeasuredModel]]) -> None:
        """Every model, then plain intensity in the frame of the best."""
        contrast = models[0][1].bundle.contrast
        above = [
            paper4.above_fluid(head, contrast)
            for head in self._watched(models[0][1].heads(disease)())
        ]
        self._found.facts.setdefault("above_fluid", {})[disease] = above
        best = (-1.0, models[0][1])
        for row, model in models:
            judged = self._heads(model, disease, disease, _distance, model.bundle.mask_tiles)
            area = self._enter(disease, row, judged, above)
            best = max(best, (area, model), key=lambda one: one[0])
        # In the frame of the model that they are compared with.
        for name, score_of in ((VALUE, _value), (FROM_TEMPLATE, _distance)):
            judged = self._heads(best[1], disease, disease, score_of, None, of_template=True)
            self._enter(disease, self._found.plain_row(name), judged, above)

    def healthy(self, models: Sequence[tuple[str, MeasuredModel]]) -> None:
        """What is drawn in heads without a lesion: the objects are always as many."""
        for row, model in models:
            voxel_ml = float(np.prod(model.bundle.spacing_mm)) / 1000
            tiles = model.bundle.mask_tiles
            for disease in (MASS, PLAQUES):
                steps = paper4.steps_of(disease)
                drawn = [
                    paper4.drawn_in_healthy(head, _distance, steps, tiles, self._mixtures)
                    for head in self._watched(model.heads(HEALTHY)())
                ]
                values = {DRAWN_ML: mean_of(np.array(drawn) * voxel_ml)}
                self._found.add(FALSE, disease, row, measured(values, [len(drawn)]))

    def cross(self, cross: CrossModels) -> None:
        """Models of one contrast on heads of another, and those heads' plain intensity."""
        direction, name = cross.direction, cross.direction.name
        rows = paper_rows([(m.bundle, m.pixel_mm) for m in cross.models], TABLE_2[direction])
        rows = told_apart([TableRow(f"{r.name}, {name}", r.model, r.paper) for r in rows])
        for row in rows:
            if row.model is None:
                continue
            model = next(m for m in cross.models if m.bundle is row.model)
            tiles = model.bundle.mask_tiles
            judged = self._heads(model, name, direction.disease, _distance, tiles)
            self._found.add(CROSS, name, row.name, paper4.over_heads(judged))
        self._found.rows += rows
        self._found.facts.setdefault("cross_heads", {})[name] = [
            study.name for study in cross.models[0].aligned[name]
        ]
        judged = self._heads(cross.models[0], name, direction.disease, _value, None)
        self._found.add(CROSS, name, VALUE, paper4.over_heads(judged))

    def _heads(
        self,
        model: MeasuredModel,
        group: str,
        disease: str,
        score_of: Callable[[HealedHead], Array],
        tiles: Tiles,
        of_template: bool = False,
    ) -> list[paper4.JudgedHead]:
        steps = paper4.steps_of(disease)
        heads = model.template_heads(group) if of_template else model.heads(group)
        return [
            paper4.judge_head(head, score_of, steps, tiles, self._mixtures)
            for head in self._watched(heads())
        ]

    def _enter(
        self, disease: str, row: str, judged: list[paper4.JudgedHead], above: list[float]
    ) -> float:
        """The row's figures, those of each third too; returns its AUPRC."""
        found = paper4.over_heads(judged)
        self._found.add(PIXEL, disease, row, found)
        if len(judged) >= len(LEVELS):
            for level, places in zip(LEVELS, paper4.thirds(above)):
                part = paper4.over_heads([judged[place] for place in places])
                self._found.add(INTENSITY, f"{disease}, {level}", row, part)
            rho, p = paper4.trend(above, judged)
            kept = self._found.facts.setdefault("trend", {}).setdefault(disease, {})
            kept[row] = {
                "rho": None if math.isnan(rho) else rho, "p": p,
                "paper": TREND.get(self._paper_name(row)) if disease == MASS else None,
            }  # fmt: skip
        return found.estimates[AUPRC].value

    def _paper_name(self, name: str) -> str:
        row = next((r for r in self._found.rows if r.name == name), None)
        return row.paper.name if row is not None and row.paper is not None else ""

    def _watched(self, heads: Iterable[HealedHead]) -> Iterator[HealedHead]:
        """Heads, with a look before each whether to stop: the mixtures of one take seconds."""
        for head in heads:
            self._reporter.check_cancelled()
            yield head
        self._done += 1
        self._reporter.progress(0.8 + 0.2 * min(1.0, self._done / self._passes))


def _distance(head: HealedHead) -> Array:
    return np.abs(head.residual)


def _value(head: HealedHead) -> Array:
    return head.image
