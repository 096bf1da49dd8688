"""The panel with the real engine and a tiny model; run by path, a process that holds such a panel.

real_engine.py PET CT MODELS RUNS    opens the panel, clicks Detect, says each stage on stdout
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

TINY = "tiny-petct"
TESTING = Path(__file__).resolve().parents[1]


def engineInterpreter(models: Path) -> Any:
    """This Python for the engine, with the models of a folder and on one core."""
    from PETAnomalyLib.panel.environment.interpreter import Interpreter, findInterpreter

    own = findInterpreter()
    more = {"PETANOMALY_MODELS": str(models), "OMP_NUM_THREADS": "1"}
    return Interpreter(own.path, {**own.environment, **more}, foreign=False)


def modelsIn(folder: Path) -> Any:
    """A shelf with the models of a folder."""
    from PETAnomalyLib.engine.bundles.bundle import verify_bundle
    from stub_bundles import ModelShelf

    return ModelShelf(*(verify_bundle(path) for path in folder.glob("tiny-*/")))


def chooseStudy(panel: Any, pet: Path, ct: Path) -> None:
    """Load PET and CT and choose them."""
    import SimpleITK as sitk
    from PETAnomalyLib.panel.scene.inputs import markAsSuv
    from PETAnomalyLib.panel.scene.volume_nodes import addVolume

    panel.parameters.pet = addVolume(sitk.ReadImage(str(pet)), "PET", None)
    markAsSuv(panel.parameters.pet)
    panel.parameters.ct = addVolume(sitk.ReadImage(str(ct)), "CT", panel.parameters.pet)
    panel.parameters.model = TINY  # and not the one that these settings remember
    panel.engine.setDevice("cpu")
    panel.update()


def main(pet: Path, ct: Path, models: Path, runs: Path) -> None:
    sys.path[:0] = [str(TESTING), str(TESTING / "support"), str(TESTING.parent / "PETAnomaly")]
    import harness

    application = harness.start()
    application.temporaryPath = str(runs)
    from open_panel import openPanel

    shelf, interpreter = modelsIn(models), engineInterpreter(models)
    with openPanel(runs, shelf=shelf, interpreter=interpreter) as panel:
        chooseStudy(panel, pet, ct)
        panel.task.onStage = lambda text: print(text, flush=True)
        panel.ui.detectButton.click()
        endWithoutParent(application)
        application.exec()


def endWithoutParent(application: Any) -> None:
    """A test run that was itself killed leaves no panel behind."""
    import qt

    parent = os.getppid()
    timer = qt.QTimer(application)
    timer.timeout.connect(lambda: application.quit() if os.getppid() != parent else None)
    timer.start(1000)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
