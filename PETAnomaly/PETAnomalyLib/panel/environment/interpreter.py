"""Which Python runs the engine, and with which environment variables.

Three come into question: what the environment variable PETANOMALY_PYTHON says, what the settings
say, this Slicer's own. A foreign Python (a conda environment with a GPU build, say) is started from
the environment Slicer itself was started from: inside Slicer's own, with its PYTHONHOME and library
paths, it fails with "SRE module mismatch".
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import qt
import slicer  # slicer.util looks for qt

OVERRIDE = "PETANOMALY_PYTHON"
SETTING = "PETAnomaly/Interpreter"
MODULE_FOLDER = Path(__file__).resolve().parents[3]  # holds PETAnomalyLib


@dataclass(frozen=True)
class Interpreter:
    """A Python for the engine.

    Attributes:
        path: its executable.
        environment: every variable that its process gets.
        foreign: it is not this Slicer's own: nothing is ever installed into it from here.
    """

    path: str
    environment: dict[str, str]
    foreign: bool

    def describe(self) -> str:
        """For the log and the diagnostics."""
        return f"{self.path} ({'chosen by the user' if self.foreign else 'of this Slicer'})"


def ownPython() -> str:
    """This Slicer's Python.

    `python-real` rather than `PythonSlicer`: the latter is a launcher that starts the former with a
    stdin of its own (ctkAppLauncher.cpp forwards the output channels only), so that the engine
    would not notice that Slicer has crashed. Inside Slicer the environment it would set up is there
    already.
    """
    for name in ("python-real", "PythonSlicer"):
        found = shutil.which(name)
        if found:
            return found
    # Slicer sets sys.executable to its PythonSlicer, to nothing when there is none.
    return sys.executable or shutil.which("python3") or "python3"


def findInterpreter(setting: str = "") -> Interpreter:
    """The Python to use.

    Args:
        setting: path chosen in the panel; empty: what the application settings say.
    """
    chosen = os.environ.get(OVERRIDE) or setting or str(qt.QSettings().value(SETTING) or "")
    if not chosen or samePath(chosen, ownPython()):
        return Interpreter(ownPython(), engineEnvironment(dict(os.environ)), foreign=False)
    startup = slicer.util.startupEnvironment()
    for name in ("PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH"):
        startup.pop(name, None)  # of no use to another Python, and often fatal
    return Interpreter(str(chosen), engineEnvironment(startup), foreign=True)


def engineEnvironment(variables: dict[str, str]) -> dict[str, str]:
    """The variables with what the engine needs on top: it is found, and speaks UTF-8 without
    buffering.
    """
    earlier = variables.get("PYTHONPATH", "")
    path = str(MODULE_FOLDER) + (os.pathsep + earlier if earlier else "")
    return {**variables, "PYTHONPATH": path, "PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1"}


def samePath(one: str, other: str) -> bool:
    return os.path.normcase(Path(one).absolute()) == os.path.normcase(Path(other).absolute())
