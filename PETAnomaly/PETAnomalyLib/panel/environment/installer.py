"""Installing what the engine needs into this Slicer's Python: asked once, visible, and nothing that
Slicer ships replaced.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.inspection import EnvironmentReport, Package
from PETAnomalyLib.panel.environment.interpreter import Interpreter
from PETAnomalyLib.panel.environment.package_sources import (
    InstallationError,
    PackageSource,
    PyTorchExtension,
    SetupTorch,
    SlicerPip,
)

LOOSE = ("torch", "triton", "nvidia-", "cuda-", "monai", "safetensors")  # what may come or change


@dataclass(frozen=True)
class InstallOutcome:
    """How it ended: `ok`, `cancelled`, or a `message` that names the next step."""

    ok: bool = False
    cancelled: bool = False
    message: str = ""


class PackageInstaller(Protocol):
    """Brings an interpreter what its report says is missing; blocks, and keeps the window alive."""

    def install(self, interpreter: Interpreter, report: EnvironmentReport) -> InstallOutcome: ...


class Installer:
    """`PackageInstaller` for this Slicer's Python.

    `install` asks once, naming every package and the size of the download. It then gets torch from
    the PyTorch extension when that is installed, else from `setup_torch.py`, and the rest by pip,
    under constraints that hold every package that is there to its version. It blocks until all is
    done, with a progress dialog and a live event loop: pip in a thread hangs Slicer 5.12. A foreign
    Python is never touched: the outcome says what to type. A failure leaves a message that names
    the next step; what was installed until then stays and is not installed twice.

        outcome = installer.install(findInterpreter(), report)
        if not outcome.ok and not outcome.cancelled:
            slicer.util.errorDisplay(outcome.message)
    """

    def __init__(
        self,
        torchSource: PackageSource | None = None,
        pip: PackageSource | None = None,
        confirm: Callable[[str], bool] | None = None,
    ) -> None:
        self._torchSource = torchSource
        self._pip = pip if pip is not None else SlicerPip()
        self._confirm = confirm if confirm is not None else askUser

    def install(self, interpreter: Interpreter, report: EnvironmentReport) -> InstallOutcome:
        missing = list(report.missing)
        if not missing:
            return InstallOutcome(ok=True)
        if interpreter.foreign:
            return InstallOutcome(message=byHand(interpreter, missing))
        if not self._confirm(question(missing)):
            return InstallOutcome(cancelled=True)
        torch = [package for package in missing if package.name == "torch"]
        others = [package for package in missing if package.name != "torch"]
        with ProgressDialog(len(missing)) as progress, tempfile.TemporaryDirectory() as folder:
            constraints = Path(folder) / "constraints.txt"
            constraints.write_text(holdInstalled(), encoding="utf-8")
            try:
                if torch:
                    self._chooseTorchSource(interpreter).install(torch, constraints, progress.say)
                    progress.advance()
                if others:
                    self._pip.install(others, constraints, progress.say)
            except InstallationError as error:
                return InstallOutcome(message=f"{error}\n\n{nextStep()}")
        importlib.invalidate_caches()
        return InstallOutcome(ok=True)

    def _chooseTorchSource(self, interpreter: Interpreter) -> PackageSource:
        if self._torchSource is not None:
            return self._torchSource
        return PyTorchExtension() if PyTorchExtension.isThere() else SetupTorch(interpreter)


class ProgressDialog:
    """What is being installed, line by line, while the window stays alive.

    No Cancel: half an installation is worse than none.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._dialog: Any = None

    def __enter__(self) -> ProgressDialog:
        self._dialog = slicer.util.createProgressDialog(
            maximum=self._steps,
            windowTitle=_("PETAnomaly: installing"),
            labelText=_("Installing..."),
            autoClose=False,
        )
        self._dialog.setCancelButton(None)
        self._dialog.show()
        slicer.app.processEvents()
        return self

    def __exit__(self, *_error: object) -> None:
        self._dialog.close()
        self._dialog.deleteLater()

    def say(self, line: str) -> None:
        self._dialog.labelText = line[:160]
        slicer.app.processEvents()

    def advance(self) -> None:
        self._dialog.value = min(self._dialog.value + 1, self._steps)


def askUser(text: str) -> bool:
    return bool(slicer.util.confirmOkCancelDisplay(text, _("PETAnomaly: install packages?")))


def question(missing: list[Package]) -> str:
    """What will be installed and how large it is."""
    lines = [f"  {package.requirement}   ({inWords(package.sizeMB)})" for package in missing]
    total = inWords(sum(package.sizeMB for package in missing))
    return (
        _("PETAnomaly needs these Python packages; they are installed into this Slicer:")
        + "\n\n"
        + "\n".join(lines)
        + "\n\n"
        + _("About {total} to download. Nothing that Slicer ships is replaced.").format(total=total)
    )


def inWords(megabytes: int) -> str:
    return f"{megabytes / 1000:.1f} GB" if megabytes >= 1000 else f"{megabytes} MB"


def byHand(interpreter: Interpreter, missing: list[Package]) -> str:
    """What the owner of a foreign Python has to type."""
    names = " ".join(f'"{package.requirement}"' for package in missing)
    return _(
        "{python} lacks packages, and PETAnomaly does not change another program's Python. "
        "In a terminal:\n\n{command}"
    ).format(python=interpreter.path, command=f'"{interpreter.path}" -m pip install {names}')


def nextStep() -> str:
    return _(
        "Check the network connection and the free disk space and click Install again. Or install "
        "the PyTorch extension (Extensions Manager), or choose another Python with torch and MONAI "
        "under Advanced."
    )


def holdInstalled() -> str:
    """pip constraints, a line a package: what is installed keeps its version, torch's family
    excepted.
    """
    lines = set()
    for distribution in importlib.metadata.distributions():
        name, version = distribution.metadata["Name"], distribution.version
        if name and version and not name.lower().startswith(LOOSE):
            lines.add(f"{name}=={version.split('+')[0]}")
    return "\n".join(sorted(lines)) + "\n"
