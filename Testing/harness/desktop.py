"""A window with the module's panel on the left and the slice views on the right, to try the panel
without Slicer.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from qt import (
    QGridLayout,
    QImage,
    QLabel,
    QMainWindow,
    QPixmap,
    QScrollArea,
    QSplitter,
    Qt,
    QTimer,
    QWidget,
)

from harness.slices import sliceImage

PANEL_WIDTH = 400  # what a dock of Slicer's has at first
LOOK_MS = 200
VIEWS = ("Red", "Yellow", "Green")


def picture(pixels: np.ndarray) -> QPixmap:
    """(height, width, 3) uint8 as something that Qt can show and save."""
    height, width, _colours = pixels.shape
    image = QImage(pixels.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image)


class SliceView(QLabel):
    """One slice view: shows what the scene's nodes say, scrolls with the wheel, takes the size of
    its place.
    """

    def __init__(self, name: str) -> None:
        super().__init__()
        self.viewName = name
        self._logic = slicer.app.layoutManager().sliceWidget(name).sliceLogic()
        self._shown: list[int] = []
        self.setMinimumSize(200, 200)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # the keys of a slice view are for this one
        self.setStyleSheet("background: black")

    def look(self) -> None:
        """Draw again if any node that is seen here has changed."""
        segmentations = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
        seen = [self._logic, self._logic.GetSliceNode(), self._logic.GetSliceCompositeNode()]
        for segmentation in segmentations:
            seen += [segmentation.GetSegmentation(), segmentation.GetDisplayNode()]
        for layer in (self._logic.GetBackgroundLayer(), self._logic.GetForegroundLayer()):
            volume = layer.GetVolumeNode() if layer else None
            seen += [volume, volume.GetDisplayNode()] if volume else []
        times = [item.GetMTime() for item in seen if item is not None]
        if times != self._shown:
            self._shown = times
            self.setPixmap(picture(sliceImage(self.viewName)))

    def resizeEvent(self, event: Any) -> None:
        self._logic.ResizeSliceNode(self.width, self.height)
        super().resizeEvent(event)

    def wheelEvent(self, event: Any) -> None:
        step = self._logic.GetLowestVolumeSliceSpacing()[2]
        steps = event.angleDelta().y() / 120
        self._logic.SetSliceOffset(self._logic.GetSliceOffset() + steps * step)


class MainWindow(QMainWindow):
    """What slicer.util.mainWindow() finds."""

    def __init__(self, panel: QWidget) -> None:
        super().__init__()
        self.setObjectName("qSlicerMainWindow")
        self.setWindowTitle("PETAnomaly on the bench (not 3D Slicer)")
        scroll = QScrollArea()
        scroll.setWidget(panel)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        views = QWidget()
        grid = QGridLayout(views)
        self._views = [SliceView(name) for name in VIEWS]
        for index, view in enumerate(self._views):
            widget = slicer.app.layoutManager().sliceWidget(view.viewName)
            widget.layout().addWidget(view)
            grid.addWidget(widget, index // 2, index % 2)
        splitter = QSplitter()
        splitter.addWidget(scroll)
        splitter.addWidget(views)
        splitter.setSizes([PANEL_WIDTH, 2 * PANEL_WIDTH])
        self.setCentralWidget(splitter)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self._look)
        self._timer.start()

    def _look(self) -> None:
        for view in self._views:
            view.look()

    def closeEvent(self, event: Any) -> None:
        self._timer.stop()
        super().closeEvent(event)
