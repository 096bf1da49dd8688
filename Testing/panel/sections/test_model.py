"""Choosing a model and a scorer."""

from __future__ import annotations

from typing import Any

import pytest
import qt
import slicer  # slicer.util looks for qt
from open_panel import openPanel
from PETAnomalyLib.panel.parameters import setThreshold, threshold
from PETAnomalyLib.panel.settings import Settings
from stub_bundles import ModelShelf, model

pytestmark = pytest.mark.usefixtures("scene")


def test_scorers_that_the_model_cannot_give_are_greyed(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        panel.ui.modelCombo.setCurrentIndex(2)
        combo = panel.ui.scorerCombo
        items = [combo.model().item(index) for index in range(3)]
        assert [item.isEnabled() for item in items] == [False, False, True]
        assert "several" in combo.itemData(0, qt.Qt.ToolTipRole)
        assert panel.parameters.scorer == "residual"


def test_another_model_brings_its_own_thresholds(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        setThreshold(panel.parameters, "kde", 7.0)
        panel.ui.modelCombo.setCurrentIndex(1)
        assert panel.parameters.model == "pet-phantom"
        assert threshold(panel.parameters, "kde") is None
        assert "Optional" in panel.ui.ctState.text


def test_the_last_model_is_the_next_scenes_first(scene: Any, tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        panel.ui.modelCombo.setCurrentIndex(1)
        assert Settings().model == "pet-phantom"
        scene.Clear(0)
        assert panel.parameters.model == "pet-phantom"
        panel.ui.modelCombo.setCurrentIndex(0)


def test_a_scenes_model_that_is_not_installed_is_said(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        panel.parameters.model = "from-elsewhere"
        panel.update()
        assert "from-elsewhere" in panel.ui.modelCard.text
        assert "from-elsewhere" in panel.ui.detectButton.toolTip


def test_a_refused_model_is_explained_and_nothing_changes(tmp_path: Any, monkeypatch: Any) -> None:
    said = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *_a, **_k: said.append(text))
    with openPanel(tmp_path) as panel:
        before = panel.ui.modelCombo.count
        assert not panel.model.addModel(str(tmp_path / "ünknown.zip"))
        assert "ünknown.zip has a wrong hash." in said[0]
        assert "Get it again." in said[0]
        assert panel.ui.modelCombo.count == before


def test_an_added_model_is_chosen_at_once(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        new = model("mine")
        shelf = panel.model._source
        shelf.add = lambda _path: shelf.models.append(new) or new
        assert panel.model.addModel(str(tmp_path))
        assert panel.parameters.model == "mine"
        assert panel.ui.modelCombo.currentText == "Model mine"


def test_no_model_at_all_is_a_reason_against_detect(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        panel.model._source = ModelShelf()
        panel.model.reload()
        panel.update()
        assert "No model is installed" in panel.ui.detectButton.toolTip
