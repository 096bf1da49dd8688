from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import slicer  # slicer.util looks for qt
from open_panel import READY, SCRIPT, loadModule
from repository import MODULE, TESTING
from stub_engine import stubInterpreter
from studies import addStudy, waitUntil

pytestmark = pytest.mark.usefixtures("scene", "noPanelStays")


@pytest.fixture
def noPanelStays() -> Iterator[None]:
    """The module's own panel goes after a test: it follows the scene's one parameter node, and
    would load every later test's results a second time.
    """
    yield
    loadModule().unload()


def shownPanel(tmp_path: Path, mode: str = "") -> Any:
    """The module's own panel, entered, with a study and the stub engine."""
    from stub_bundles import ModelShelf, model

    representation = loadModule().widgetRepresentation()
    representation.enter()
    panel = representation.self().panel
    panel.model._source = ModelShelf(model())
    panel.model.reload()
    panel.engine.readiness.report = READY
    interpreter = stubInterpreter(tmp_path, mode)
    panel.engine.interpreter = lambda: interpreter
    panel.parameters.model = "petct-phantom"
    panel.parameters.pet, panel.parameters.ct = addStudy()
    panel.update()
    return panel


def test_slicer_finds_title_category_and_icon() -> None:
    module = loadModule()
    assert module.title == "PETAnomaly"
    assert module.categories == ["Nuclear Medicine"]
    assert "research use only" in module.helpText.lower()
    assert (Path(module.path).parent / "Resources" / "Icons" / "PETAnomaly.png").exists()


def test_entering_and_leaving_again_and_again_changes_nothing() -> None:
    representation = loadModule().widgetRepresentation()
    for _round in range(3):
        representation.enter()
        representation.exit()
    representation.enter()
    node = slicer.mrmlScene.GetSingletonNode("PETAnomaly", "vtkMRMLScriptedModuleNode")
    assert node is not None
    made = slicer.util.getNodesByClass("vtkMRMLScriptedModuleNode")
    assert [other for other in made if other.GetAttribute("ModuleName") == "PETAnomaly"] == [node]


def test_reloading_the_module_in_mid_run_ends_the_run_and_gives_a_new_panel(tmp_path: Any) -> None:
    panel = shownPanel(tmp_path, "sleep")
    panel.detect()
    assert waitUntil(lambda: panel.ui.progressBar.value > 0)
    folder = Path(panel.task.folder)
    slicer.util.reloadScriptedModule("PETAnomaly")
    assert not panel.task.isRunning
    assert waitUntil(lambda: not list(folder.parent.glob(folder.name + "*")), 10)
    new = slicer.modules.petanomaly.widgetRepresentation().self().panel
    assert new is not panel
    new.enter()
    assert new.parameters.pet.GetName() == "Müller PET 1"


def test_leaving_the_module_lets_the_run_go_on(tmp_path: Any) -> None:
    panel = shownPanel(tmp_path)
    panel.detect()
    loadModule().widgetRepresentation().exit()
    assert waitUntil(lambda: panel.parameters.table is not None)
    loadModule().widgetRepresentation().enter()


def test_the_sample_study_is_offered_by_the_sample_data_module() -> None:
    loadModule()
    slicer.modules.PETAnomalyInstance.onStartupCompleted()
    sources = slicer.modules.sampleDataSources["Nuclear Medicine"]
    assert [source.sampleName for source in sources][-1:] == ["PETAnomaly sample"]
    assert Path(sources[-1].thumbnailFileName).exists()


@pytest.mark.slow
def test_the_start_of_slicer_does_not_wait_for_simpleitk_and_scipy() -> None:
    """What is imported then is imported by everyone who has the extension, used or not."""
    program = (
        f"import sys; sys.path[:0] = [{str(TESTING)!r}, {str(MODULE)!r}]\n"
        "import harness; harness.start()\n"
        "from harness.modules import loadScriptedModule\n"
        "from pathlib import Path\n"
        "import slicer\n"
        f"loadScriptedModule(Path({str(SCRIPT)!r}))\n"
        "slicer.modules.PETAnomalyInstance.onStartupCompleted()\n"
        "print(*sorted({'SimpleITK', 'scipy', 'pydicom', 'torch'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == []
