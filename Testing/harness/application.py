"""``slicer.app``: a QApplication with what qSlicerApplication adds to it and the panel uses.

Source: Slicer, Base/QTCore/qSlicerCoreApplication.h and Base/QTGUI/qSlicerApplication.h.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path
from typing import Any

import slicer
from PySide6.QtCore import QCoreApplication, QObject, QProcessEnvironment, QSettings, Signal
from PySide6.QtWidgets import QApplication

from harness.data_io import CoreIOManager
from harness.views import LayoutManager

VERSION = "5.12.0"


class ModuleManager(QObject):
    """qSlicerModuleManager: the modules by name, and word of one that goes."""

    moduleAboutToBeUnloaded = Signal(str)
    moduleLoaded = Signal(str)

    def module(self, name: str) -> Any:
        return getattr(slicer.modules, name.lower(), None)

    def modulesNames(self) -> list[str]:
        return [module.name for module in vars(slicer.modules).values() if hasattr(module, "name")]


class CommandOptions:
    """qSlicerCommandOptions, as far as scripts look at it."""

    noMainWindow = True
    testingEnabled = True
    runPythonAndExit = False


class Application(QApplication):
    """The application: folders, settings, scene, views, input and output.

    Its settings and its temporary folder are its own and go with it, so that neither the user's
    Slicer nor the next test sees them.
    """

    startupCompleted = Signal()
    mrmlSceneChanged = Signal(object)

    def __init__(self, arguments: list[str], testing: bool) -> None:
        super().__init__(arguments)
        self._testing = testing
        self._startupEnvironment = QProcessEnvironment.systemEnvironment()
        self._home = Path(tempfile.mkdtemp(prefix="slicer-harness-"))
        atexit.register(shutil.rmtree, self._home, ignore_errors=True)
        self._temporaryPath = self._home / "temporary"
        self._temporaryPath.mkdir()
        QCoreApplication.setOrganizationName("NA-MIC")
        QCoreApplication.setApplicationName("Slicer")
        QCoreApplication.setApplicationVersion(VERSION)
        QSettings.setDefaultFormat(QSettings.Format.IniFormat)
        for scope in (QSettings.Scope.UserScope, QSettings.Scope.SystemScope):
            QSettings.setPath(QSettings.Format.IniFormat, scope, str(self._home / "settings"))
        self._moduleManager = ModuleManager()
        self._applicationLogic: Any = None
        self._layoutManager: LayoutManager | None = None
        self._ioManager: CoreIOManager | None = None
        self._options = CommandOptions()
        self._pauses = 0

    def setScene(self, scene: Any, applicationLogic: Any) -> None:
        self._scene = scene
        self._applicationLogic = applicationLogic
        applicationLogic.SetTemporaryPath(self.temporaryPath)
        self._remoteIO = slicer.vtkMRMLRemoteIOLogic()
        cache = self._home / "cache"
        cache.mkdir()
        (
            cache / ".slicer-cache"
        ).touch()  # what the cache manager wants to see in a folder of its own
        self._remoteIO.GetCacheManager().SetRemoteCacheDirectory(str(cache))
        self._remoteIO.SetMRMLApplicationLogic(applicationLogic)
        self._dataIO = slicer.vtkDataIOManagerLogic()
        self._dataIO.SetMRMLApplicationLogic(applicationLogic)
        applicationLogic.SetMRMLSceneDataIO(scene, self._remoteIO, self._dataIO)
        self._ioManager = CoreIOManager(scene)

    def createViews(self) -> None:
        self._layoutManager = LayoutManager(self._scene, self._applicationLogic)

    @property
    def temporaryPath(self) -> str:
        return str(self._temporaryPath)

    @temporaryPath.setter
    def temporaryPath(self, path: str) -> None:
        self._temporaryPath = Path(path)

    @property
    def slicerHome(self) -> str:
        return str(self._home)

    @property
    def majorVersion(self) -> int:
        return int(VERSION.split(".", maxsplit=1)[0])

    @property
    def minorVersion(self) -> int:
        return int(VERSION.split(".")[1])

    @property
    def revision(self) -> str:
        return "harness"

    def testingEnabled(self) -> bool:
        return self._testing

    def commandOptions(self) -> CommandOptions:
        return self._options

    def mrmlScene(self) -> Any:
        return self._scene

    def applicationLogic(self) -> Any:
        return self._applicationLogic

    def layoutManager(self) -> LayoutManager | None:
        return self._layoutManager

    def moduleManager(self) -> ModuleManager:
        return self._moduleManager

    def moduleLogic(self, name: str) -> Any:
        return self._moduleManager.module(name).logic()

    def coreIOManager(self) -> CoreIOManager | None:
        return self._ioManager

    def ioManager(self) -> CoreIOManager | None:
        return self._ioManager

    def userSettings(self) -> QSettings:
        return QSettings()

    def settings(self) -> QSettings:
        return QSettings()

    def startupEnvironment(self) -> QProcessEnvironment:
        return self._startupEnvironment

    def pauseRender(self) -> None:
        self._pauses += 1

    def resumeRender(self) -> None:
        self._pauses -= 1
