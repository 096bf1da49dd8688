"""Putting the bench together: the modules ``qt``, ``ctk`` and ``slicer.*``, the application, the
scene and its logics.
"""

from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import Any

from harness import pythonqt

sys.modules["qt"] = pythonqt.qtModule()

import slicer  # noqa: E402  # slicer.util looks for qt
import vtk  # noqa: E402

slicer.modules = SimpleNamespace()
slicer.selfTests = {}

from harness import (  # noqa: E402  # they need slicer and qt as set up above
    ctk,
    i18n,
    modules,
    mrml_widgets,
    parameter_node,
    sample_data,
    scripted,
    subject_hierarchy,
)
from harness.application import Application  # noqa: E402

SLICER_SUBMODULES: dict[str, ModuleType] = {
    "i18n": i18n,
    "parameterNodeWrapper": parameter_node,
    "ScriptedLoadableModule": scripted,
}


def startApplication(testing: bool) -> Application:
    """The whole bench, started. Called once, by ``harness.start``."""
    sys.modules["ctk"] = ctk
    sys.modules["SampleData"] = sample_data
    widgets = [getattr(ctk, name) for name in ctk.__all__]
    for name in mrml_widgets.__all__:
        setattr(slicer, name, getattr(mrml_widgets, name))
        widgets.append(getattr(mrml_widgets, name))
    pythonqt.UiLoader.customWidgets = tuple(widgets)
    for name, module in SLICER_SUBMODULES.items():
        sys.modules["slicer." + name] = module
        setattr(slicer, name, module)
    slicer.qSlicerScriptedLoadableModule = modules.qSlicerScriptedLoadableModule
    slicer.qSlicerScriptedLoadableModuleWidget = modules.qSlicerScriptedLoadableModuleWidget
    slicer.app = Application([sys.argv[0]], testing)
    createScene(slicer.app)
    return slicer.app


def createScene(application: Any) -> None:
    """The scene with the logics that give it its node classes, and the views."""
    scene = slicer.vtkMRMLScene()
    slicer.mrmlScene = scene
    applicationLogic = slicer.vtkSlicerApplicationLogic()
    applicationLogic.SetMRMLScene(scene)
    application.setScene(scene, applicationLogic)
    # Slicer's own files of colours and terminologies are not in slicer-core; their absence is no
    # news
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    for name, className in modules.MODULE_LOGICS.items():
        logic = getattr(slicer, className)()
        logic.SetMRMLApplicationLogic(applicationLogic)
        applicationLogic.SetModuleLogic(name, logic)
        if name == "Colors":
            applicationLogic.SetColorLogic(logic)
        logic.SetMRMLScene(scene)
        setattr(slicer.modules, name.lower(), modules.LoadableModule(name, logic))
    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_WARNING)
    crosshair = slicer.vtkMRMLCrosshairNode()  # as the slice views' displayable manager makes it
    crosshair.SetSingletonTag("default")
    crosshair.SetName("Crosshair")
    scene.AddNode(crosshair)
    application.createViews()
    subject_hierarchy.follow(scene)
