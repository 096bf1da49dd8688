"""The panel's own colours and sizes, made from the style that Slicer has: light, dark, any font.

`palette(mid)` is a bevel's colour, in a dark style darker than the ground: what is to be less than
plain text is mixed from text and ground instead, as far as it can still be read.
"""

from __future__ import annotations

from typing import Any

import qt

from PETAnomalyLib.panel.sections.contrast import Rgb, faint, legible

GREEN, AMBER, RED = (46, 125, 50), (178, 106, 0), (198, 40, 40)
PLACEHOLDER = getattr(qt.QPalette, "PlaceholderText", 20)  # Qt 5.12's; bindings may be older
TALL = 2.2  # the button Detect, in heights of a line
TOGGLES = (
    "showCtButton",
    "showPetButton",
    "showMapButton",
    "show3DButton",
    "lungButton",
    "boneButton",
    "abdomenButton",
    "brainButton",
    "lesionButton",
    "physiologicalButton",
    "unsureButton",
    "addButton",
    "editButton",
)


class Look:
    """The colours of a palette; `rgb` values are red, green, blue, 0..255.

    Attributes:
        hint: for text that may be passed over.
        good, warning, bad: for marks.
        pressed, onPressed: ground and text of a button that is down.
    """

    def __init__(self, palette: Any) -> None:
        ground = rgb(palette.color(qt.QPalette.Window))
        base = rgb(palette.color(qt.QPalette.Base))
        self.hint = faint(rgb(palette.color(qt.QPalette.WindowText)), ground)
        self.good, self.warning, self.bad = (
            legible(colour, ground) for colour in (GREEN, AMBER, RED)
        )
        self.pressed = rgb(palette.color(qt.QPalette.Highlight))
        self.onPressed = legible(rgb(palette.color(qt.QPalette.HighlightedText)), self.pressed)
        self.dimmed = faint(rgb(palette.color(qt.QPalette.Text)), base)


def applyLook(ui: Any) -> Look:
    """Give the panel's widgets their colours; again when the style may have changed."""
    look = Look(ui.petState.palette)
    for label in (ui.researchLabel, ui.sampleHint):
        label.styleSheet = f"color: {inHex(look.hint)};"
    edit = ui.commentEdit
    palette = qt.QPalette(edit.palette)
    palette.setColor(PLACEHOLDER, qt.QColor(*look.dimmed))
    edit.setPalette(palette)
    down = f"background-color: {inHex(look.pressed)}; color: {inHex(look.onPressed)};"
    for name in TOGGLES:
        getattr(ui, name).styleSheet = f"QPushButton:checked {{ {down} }}"
    line = ui.detectButton.fontMetrics().height()
    ui.detectButton.setMinimumHeight(round(TALL * line))
    return look


def rgb(colour: Any) -> Rgb:
    """Of a QColor."""
    return colour.red(), colour.green(), colour.blue()


def inHex(colour: Rgb) -> str:
    """As a style sheet writes it."""
    return "#{:02x}{:02x}{:02x}".format(*colour)
