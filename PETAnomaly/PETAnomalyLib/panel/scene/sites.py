"""Where findings lie, by the atlas of the very model that found them; in a head by the brain of its
template.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.findings.head_measures import HeadFinding
from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.frame.head_sites import head_sites
from PETAnomalyLib.engine.frame.region_atlas import COLUMN, RegionAtlas
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.panel.scene.findings_segmentation import partOnGrid
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.run_record import runOf
from PETAnomalyLib.panel.scene.volume_files import ijkToRas


class SceneSites:
    """Says where findings lie; each is looked up once, and when it has changed.

    Where the model is not installed here, by its hash, a finding keeps the site that it came with.
    `models()` gives those that are.
    """

    def __init__(self) -> None:
        self.models: Callable[[], Sequence[Any]] = lambda: ()
        self._known: dict[tuple, str] = {}
        self._atlases: dict[str, RegionAtlas] = {}
        self._brains: dict[str, sitk.Image] = {}

    def of(self, rows: Sequence[Row], segmentation: Any, pet: Any) -> list[str] | None:
        """The site of each row; None where none is known.

        Args:
            rows: the findings.
            segmentation: their node.
            pet: the node of the PET, or MR; None where it is gone.
        """
        if any(isinstance(row.finding, HeadFinding) for row in rows):
            return self._ofHead(rows, segmentation)
        atlas, toStudy = self._atlasOf(segmentation)
        if atlas is not None and pet is not None:
            return [self._site(row, segmentation, pet, atlas, toStudy) for row in rows]
        return _told(rows)

    def _ofHead(self, rows: Sequence[Row], segmentation: Any) -> list[str] | None:
        brain, toStudy = self._brainOf(segmentation)
        if brain is None:
            return _told(rows)
        keys = [(segmentation.GetID(), row.segment, row.finding) for row in rows]
        unknown = [key for key in keys if key not in self._known]
        if unknown:
            findings = [finding for _node, _segment, finding in unknown]
            found = head_sites(findings, brain, Alignment(toStudy, 1.0))
            self._known.update(zip(unknown, found))
        return [self._known[key] for key in keys]

    def _site(self, row: Row, segmentation: Any, pet: Any, atlas: RegionAtlas, toStudy: Any) -> str:
        key = (segmentation.GetID(), row.segment, row.finding)  # what a hand changes is another
        if key not in self._known:
            isThere = segmentation.GetSegmentation().GetSegment(row.segment) is not None
            part = partOnGrid(segmentation, row.segment, pet) if isThere else None
            self._known[key] = "" if part is None else atlas.site(_points(part, pet), toStudy)
        return self._known[key]

    def _atlasOf(self, segmentation: Any) -> tuple[RegionAtlas | None, Any]:
        """The atlas of the model that found these findings, and its frame's way to the study."""
        frame, sha256 = _frameOf(segmentation)
        if frame is None:
            return None, None
        if sha256 not in self._atlases:
            paths = [model.region_atlas for model in self.models() if model.sha256 == sha256]
            try:
                self._atlases[sha256] = RegionAtlas.read(next(path for path in paths if path))
            except (StopIteration, InputError):  # not here, or gone since
                return None, None
        return self._atlases[sha256], _transform(frame)

    def _brainOf(self, segmentation: Any) -> tuple[sitk.Image | None, Any]:
        """The brain of the model's template, and its frame's way to the study."""
        frame, sha256 = _frameOf(segmentation)
        if frame is None:
            return None, None
        if sha256 not in self._brains:
            paths = [model.template_mask for model in self.models() if model.sha256 == sha256]
            try:
                self._brains[sha256] = read_float_image(next(path for path in paths if path))
            except (StopIteration, InputError):
                return None, None
        return self._brains[sha256], _transform(frame)


def _frameOf(segmentation: Any) -> tuple[dict[str, Any] | None, str]:
    """Where the run that found these findings had the study, and the hash of its model."""
    run = runOf(segmentation)
    frame, sha256 = run.get("frame"), run.get("sha256")
    if not isinstance(frame, dict) or not isinstance(sha256, str):
        return None, ""
    return frame, sha256


def _told(rows: Sequence[Row]) -> list[str] | None:
    """What the findings came with; None where nothing was said of any."""
    told = [dict(row.further).get(COLUMN) for row in rows]
    return None if all(site is None for site in told) else [site or "" for site in told]


def _points(part: Any, pet: Any) -> np.ndarray:
    """LPS mm of a finding's voxels, (n, 3)."""
    mask, start = part
    matrix = ijkToRas(pet)
    ras = (np.argwhere(mask) + np.array(start))[:, ::-1] @ matrix[:3, :3].T + matrix[:3, 3]
    return np.asarray(ras * (-1.0, -1.0, 1.0))


def _transform(frame: dict[str, Any]) -> Any:
    """As report.json says it."""
    transform = sitk.Euler3DTransform()
    transform.SetCenter(frame["centre_mm"])
    transform.SetParameters([*frame["rotation_rad"], *frame["translation_mm"]])
    return transform
