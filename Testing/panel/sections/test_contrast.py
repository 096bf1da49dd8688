"""What the panel says can be read, in a light style and in a dark one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import qt
import slicer  # slicer.util looks for qt
from open_panel import openPanel
from PETAnomalyLib.panel.sections.contrast import Rgb, contrast, faint, legible
from PETAnomalyLib.panel.sections.look import TOGGLES
from repository import MODULE

RIM = 3  # pixels

pytestmark = pytest.mark.usefixtures("scene")

# Slicer's own: Base/QTGUI/qSlicerDarkStyle.cxx; Fusion's light palette.
STYLES = {
    "dark": {
        "Window": "#323232", "WindowText": "#ffffff", "Base": "#1e1e1e", "AlternateBase": "#323232",
        "Text": "#ffffff", "Button": "#323232", "ButtonText": "#ffffff", "Light": "#828284",
        "Midlight": "#5a5a5b", "Dark": "#232323", "Mid": "#2b2b2b", "Shadow": "#141414",
        "Highlight": "#3ca4ff", "HighlightedText": "#ffffff",
    },
    "light": {
        "Window": "#efefef", "WindowText": "#000000", "Base": "#ffffff", "AlternateBase": "#f7f7f7",
        "Text": "#000000", "Button": "#efefef", "ButtonText": "#000000", "Light": "#ffffff",
        "Midlight": "#cacaca", "Dark": "#9f9f9f", "Mid": "#b8b8b8", "Shadow": "#767676",
        "Highlight": "#308cc6", "HighlightedText": "#ffffff",
    },
}  # fmt: skip


@pytest.fixture(params=sorted(STYLES))
def style(request: Any) -> Iterator[str]:
    """The application in one of Slicer's two styles."""
    before = qt.QApplication.palette()
    palette = qt.QPalette()
    for role, colour in STYLES[request.param].items():
        palette.setColor(getattr(qt.QPalette, role), qt.QColor(colour))
    qt.QApplication.setPalette(palette)
    yield request.param
    qt.QApplication.setPalette(before)


def seen(widget: Any) -> tuple[Rgb, Rgb]:
    """The ground of a widget's picture and the colour in it that differs most from that; its rim,
    which a style draws in colours of its own, left out.
    """
    picture = widget.grab().toImage().convertToFormat(qt.QImage.Format_RGB888)
    rows = [
        np.frombuffer(picture.constScanLine(y), np.uint8)[3 * RIM : 3 * (picture.width() - RIM)]
        for y in range(RIM, picture.height() - RIM)
    ]
    colours, count = np.unique(np.concatenate(rows).reshape(-1, 3), axis=0, return_counts=True)
    found: list[Rgb] = [(int(red), int(green), int(blue)) for red, green, blue in colours]
    ground = found[count.argmax()]
    return ground, max(found, key=lambda colour: contrast(colour, ground))


def test_contrast_is_that_of_wcag() -> None:
    assert contrast((0, 0, 0), (255, 255, 255)) == pytest.approx(21.0)
    assert contrast((0x77, 0x77, 0x77), (255, 255, 255)) == pytest.approx(4.478, abs=1e-3)
    assert contrast((10, 20, 30), (10, 20, 30)) == 1.0


@pytest.mark.parametrize("ground", [*itertools.product((0, 50, 118, 200, 255), repeat=3)])
def test_on_any_ground_something_is_legible(ground: Any) -> None:
    for colour in ((46, 125, 50), (198, 40, 40), ground):
        assert contrast(legible(colour, ground), ground) >= 4.5
    text = max(((0, 0, 0), (255, 255, 255)), key=lambda end: contrast(end, ground))
    mixed = faint(text, ground)
    assert 4.5 <= contrast(mixed, ground) <= contrast(text, ground)


def test_hints_marks_and_pressed_buttons_can_be_read(style: str, tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        assert panel.widget.palette.color(qt.QPalette.Window).name() == STYLES[style]["Window"]
        panel.widget.resize(400, 1000)
        panel.widget.show()
        slicer.app.processEvents()
        for name in ("researchLabel", "sampleHint", "petStateIcon", "petState", "commentEdit"):
            ground, text = seen(getattr(panel.ui, name))
            assert contrast(text, ground) >= 4.5, (name, ground, text)
        for name in TOGGLES:
            button = getattr(panel.ui, name)
            button.enabled = True
            grounds = []
            for down in (False, True):
                button.setAutoExclusive(False)
                button.blockSignals(True)
                button.checked = down
                button.blockSignals(False)
                ground, text = seen(button)
                grounds.append(ground)
                assert contrast(text, ground) >= 4.5, (name, down, ground, text)
            assert contrast(*grounds) >= 2.0, (name, grounds)
        panel.widget.hide()


def test_no_style_sheet_is_written_into_the_ui_file() -> None:
    """Colours and sizes in it are of one style and one font."""
    source = (MODULE / "Resources" / "UI" / "PETAnomaly.ui").read_text(encoding="utf-8")
    assert "styleSheet" not in source
    assert "pointsize" not in source
