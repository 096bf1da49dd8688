"""The panel's choice of another computer for detections, by ssh."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.connection import ConnectionTest
from PETAnomalyLib.panel.environment.interpreter import Interpreter
from PETAnomalyLib.panel.settings import Settings

HERE, BY_SSH = 0, 1


class OtherComputerSection:
    """*Engine on*, and what ssh must know; all of it belongs to this computer (`Settings`).

    `onChanged()` comes after each choice.

    Args:
        ui: the panel's widgets.
        settings: where it is kept.
        interpreter: gives the Python that runs the near side.
    """

    def __init__(self, ui: Any, settings: Settings, interpreter: Callable[[], Interpreter]) -> None:
        self.onChanged: Callable[[], None] = lambda: None
        self.test = ConnectionTest()
        self._ui = ui
        self._settings = settings
        self._interpreter = interpreter
        for title in (_("This computer"), _("Another computer (SSH)")):
            ui.engineOnCombo.addItem(title)
        ui.engineOnCombo.setCurrentIndex(BY_SSH if settings.bySsh else HERE)
        ui.hostEdit.text = settings.host
        ui.programEdit.text = settings.remoteProgram
        ui.beforeEdit.text = settings.beforeProgram
        ui.engineOnCombo.currentIndexChanged.connect(self._onChosen)
        ui.hostEdit.textChanged.connect(self._onEdited)
        ui.programEdit.textChanged.connect(self._onEdited)
        ui.beforeEdit.textChanged.connect(self._onEdited)
        ui.connectionButton.clicked.connect(self._onTest)
        self._show()

    @property
    def isChosen(self) -> bool:
        """Detections run on another computer."""
        return self._settings.bySsh

    def words(self) -> list[str]:
        """For `detect`; none for this computer."""
        return self._hostWords() if self.isChosen else []

    def whyNot(self) -> list[str]:
        """Reasons against Detect."""
        if self.isChosen and not self._settings.host:
            return [_("The other computer has no name: see Advanced.")]
        return []

    def stop(self) -> None:
        """End what is under way."""
        self.test.cancel()

    def _hostWords(self) -> list[str]:
        words = ["--host", self._settings.host]
        if self._settings.remoteProgram:
            words += ["--program", self._settings.remoteProgram]
        if self._settings.beforeProgram:
            words += ["--before", self._settings.beforeProgram]
        return words

    def _show(self) -> None:
        ui = self._ui
        ui.otherComputerFrame.visible = self.isChosen
        ui.connectionButton.enabled = bool(self._settings.host)

    def _onChosen(self, index: int) -> None:
        self._settings.bySsh = index == BY_SSH
        self._show()
        self.onChanged()

    def _onEdited(self, _text: str) -> None:
        ui, settings = self._ui, self._settings
        settings.host = ui.hostEdit.text.strip()
        settings.remoteProgram = ui.programEdit.text.strip()
        settings.beforeProgram = ui.beforeEdit.text.strip()
        self.test.cancel()
        ui.connectionState.text = ""
        self._show()
        self.onChanged()

    def _onTest(self, _checked: bool = False) -> None:
        self._ui.connectionState.text = _("Connecting to {host} ...").format(
            host=self._settings.host
        )
        self.test.start(self._interpreter(), self._hostWords(), self._onAnswer)

    def _onAnswer(self, text: str) -> None:
        self._ui.connectionState.text = text
