"""A run that is ended leaves no process and no folder: 20 tries with the real engine."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import real_engine
import SimpleITK as sitk
import slicer  # slicer.util looks for qt
from open_panel import openPanel
from studies import image, petArray, waitUntil
from waiting import processesThatMention

pytestmark = [
    pytest.mark.usefixtures("scene"),
    pytest.mark.skipif(os.name != "posix", reason="looks into /proc"),
]

SECONDS = 5.0
# After a kill the watchdog must first be given the processor, beside the other tries and the tests
# of the other worker: on two busy cores one try in seven took longer than 5 s.
SECONDS_AFTER_A_KILL = 30.0
# Seconds after the click on Detect: while the study is written, while the engine comes up. The last
# of the cancelled ones is cancelled while the engine computes.
CANCELLED = (0.0, 0.1, 0.3, 0.6, 1.0, None)
CLOSED = (0.0, 0.1, 0.2, 0.3, 0.4, 0.6, 1.0)
KILLED = (0.0, 0.1, 0.3, 0.6, 1.0, 1.5, 2.5)
AT_ONCE = 4  # Slicers that are killed


def test_there_are_twenty_tries() -> None:
    assert len(CANCELLED) + len(CLOSED) + len(KILLED) == 20


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """PET and CT files."""
    folder = tmp_path_factory.mktemp("study")
    hounsfield = np.where(petArray() > 0, 40, -1000).astype(np.int16)
    sitk.WriteImage(image(petArray()), str(folder / "pet.nrrd"))
    sitk.WriteImage(image(hounsfield), str(folder / "ct.nrrd"))
    return folder / "pet.nrrd", folder / "ct.nrrd"


@pytest.fixture
def opened(
    tmp_path: Path, tinyModels: Path, study: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Any]:
    """A panel in this process, its runs in `tmp_path`."""
    monkeypatch.setattr(type(slicer.app), "temporaryPath", str(tmp_path))
    shelf = real_engine.modelsIn(tinyModels)
    interpreter = real_engine.engineInterpreter(tinyModels)
    with openPanel(tmp_path, shelf=shelf, interpreter=interpreter) as panel:
        real_engine.chooseStudy(panel, *study)
        yield panel


def isNothingLeft(runs: Path) -> bool:
    return not processesThatMention(str(runs)) and not any(runs.iterdir())


def runUntil(panel: Any, seconds: float | None) -> None:
    """Detect, for so long; None: until the engine computes."""
    panel.ui.detectButton.click()
    assert panel.task.isRunning, (panel.ui.detectButton.toolTip, panel.ui.stageState.text)
    if seconds is None:
        assert waitUntil(lambda: panel.ui.progressBar.value > 0, 250.0)
    else:
        end = time.monotonic() + seconds
        waitUntil(lambda: time.monotonic() >= end)


@pytest.mark.slow
def test_cancelled_again_and_again(opened: Any, tmp_path: Path) -> None:
    for moment in CANCELLED:
        runUntil(opened, moment)
        opened.ui.detectButton.click()
        assert waitUntil(lambda: isNothingLeft(tmp_path), SECONDS), moment
        assert not opened.task.isRunning
        assert "Cancelled" in opened.ui.stageState.text


@pytest.mark.slow
def test_the_scene_closed_again_and_again(
    opened: Any, tmp_path: Path, study: tuple[Path, Path], scene: Any
) -> None:
    for moment in CLOSED:
        runUntil(opened, moment)
        scene.Clear(0)
        assert waitUntil(lambda: isNothingLeft(tmp_path), SECONDS), moment
        assert not opened.task.isRunning
        real_engine.chooseStudy(opened, *study)


@pytest.mark.slow
def test_slicer_killed_again_and_again(
    tmp_path: Path, tinyModels: Path, study: tuple[Path, Path]
) -> None:
    def kill(moment: float) -> bool:
        return diesCleanly([*study, tinyModels], tmp_path / f"after {moment} s", moment)

    with ThreadPoolExecutor(AT_ONCE) as tries:
        assert list(tries.map(kill, KILLED)) == [True] * len(KILLED)


def diesCleanly(files: list[Path], folder: Path, moment: float) -> bool:
    """Kill a process with a panel so long after Detect: whether what it leaves goes in time."""
    runs, own = folder / "runs", folder / "own"  # the bench's own temporary files are not meant
    for place in (runs, own):
        place.mkdir(parents=True)
    words = [sys.executable, real_engine.__file__, *(str(path) for path in [*files, runs])]
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "TMPDIR": str(own)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline().strip() == "Writing the study"
        assert any(runs.iterdir())
        time.sleep(moment)
        holder.kill()
    return comesTrue(lambda: isNothingLeft(runs))


def comesTrue(condition: Callable[[], bool]) -> bool:
    """Within the time allowed; without the event loop, which is the main thread's."""
    end = time.monotonic() + SECONDS_AFTER_A_KILL
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
