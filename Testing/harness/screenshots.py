"""The README's pictures, made by using the panel: sample study, Detect, a reading begun."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from qt import QColor, QPainter, QPixmap, QSize, Qt, QWidget

from harness.desktop import PANEL_WIDTH, picture
from harness.slices import sliceImage

HEIGHT = 1184  # pixels; a coronal view of a whole body is tall
SIZES = {"Green": (HEIGHT // 2, HEIGHT), "Red": (HEIGHT // 2, HEIGHT // 2)}
SIZES["Yellow"] = SIZES["Red"]
PATIENCE_SECONDS = 1800


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
    ui.sampleButton.click()
    waitUntil(lambda: not panel.isBusy)
    require(panel.parameters.pet is not None, ui)
    ui.detectButton.click()
    waitUntil(lambda: not panel.isBusy)
    require(panel.parameters.segmentation is not None, ui)
    waitUntil(lambda: ui.findingsTable.model().rowCount() > 0, 60)
    ui.findingsTable.selectRow(0)
    for button in (ui.lesionButton, ui.lesionButton, ui.physiologicalButton):
        button.click()  # each goes on to the next finding
    ui.findingsTable.selectRow(0)
    waitUntil(lambda: False, 1, required=False)  # the views follow the table
    showWholeBody()
    for name, button in (
        ("ct", ui.showCtButton),
        ("pet", ui.showPetButton),
        ("map", ui.showMapButton),
    ):
        button.click()
        waitUntil(lambda: False, 0.3, required=False)
        slices().save(str(folder / f"slices-{name}.png"))
    shown = grab(representation)
    shown.save(str(folder / "panel.png"))
    beside(shown, slices()).save(str(folder / "petanomaly.png"))


def require(succeeded: bool, ui: Any) -> None:
    if not succeeded:
        raise RuntimeError(f"{ui.stageState.text}\n{ui.logText.plainText}")


def showWholeBody() -> None:
    """Give every slice view its size and fit the study into it, at the slice where it is."""
    for name, size in SIZES.items():
        logic = slicer.app.layoutManager().sliceWidget(name).sliceLogic()
        offset = logic.GetSliceOffset()
        logic.ResizeSliceNode(*size)
        logic.FitSliceToAll()
        logic.SetSliceOffset(offset)


def slices() -> QPixmap:
    """The coronal view beside the axial one above the sagittal one."""
    column = np.vstack([sliceImage("Red"), sliceImage("Yellow")])
    return picture(np.ascontiguousarray(np.hstack([sliceImage("Green"), column])))


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
