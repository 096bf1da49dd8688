"""The README's pictures, made by using the panel: sample study, Detect, the first finding."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Callable

import numpy as np
import slicer
from qt import QColor, QPainter, QPixmap, QSize, Qt, QWidget

from harness.desktop import PANEL_WIDTH, picture
from harness.slices import sliceImage

VIEW_PIXELS = 480
PATIENCE_SECONDS = 1800
VIEWS = ("Red", "Yellow", "Green")


def takeScreenshots(module: Any, folder: Path) -> None:
    """Write panel.png, slices-<layer>.png and petanomaly.png (panel beside slices) into the folder.

    Raises:
        RuntimeError: the sample study or the detection did not end well; with what the panel says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    representation = module.widgetRepresentation()
    representation.enter()
    panel = representation.self().panel
    ui = panel.ui
    resizeViews(VIEW_PIXELS)
    ui.sampleButton.click()
    waitUntil(lambda: not panel.isBusy)
    require(panel.parameters.pet is not None, ui)
    ui.detectButton.click()
    waitUntil(lambda: not panel.isBusy)
    require(panel.parameters.segmentation is not None, ui)
    waitUntil(lambda: ui.findingsTable.model().rowCount() > 0, 60)
    ui.findingsTable.selectRow(0)
    waitUntil(lambda: False, 1, required=False)
    for name, button in (
        ("ct", ui.showCtButton),
        ("pet", ui.showPetButton),
        ("map", ui.showMapButton),
    ):
        button.click()
        waitUntil(lambda: False, 0.3, required=False)
        slices(VIEWS).save(str(folder / f"slices-{name}.png"))
    shown = grab(representation)
    shown.save(str(folder / "panel.png"))
    beside(shown, slices(VIEWS)).save(str(folder / "petanomaly.png"))


def require(succeeded: bool, ui: Any) -> None:
    if not succeeded:
        raise RuntimeError(f"{ui.stageState.text}\n{ui.logText.plainText}")


def resizeViews(pixels: int) -> None:
    """Give every slice view a size, and fit its content to it."""
    for name in VIEWS:
        logic = slicer.app.layoutManager().sliceWidget(name).sliceLogic()
        logic.ResizeSliceNode(pixels, pixels)
    slicer.app.layoutManager().resetSliceViews()


def slices(names: tuple[str, ...]) -> QPixmap:
    """The slice views side by side."""
    return picture(np.ascontiguousarray(np.hstack([sliceImage(name) for name in names])))


def grab(widget: QWidget) -> QPixmap:
    """The whole panel, as high as it wants to be."""
    widget.resize(PANEL_WIDTH, widget.sizeHint().height())
    widget.show()
    slicer.app.processEvents()
    widget.resize(QSize(PANEL_WIDTH, widget.sizeHint().height()))
    slicer.app.processEvents()
    return widget.grab()


def beside(left: QPixmap, right: QPixmap) -> QPixmap:
    """Two pictures in one, tops aligned."""
    whole = QPixmap(left.width() + right.width(), max(left.height(), right.height()))
    whole.fill(QColor(Qt.GlobalColor.black))
    painter = QPainter(whole)
    painter.drawPixmap(0, 0, left)
    painter.drawPixmap(left.width(), 0, right)
    painter.end()
    return whole


def waitUntil(
    condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS, required: bool = True
) -> None:
    """Let the event loop run until the condition holds; TimeoutError if it has to and does not."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            if required:
                raise TimeoutError(f"nothing happened for {seconds:.0f} s")
            return
        slicer.app.processEvents()
        time.sleep(0.01)
