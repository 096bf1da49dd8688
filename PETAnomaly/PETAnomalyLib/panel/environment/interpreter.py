"""Which Python runs the engine, and with which environment variables.

Three come into question: what the environment variable PETANOMALY_PYTHON says, what the settings
say, this Slicer's own. A foreign Python (a conda environment with a GPU build, say) is started from
the environment Slicer itself was started from: inside Slicer's own, with its PYTHONHOME and library
paths, it fails with "SRE module mismatch".
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import qt
import slicer  # slicer.util looks for qt

OVERRIDE = "PETANOMALY_PYTHON"
SETTING = "PETAnomaly/Interpreter"
MODULE_FOLDER = Path(__file__).resolve().parents[3]  # holds PETAnomalyLib
LAUNCHER = Path(__file__).with_name("launcher.py")


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

    @property
    def flags(self) -> list[str]:
        """What every process of it is started with: isolated, UTF-8, unbuffered.

        Not so the Python of an installed Slicer, which finds its own library by PYTHONHOME alone.
        There it is the files that are run by path, and the working folder, that are ours.
        """
        isolated = "-s" if self.environment.get("PYTHONHOME") else "-I"
        return [isolated, "-X", "utf8", "-u"]

    def running(self, program: str, *words: str) -> list[str]:
        """The arguments that run a module, or a file that ends in `.py`, with the folders of the
        environment's PYTHONPATH to import from.
        """
        parts = self.environment.get("PYTHONPATH", "").split(os.pathsep)
        folders = os.pathsep.join(part for part in parts if Path(part).is_absolute())
        return [*self.flags, str(LAUNCHER), folders, program, *words]

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
        found = onPath(name)
        if found:
            return found
    # Slicer sets sys.executable to its PythonSlicer, to nothing when there is none.
    return sys.executable or onPath("python3") or "python3"


def onPath(name: str) -> str:
    """The program of that name in the folders that PATH names in full; empty when there is none.

    Not `shutil.which`: it takes the current folder's, where PATH has an empty part and on Windows.
    """
    ending = ".exe" if sys.platform == "win32" else ""
    for folder in os.environ.get("PATH", "").split(os.pathsep):
        program = Path(folder) / (name + ending)
        if program.is_absolute() and program.is_file() and os.access(program, os.X_OK):
            return str(program)
    return ""


def ownInterpreter() -> Interpreter:
    """This Slicer's Python, in Slicer's environment."""
    return Interpreter(ownPython(), engineEnvironment(dict(os.environ)), foreign=False)


def findInterpreter(setting: str = "") -> Interpreter:
    """The Python to use.

    Args:
        setting: path chosen in the panel; empty: what the application settings say.
    """
    chosen = os.environ.get(OVERRIDE) or setting or str(qt.QSettings().value(SETTING) or "")
    if not chosen or samePath(chosen, ownPython()):
        return ownInterpreter()
    startup = slicer.util.startupEnvironment()
    for name in ("PYTHONHOME", "PYTHONNOUSERSITE", "PYTHONPATH"):
        startup.pop(name, None)  # of no use to another Python, and often fatal
    return Interpreter(str(chosen), engineEnvironment(startup), foreign=True)


def engineEnvironment(variables: dict[str, str]) -> dict[str, str]:
    """The variables with what the engine needs on top: it is found, speaks UTF-8 without buffering,
    and imports nothing from the current folder, nor do its workers.
    """
    earlier = variables.get("PYTHONPATH", "")
    return {
        **variables,
        "PYTHONPATH": str(MODULE_FOLDER) + (os.pathsep + earlier if earlier else ""),
        "PYTHONSAFEPATH": "1",
        "PYTHONUTF8": "1",
        "PYTHONUNBUFFERED": "1",
    }


def samePath(one: str, other: str) -> bool:
    return os.path.normcase(Path(one).absolute()) == os.path.normcase(Path(other).absolute())
