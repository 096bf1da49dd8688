from __future__ import annotations

import time
from typing import Any

import pytest
import qt
from open_panel import openPanel
from studies import addStudy, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


def test_the_window_answers_from_the_click_to_the_results(tmp_path: Any) -> None:
    """A 50 ms timer in the GUI thread, through exporting, running and loading."""
    with openPanel(tmp_path) as panel:
        panel.parameters.pet, panel.parameters.ct = addStudy()
        panel.update()
        gaps: list[float] = []
        last = [time.perf_counter()]

        def tick() -> None:
            now = time.perf_counter()
            gaps.append(now - last[0])
            last[0] = now

        timer = qt.QTimer()
        timer.setInterval(50)
        timer.timeout.connect(tick)
        timer.start()
        cpu = time.process_time()
        panel.ui.detectButton.click()
        assert waitUntil(lambda: panel.parameters.table is not None)
        timer.stop()
        cpu = time.process_time() - cpu
        # On a machine that is busy otherwise a gap says nothing; then the time spent here counts.
        assert max(gaps) < 0.2 or cpu < 0.2 * len(gaps)
