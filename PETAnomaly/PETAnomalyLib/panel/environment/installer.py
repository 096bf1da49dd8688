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

import qt
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.inspection import EnvironmentReport, Package
from PETAnomalyLib.panel.environment.interpreter import Interpreter
from PETAnomalyLib.panel.environment.package_sources import (
    PackageSource,
    PyTorchExtension,
    SetupTorch,
    SlicerPip,
    WheelFolder,
)
from PETAnomalyLib.panel.environment.visible_process import (
    InstallationCancelled,
    InstallationError,
)

LOOSE = ("torch", "triton", "nvidia-", "cuda-", "monai", "safetensors")  # what may come or change


@dataclass(frozen=True)
class InstallOutcome:
    """How it ended: `ok`, `cancelled`, or a `message` that names the next step."""

    ok: bool = False
    cancelled: bool = False
    message: str = ""


class PackageInstaller(Protocol):
    """Brings an interpreter what its report says is missing; blocks, and keeps the window alive.

    `wheels` is a folder to install from, without a network; None for the usual places.
    `onLog(line)` gets all that is said meanwhile.
    """

    wheels: Path | None
    onLog: Callable[[str], None]

    def install(self, interpreter: Interpreter, report: EnvironmentReport) -> InstallOutcome: ...


class Installer:
    """`PackageInstaller` for this Slicer's Python.

    `install` asks once, naming every package and the size of the download. It then gets torch from
    the PyTorch extension when that is installed, else from `setup_torch.py`, and the rest by pip,
    under constraints that hold every package that is there to its version. It blocks until all is
    done, with a progress dialog and a live event loop: pip in a thread hangs Slicer 5.12. Cancel
    ends what runs in a process of its own (torch, wheels). A foreign Python is never touched: the
    outcome says what to type. A failure leaves a message that names the cause and
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
        self.wheels: Path | None = None
        self.onLog: Callable[[str], None] = lambda _line: None
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
        with (
            ProgressDialog(len(missing), self.onLog) as progress,
            tempfile.TemporaryDirectory() as folder,
        ):
            constraints = Path(folder) / "constraints.txt"
            constraints.write_text(holdInstalled(), encoding="utf-8")
            try:
                if self.wheels is not None:
                    source = WheelFolder(interpreter, self.wheels)
                    source.install(missing, constraints, progress.say)
                    torch, others = [], []
                if torch:
                    self._chooseTorchSource(interpreter).install(torch, constraints, progress.say)
                    progress.advance()
                if others:
                    self._pip.install(others, constraints, progress.say)
            except InstallationCancelled:
                return InstallOutcome(cancelled=True)
            except InstallationError as error:
                return InstallOutcome(message=f"{error}\n\n{nextStep()}")
        importlib.invalidate_caches()
        return InstallOutcome(ok=True)

    def _chooseTorchSource(self, interpreter: Interpreter) -> PackageSource:
        if self._torchSource is not None:
            return self._torchSource
        return PyTorchExtension() if PyTorchExtension.isThere() else SetupTorch(interpreter)


class ProgressDialog:
    """What is being installed, line by line, and for how long, while the window stays alive."""

    def __init__(self, steps: int, log: Callable[[str], None]) -> None:
        self._steps = steps
        self._log = log
        self._line = ""
        self._dialog: Any = None
        self._elapsed = qt.QElapsedTimer()

    def __enter__(self) -> ProgressDialog:
        self._dialog = slicer.util.createProgressDialog(
            maximum=self._steps,
            windowTitle=_("PETAnomaly: installing"),
            labelText=_("Installing..."),
            autoClose=False,
        )
        self._elapsed.start()
        self._dialog.show()
        slicer.app.processEvents()
        return self

    def __exit__(self, *_error: object) -> None:
        self._dialog.close()
        self._dialog.deleteLater()

    def say(self, line: str) -> None:
        """Show and keep a line; an empty one lets the time go on.

        Raises:
            InstallationCancelled: Cancel was clicked.
        """
        if line:
            self._log(line)
            self._line = line[:160]
        seconds = self._elapsed.elapsed() // 1000
        self._dialog.labelText = f"{self._line}\n{seconds // 60}:{seconds % 60:02d}"
        slicer.app.processEvents()
        if self._dialog.wasCanceled:
            raise InstallationCancelled

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
        "All that was said is in the log. Check the network connection and the free disk space and "
        "click Install under Advanced. Or install the PyTorch extension (Extensions Manager), "
        "install from a folder of wheels, or choose another Python with torch under Advanced."
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
