"""``slicer.modules``: the logics of Slicer's own modules, and scripted modules loaded from their
file as Slicer loads them.

Source: Slicer, Base/QTGUI/qSlicerScriptedLoadableModule.cxx and
qSlicerScriptedLoadableModuleWidget.cxx.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

import slicer
from PySide6.QtWidgets import QVBoxLayout

from harness.mrml_widgets import qMRMLWidget

MODULE_LOGICS = {
    "Colors": "vtkSlicerColorLogic",
    "Units": "vtkSlicerUnitsLogic",
    "Terminologies": "vtkSlicerTerminologiesModuleLogic",
    "SubjectHierarchy": "vtkSlicerSubjectHierarchyModuleLogic",
    "Volumes": "vtkSlicerVolumesLogic",
    "Segmentations": "vtkSlicerSegmentationsModuleLogic",
    "Tables": "vtkSlicerTablesLogic",
    "Texts": "vtkSlicerTextsLogic",
    "Markups": "vtkSlicerMarkupsLogic",
    "VolumeRendering": "vtkSlicerVolumeRenderingLogic",
}


class LoadableModule:
    """One of Slicer's C++ modules: its name and its logic."""

    def __init__(self, name: str, logic: Any) -> None:
        self.name = name
        self.path = ""
        self._logic = logic

    def logic(self) -> Any:
        return self._logic


class qSlicerScriptedLoadableModuleWidget(qMRMLWidget):
    """The widget that a scripted module fills, and the one who calls its setup, enter, exit and
    reload.
    """

    def __init__(self, module: qSlicerScriptedLoadableModule) -> None:
        super().__init__()
        self.setLayout(QVBoxLayout())
        self.setMRMLScene(slicer.mrmlScene)
        self.moduleName = module.name
        self.isEntered = False
        self._instance: Any = None

    def self(self) -> Any:  # Slicer's name for the Python side of it
        return self._instance

    def createInstance(self) -> None:
        className = self.moduleName + "Widget"
        self._instance = getattr(sys.modules[self.moduleName], className)(self)
        setattr(slicer.modules, className, self._instance)
        self._instance.setup()

    def reload(self) -> None:
        self.createInstance()

    def enter(self) -> None:
        self.isEntered = True
        if hasattr(self._instance, "enter"):
            self._instance.enter()

    def exit(self) -> None:
        self.isEntered = False
        if hasattr(self._instance, "exit"):
            self._instance.exit()


class qSlicerScriptedLoadableModule:
    """A scripted module as ``slicer.modules.<name in lower case>``; the ``parent`` of the module's
    own class.
    """

    def __init__(self, name: str, path: Path) -> None:
        self.name = name
        self.path = str(path)
        self.icon: Any = None
        self._representation: qSlicerScriptedLoadableModuleWidget | None = None

    def widgetRepresentation(self) -> qSlicerScriptedLoadableModuleWidget:
        """The module's one panel, made when it is first asked for."""
        if self._representation is None:
            self._representation = qSlicerScriptedLoadableModuleWidget(self)
            self._representation.createInstance()
        return self._representation

    def unload(self) -> None:
        """Say that the module goes, as when the application quits, and forget its panel."""
        slicer.app.moduleManager().moduleAboutToBeUnloaded.emit(self.name)
        if self._representation is not None:
            self._representation.deleteLater()
        self._representation = None


def loadScriptedModule(path: Path) -> qSlicerScriptedLoadableModule:
    """Load a module's file as Slicer does at its start: ``slicer.modules`` gets it, its folder goes
    to the import path.
    """
    name = path.stem
    folder = str(path.parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError(f"No Python module: {path}")
    source = importlib.util.module_from_spec(spec)
    sys.modules[name] = source
    spec.loader.exec_module(source)
    module = qSlicerScriptedLoadableModule(name, path)
    instance = getattr(source, name)(module)
    setattr(slicer.modules, name.lower(), module)
    setattr(slicer.modules, name + "Instance", instance)
    if hasattr(instance, "setup"):
        instance.setup()
    slicer.app.moduleManager().moduleLoaded.emit(name)
    return module
