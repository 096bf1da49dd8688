"""The section Study: what a PET without units is asked, and how often."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import slicer  # slicer.util looks for qt
from open_panel import openPanel, settled
from studies import addStudy, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


def test_a_pet_without_units_is_asked_about_once_and_the_answer_stays_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    answers = [False, True]

    def answer(question: str, **_more: Any) -> bool:
        asked.append(question)
        return answers.pop(0)

    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", answer)
    with openPanel(tmp_path) as panel:
        pet, panel.parameters.ct = addStudy()
        pet.SetVoxelValueUnits(None)
        panel.parameters.pet = pet
        panel.update()
        panel.ui.detectButton.click()
        assert not panel.isBusy  # the answer was no
        assert panel.parameters.table is None
        panel.ui.detectButton.click()
        assert waitUntil(lambda: panel.parameters.table is not None)
        settled(panel)
        assert len(asked) == 2
        assert pet.GetName() in asked[0]
        assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
        slicer.mrmlScene.Clear(0)
        slicer.util.loadScene(str(tmp_path / "scene.mrb"))
        panel.update()
        assert panel.parameters.pet is not pet
        panel.detect()
        assert waitUntil(lambda: not panel.isBusy)
        assert len(asked) == 2
