"""Keys for reading: L, P and U for the verdicts, N for the next finding.

They act while the table or a slice view has the focus, and only while the module is shown. In slice
views Slicer has keys of its own (arrows, F, B, V, R, G, T, brackets; listed in
vtkMRMLSliceIntersectionWidget.cxx) and keeps them; in the table the arrows go from finding to
finding by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import qt
import slicer  # slicer.util looks for qt

from PETAnomalyLib.engine.findings.verdict import LESION, PHYSIOLOGICAL, UNSURE

VERDICT_KEYS = {"L": LESION, "P": PHYSIOLOGICAL, "U": UNSURE}
NEXT_KEY = "N"


class ReadingKeys:
    """`onVerdict(verdict)` and `onNext()` come from the keyboard, between `enter` and `exit`.

    Args:
        view: the table's.
    """

    def __init__(self, view: Any) -> None:
        self.onVerdict: Callable[[str], None] = lambda _verdict: None
        self.onNext: Callable[[], None] = lambda: None
        self._view = view
        self._shortcuts: dict[str, list] = {}  # by the place that they are for

    def enter(self) -> None:
        """Listen, also in slice views that have come since."""
        self._listen("table", self._view)
        layoutManager = slicer.app.layoutManager()
        for name in layoutManager.sliceViewNames() if layoutManager is not None else ():
            self._listen(name, layoutManager.sliceWidget(name))

    def exit(self) -> None:
        """Give the keys back."""
        for shortcuts in self._shortcuts.values():
            for shortcut in shortcuts:
                shortcut.enabled = False
                shortcut.deleteLater()
        self._shortcuts = {}

    def _listen(self, place: str, widget: Any) -> None:
        if place in self._shortcuts or widget is None:
            return
        slots: dict[str, Callable[[], None]] = {
            key: partial(self._onVerdictKey, verdict) for key, verdict in VERDICT_KEYS.items()
        }
        slots[NEXT_KEY] = self._onNextKey
        self._shortcuts[place] = [_shortcut(key, widget, slot) for key, slot in slots.items()]

    def _onVerdictKey(self, verdict: str) -> None:
        self.onVerdict(verdict)

    def _onNextKey(self) -> None:
        self.onNext()


def _shortcut(key: str, widget: Any, slot: Callable[[], None]) -> Any:
    made = qt.QShortcut(qt.QKeySequence(key), widget)
    made.setContext(qt.Qt.WidgetWithChildrenShortcut)
    made.activated.connect(slot)
    return made
