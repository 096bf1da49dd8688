"""The panel, opened as Slicer opens it, with models and an engine of the tests' own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import slicer  # slicer.util looks for qt
from harness.modules import loadScriptedModule
from PETAnomalyLib.panel.environment.inspection import Device, EnvironmentReport
from PETAnomalyLib.panel.environment.readiness import Readiness
from PETAnomalyLib.panel.sections.engine import EngineSection
from PETAnomalyLib.panel.sections.model import ModelSection
from PETAnomalyLib.panel.widget import PETAnomalyPanel
from PySide6.QtCore import QCoreApplication, QEvent
from repository import MODULE
from stub_bundles import ModelShelf, model
from stub_engine import stubInterpreter
from studies import waitUntil

SCRIPT = MODULE / "PETAnomaly.py"

READY = EnvironmentReport(
    pythonVersion="3.11",
    torchVersion="2.9",
    monaiVersion="1.5",
    devices=(Device("cuda:0", "NVIDIA H200"),),
)


class SilentProbe:
    """An `EnvironmentProbe` that answers at once."""

    def __init__(self, report: Any = READY) -> None:
        self.report = report

    def start(self, _interpreter: Any, onDone: Any) -> None:
        onDone(self.report)

    def cancel(self) -> None:
        pass


def loadModule() -> Any:
    """slicer.modules.petanomaly, loaded once."""
    if not hasattr(slicer.modules, "petanomaly"):
        loadScriptedModule(SCRIPT)
    return slicer.modules.petanomaly


@contextmanager
def openPanel(
    folder: Path,
    mode: str = "",
    report: Any = READY,
    shelf: Any = None,
    interpreter: Any = None,
    installer: Any = None,
    **parts: Any,
) -> Iterator[Any]:
    """A panel of its own on the scene's parameter node; cleaned up afterwards.

    Args:
        folder: for the stub engine.
        mode: of the stub engine.
        report: what is found in the engine's Python.
        shelf: the models; those of the tests unless given.
        interpreter: of the engine; the stub's unless given.
        installer: of what the report says is missing.
        parts: collaborators for PETAnomalyPanel.
    """
    loadModule()
    import PETAnomaly

    widget = slicer.util.loadUI(str(MODULE / "Resources" / "UI" / "PETAnomaly.ui"))
    ui = slicer.util.childWidgetVariables(widget)
    if shelf is None:
        shelf = ModelShelf(model(), model("pet-phantom", ct="unused"), onlyResidual())
    if interpreter is None:
        interpreter = stubInterpreter(folder, mode)
    engine = EngineSection(ui, readiness=Readiness(SilentProbe(report), installer))
    engine.interpreter = lambda: interpreter  # type: ignore[method-assign]
    panel = PETAnomalyPanel(
        ui,
        PETAnomaly.PETAnomalyLogic().getParameterNode,
        model=ModelSection(ui, source=shelf),
        engine=engine,
        **parts,
    )
    panel.widget = widget  # type: ignore[attr-defined] # kept alive, and shown by some tests
    panel.enter()
    try:
        yield panel
    finally:
        letGo = panel.parameters
        panel.cleanup()
        widget.deleteLater()
        waitUntil(lambda: True)
        QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        # Whatever still holds the panel, its fields are not read at every change of later scenes:
        # that took half of the time of a process that had opened three hundred panels.
        for name in letGo.allParameters if letGo is not None else ():
            delattr(letGo, f"_{name}_impl")


def onlyResidual() -> Any:
    """A model that gives one reconstruction."""
    return model(
        "ae-dense-phantom",
        ct="unused",
        scorers=("residual",),
        thresholds={"scorers": {"residual": 0.2}},
        samples=1,
        decodes=1,
    )


def settled(panel: PETAnomalyPanel) -> bool:
    """No errand, no redraw, nothing waiting."""
    return waitUntil(lambda: not panel.task.isRunning and not panel.findings.redrawing.isPending)
