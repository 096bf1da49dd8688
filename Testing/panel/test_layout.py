"""The panel fits a dock of 400 pixels, whatever the font's size: nothing is cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import qt
from open_panel import openPanel, settled
from stub_bundles import ModelShelf, headModel
from studies import addHead, addStudy, waitUntil

pytestmark = pytest.mark.usefixtures("scene")

DOCK = 400  # pixels; what Slicer's module panel has at first
HEIGHT = 1000


@pytest.fixture(params=[1.0, 1.5])
def fontScale(request: Any) -> Iterator[float]:
    """The application's font, so many times as large."""
    before = qt.QApplication.font()
    larger = qt.QApplication.font()
    larger.setPointSizeF(request.param * before.pointSizeF())
    qt.QApplication.setFont(larger)
    yield request.param
    qt.QApplication.setFont(before)


def shownOnes(widget: Any) -> list[Any]:
    """The buttons and one-line labels that are to be seen whole."""
    texts = [
        *widget.findChildren(qt.QPushButton),
        *widget.findChildren(qt.QCheckBox),
        *(label for label in widget.findChildren(qt.QLabel) if not label.wordWrap),
    ]
    return [text for text in texts if text.visible and text.text]


@pytest.mark.usefixtures("fontScale")
@pytest.mark.parametrize("isOfMr", [False, True])
def test_nothing_is_cut_in_a_dock_before_and_after_a_run(isOfMr: bool, tmp_path: Any) -> None:
    shelf = ModelShelf(headModel()) if isOfMr else None
    with openPanel(tmp_path, shelf=shelf) as panel:
        dock = qt.QScrollArea()
        dock.setWidgetResizable(True)
        dock.setWidget(panel.widget)
        dock.resize(DOCK, HEIGHT)
        dock.show()
        panel.parameters.mr, panel.parameters.brainMask = addHead()
        panel.parameters.pet, panel.parameters.ct = addStudy()
        panel.ui.advancedBox.collapsed = False
        for _round in ("before", "after"):
            waitUntil(lambda: False, 0.1)
            assert dock.horizontalScrollBar().maximum == 0
            cut = [w.objectName for w in shownOnes(panel.widget) if w.width < w.sizeHint().width()]
            assert cut == []
            panel.ui.detectButton.click()
            assert waitUntil(lambda: panel.parameters.table is not None)
            assert settled(panel)
            waitUntil(lambda: panel.ui.modelSection.collapsed, 5.0)
        table = panel.ui.findingsTable
        assert table.viewport().height >= 4 * table.rowHeight(0)
        visible = table.mapTo(dock.viewport(), qt.QPoint(0, table.height)).y()
        assert visible <= HEIGHT  # the table is not below the fold
        dock.takeWidget()


def test_a_higher_dock_has_a_higher_table(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        for section in (panel.ui.studySection, panel.ui.modelSection):
            section.collapsed = True
        heights = []
        for height in (900, 1300):
            panel.widget.resize(DOCK, height)
            panel.widget.show()
            waitUntil(lambda: False, 0.1)
            heights.append(panel.ui.findingsTable.height)
        panel.widget.hide()
        assert heights[1] - heights[0] >= 350
