"""Where packages come from: torch from the PyTorch extension or `setup_torch.py`, the rest from
Slicer's pip; or all from wheels in a folder.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.environment.inspection import Package
from PETAnomalyLib.panel.environment.interpreter import MODULE_FOLDER, Interpreter
from PETAnomalyLib.panel.environment.visible_process import InstallationError, runVisibly

SETUP_TORCH = ("PETAnomalyLib/setup_torch.py", "../setup_torch.py")  # installed; in a checkout


class PackageSource(Protocol):
    """Where packages come from.

    `install` blocks, keeps the window alive, and raises `InstallationError`, or
    `InstallationCancelled` where `say` does.
    """

    def install(
        self, packages: list[Package], constraints: Path, say: Callable[[str], None]
    ) -> None: ...


class PyTorchExtension:
    """torch by Slicer's PyTorch extension, which knows the drivers."""

    @staticmethod
    def isThere() -> bool:
        return hasattr(slicer.modules, "pytorchutils")

    def install(
        self, packages: list[Package], _constraints: Path, say: Callable[[str], None]
    ) -> None:
        import PyTorchUtils

        say(_("PyTorch, by the PyTorch extension"))
        requirement = packages[0].requirement[len(packages[0].name) :]
        try:
            torch = PyTorchUtils.PyTorchUtilsLogic().installTorch(
                askConfirmation=False, torchVersionRequirement=requirement
            )
        except Exception as error:
            raise InstallationError(
                _("The PyTorch extension could not install PyTorch: {reason}.").format(reason=error)
            ) from error
        if torch is None:
            raise InstallationError(_("The PyTorch extension did not install PyTorch."))


class SetupTorch:
    """torch by our own `setup_torch.py`, in a process whose words are shown while the event loop
    runs.
    """

    def __init__(self, interpreter: Interpreter, script: Path | None = None) -> None:
        self._interpreter = interpreter
        self._script = script

    def install(
        self, _packages: list[Package], _constraints: Path, say: Callable[[str], None]
    ) -> None:
        runVisibly(self._interpreter, [str(self._script or findSetupTorch())], say)


class WheelFolder:
    """Everything from wheels in a folder, for a computer without a network: pip, which is told of
    no other place.
    """

    def __init__(self, interpreter: Interpreter, folder: Path) -> None:
        self._interpreter = interpreter
        self._folder = folder

    def install(
        self, packages: list[Package], constraints: Path, say: Callable[[str], None]
    ) -> None:
        requirements = [package.requirement for package in packages]
        words = ["-m", "pip", "install", "--disable-pip-version-check", "--no-index"]
        words += ["--find-links", str(self._folder), "--constraint", str(constraints)]
        runVisibly(self._interpreter, [*words, *requirements], say)


def findSetupTorch() -> Path:
    """Our setup_torch.py.

    Raises:
        InstallationError: it is not where it was installed.
    """
    for name in SETUP_TORCH:
        path = (MODULE_FOLDER / name).resolve()
        if path.is_file():
            return path
    raise InstallationError(
        _("setup_torch.py is missing below {folder}.").format(folder=MODULE_FOLDER)
    )


class SlicerPip:
    """Everything else by Slicer's own pip: `slicer.packaging.pip_ensure` where it exists (5.11),
    else `slicer.util.pip_install`.
    """

    def install(
        self, packages: list[Package], constraints: Path, say: Callable[[str], None]
    ) -> None:
        requirements = [package.requirement for package in packages]
        say(", ".join(requirements))
        try:
            pipEnsure = importlib.import_module("slicer.packaging").pip_ensure
        except (ImportError, AttributeError):
            pipEnsure = None
        try:
            if pipEnsure is not None:
                from packaging.requirements import Requirement  # there since pip_ensure is

                # asked already; in testing mode it would do nothing
                pipEnsure(
                    [Requirement(text) for text in requirements],
                    constraints=constraints,
                    prompt_install=False,
                    requester="PETAnomaly",
                    skip_in_testing=False,
                )
            else:
                slicer.util.pip_install([*requirements, "--constraint", str(constraints)])
        except Exception as error:
            raise InstallationError(
                _("pip could not install {packages}: {reason}.").format(
                    packages=", ".join(requirements), reason=error
                )
            ) from error
