from __future__ import annotations

import gc
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import qt
import real_engine
import SimpleITK as sitk
from open_panel import openPanel, settled
from studies import addStudy, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


LIMIT = 0.2  # seconds
SCHEDSTAT = Path("/proc/thread-self/schedstat")


class Ticks:
    """A 50 ms timer in the GUI thread, and how long it starved: the seconds between two ticks less
    those that the thread was ready but the machine busy with other programs.

    What the tests before have left is not looked through by Python's garbage collector meanwhile:
    half a million objects (pytest, torch, SciPy), which took it 0.16 to 0.37 s at a time.
    """

    def __init__(self) -> None:
        self.longest: dict[str, float] = {}
        """Of each step, the longest gap that the step had a part in."""
        self._steps = [""]
        gc.collect()
        gc.freeze()
        self._last = self._now()
        self._timer = qt.QTimer()
        self._timer.setInterval(50)
        self._timer.timeout.connect(self._onTick)
        self._timer.start()

    def begin(self, step: str) -> None:
        """The next step; the one before may have kept the thread until now."""
        self._steps.append(step)

    def stop(self) -> None:
        self._timer.stop()
        gc.unfreeze()

    def _now(self) -> float:
        waited = int(SCHEDSTAT.read_text().split()[1]) / 1e9 if SCHEDSTAT.exists() else 0.0
        return time.perf_counter() - waited

    def _onTick(self) -> None:
        now = self._now()
        for step in self._steps:
            self.longest[step] = max(now - self._last, self.longest.get(step, 0.0))
        self._steps = self._steps[-1:]
        self._last = now


def longestGap(watched: Callable[[Ticks], None]) -> tuple[float, str]:
    """The longest that the timer starved, and at which step; of each step the best of two runs.

    What the panel does it does every time. A machine that stood still (its host had taken the
    processor, a page was fetched from disk) does not do so twice at the same step: CI had 0.204 s
    once, 0.206 s another time, at steps that take 0.02.
    """
    longest: dict[str, float] = {}
    for _ in range(2):
        ticks = Ticks()
        watched(ticks)
        ticks.stop()
        for step, gap in ticks.longest.items():
            longest[step] = min(gap, longest.get(step, gap))
        if max(longest.values()) < LIMIT:
            break
    return max((gap, step) for step, gap in longest.items())


def test_the_window_answers_from_the_click_to_the_results(tmp_path: Path) -> None:
    with openPanel(tmp_path) as panel:
        panel.parameters.pet, panel.parameters.ct = addStudy()
        panel.update()

        def detected(_: Ticks) -> None:
            panel.ui.detectButton.click()
            assert waitUntil(lambda: panel.parameters.table is not None and not panel.isBusy)

        assert longestGap(detected) < (LIMIT, "")


@pytest.mark.slow
def test_the_window_answers_while_a_whole_body_is_detected_and_loaded(
    tmp_path: Path, tinyModels: Path
) -> None:
    from PETAnomalyLib.engine.phantom import generate

    phantom = generate(3_000_001)
    for name, volume in (("pet", phantom.suv), ("ct", phantom.ct)):
        sitk.WriteImage(volume, str(tmp_path / f"{name}.nrrd"))
    shelf = real_engine.modelsIn(tinyModels)
    interpreter = real_engine.engineInterpreter(tinyModels)
    with openPanel(tmp_path, shelf=shelf, interpreter=interpreter) as panel:
        real_engine.chooseStudy(panel, tmp_path / "pet.nrrd", tmp_path / "ct.nrrd")
        panel.parameters.samples, panel.parameters.decodes = 2, 1
        panel.parameters.minimumVolume = 5.0  # random weights find noise, thousands of specks
        panel.update()
        show = panel.task.onStage

        def detected(ticks: Ticks) -> None:
            def onStage(text: str) -> None:
                ticks.begin(text)
                show(text)

            panel.task.onStage = onStage
            panel.ui.detectButton.click()
            assert waitUntil(lambda: not panel.isBusy, 270.0), panel.ui.logText.plainText
            settled(panel)

        longest = longestGap(detected)
        assert panel.parameters.table is not None, panel.ui.stageState.text
        assert panel.parameters.kdeMap.GetImageData().GetDimensions() == phantom.suv.GetSize()
        assert 0 < len(panel.findings.rows()) < 100  # a patient with very many lesions
        assert longest < (LIMIT, "")
