"""Findings drawn anew from the maps that are there: the slider moves, the segments follow.

Preparing a study (`Delineator`) takes its time once; drawing at another threshold is quick. Both
run on a worker thread, so that the slider itself never sticks. Moves that arrive meanwhile are
kept, the last one counts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import qt
import SimpleITK as sitk
import slicer  # slicer.util looks for qt

from PETAnomalyLib.engine.findings.delineation import Delineator
from PETAnomalyLib.engine.findings.measures import Finding, FindingRow
from PETAnomalyLib.panel.background import Background, Work, WorkerThread
from PETAnomalyLib.panel.scene.finding_kinds import measureFindings
from PETAnomalyLib.panel.scene.label_block import LabelBlock, cutOut
from PETAnomalyLib.panel.scene.volume_files import ijkToRas, physicalImage

DEBOUNCE_MS = 120


@dataclass(frozen=True)
class DrawSettings:
    """What decides over the findings of a map."""

    threshold: float
    growth: float  # 0: no growing
    minimumVolume: float  # ml


@dataclass(frozen=True)
class Drawing:
    """Findings at some settings: where they are and what they measure."""

    settings: DrawSettings
    labels: LabelBlock
    findings: Sequence[FindingRow]


class Drawer(Protocol):
    """Draws findings, away from the GUI."""

    onDrawn: Callable[[Drawing], None]
    onFailed: Callable[[Exception], None]

    @property
    def isPending(self) -> bool: ...

    def request(
        self, image: Any, score: Any, mask: Any, settings: DrawSettings, kind: type = Finding
    ) -> None: ...

    def forget(self) -> None: ...


class FindingsDrawer:
    """`Drawer` of the findings of one map, again and again.

    `request` may be called at any rate. `onDrawn(drawing)` comes on the GUI thread for the last
    request; `onFailed(error)` when a map and an image don't fit each other. `forget` drops what is
    prepared and what is under way: call it when a node changes or goes.

        redraw.request(pet, kdeMap, mask, DrawSettings(3.0, 0.4, 0.5))
    """

    def __init__(self, worker: Background | None = None) -> None:
        self.onDrawn: Callable[[Drawing], None] = lambda _drawing: None
        self.onFailed: Callable[[Exception], None] = lambda _error: None
        self._worker = worker if worker is not None else WorkerThread()
        self._prepared: tuple[tuple, _Study] | None = None
        self._wanted: tuple[tuple, tuple, DrawSettings] | None = None
        self._timer = qt.QTimer()
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE_MS)
        self._timer.timeout.connect(self._onTimeout)

    @property
    def isPending(self) -> bool:
        """A request is waiting or being drawn."""
        return self._wanted is not None or self._worker.isBusy

    def request(
        self, image: Any, score: Any, mask: Any, settings: DrawSettings, kind: type = Finding
    ) -> None:
        """Draw soon; a later request replaces an earlier one.

        Args:
            image, score: scalar volume nodes on one grid; the image is the PET or the MR.
            mask: a volume node that is non-zero where the map counts; None for everywhere.
            settings: how to draw.
            kind: of finding.
        """
        nodes = (image, score, mask)
        key = (kind, *(_version(node) for node in nodes))
        snapshots = tuple(_snapshot(node) for node in nodes)
        self._wanted = (key, snapshots, settings)
        self._timer.start()

    def forget(self) -> None:
        """Drop everything; nothing is called back any more."""
        self._timer.stop()
        self._worker.stop()
        self._wanted = None
        self._prepared = None

    def _preparedFor(self, key: tuple) -> _Study | None:
        return self._prepared[1] if self._prepared and self._prepared[0] == key else None

    def _onTimeout(self) -> None:
        if self._wanted is None or self._worker.isBusy:
            return  # the one under way looks again when it is done
        key, snapshots, settings = self._wanted
        self._wanted = None
        study = self._preparedFor(key) or _Study(snapshots, kind=key[0])

        def work(_ticket: Work) -> Drawing:
            return study.draw(settings)

        def onDone(drawing: Drawing) -> None:
            self._prepared = (key, study)
            self.onDrawn(drawing)
            self._onTimeout()

        def onFailed(error: Exception) -> None:
            self.onFailed(error)
            self._onTimeout()

        self._worker.start(work, onDone, onFailed)


class _Study:
    """Image, map and mask as the engine wants them; prepared at the first drawing, off the GUI."""

    def __init__(self, snapshots: Any, kind: type) -> None:
        self._snapshots = snapshots
        self._kind = kind
        self._delineator: Delineator | None = None

    def draw(self, settings: DrawSettings) -> Drawing:
        if self._delineator is None:
            image, score, mask = self._snapshots
            self._image = physicalImage(*image)
            self._score = physicalImage(*score)
            scored = None if mask is None else physicalImage(*mask)
            self._scored = scored
            self._delineator = Delineator(self._score, self._image, scored)
            self._snapshots = None
        drawn = self._delineator.at(
            settings.threshold, settings.growth or None, settings.minimumVolume
        )
        findings = measureFindings(
            self._kind, drawn.labels, self._image, self._score, drawn.growth_limited, self._scored
        )
        labels = sitk.GetArrayViewFromImage(drawn.labels)
        return Drawing(settings, cutOut(labels), findings)


def _version(node: Any) -> Any:
    """What changes when a node is replaced or its voxels are."""
    return None if node is None else (node.GetID(), node.GetImageData().GetMTime())


def _snapshot(node: Any) -> Any:
    """Voxels (k, j, i) and matrix; the voxels stay alive with the snapshot."""
    return None if node is None else (slicer.util.arrayFromVolume(node), ijkToRas(node))
