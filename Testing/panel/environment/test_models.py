from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import qt
import slicer  # slicer.util looks for qt
from open_panel import onlyResidual, openPanel
from PETAnomalyLib.panel.environment import models
from PETAnomalyLib.panel.parameters import setThreshold, threshold
from PETAnomalyLib.panel.sections.model import describeEnvironment
from PETAnomalyLib.panel.settings import Settings
from stub_bundles import ModelShelf, model

pytestmark = pytest.mark.usefixtures("scene")


def test_the_card_says_what_needs_to_be_known_and_escapes_what_others_wrote() -> None:
    card = models.card(model())
    assert "1000 phantoms &lt;made here&gt;" in card
    assert "PET (SUVbw) and CT" in card
    assert "53 x 41 x 86 cm in voxels of 6 mm" in card  # 88 x 68 x 144 voxels of 6 mm
    assert "best dice 0.50" in card
    assert "Research use only." in card


def test_a_scorer_that_needs_several_versions_is_refused_with_the_way_out() -> None:
    reason = models.whyNoScorer(onlyResidual(), "kde")
    assert "several healed versions" in reason
    assert "Choose Residual" in reason
    assert models.whyNoScorer(onlyResidual(), "residual") == ""


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


def test_found_graphics_cards_can_be_chosen_and_are_remembered(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        panel.ui.checkButton.click()
        combo = panel.ui.deviceCombo
        titles = [combo.itemText(index) for index in range(combo.count)]
        assert "NVIDIA H200 (cuda:0)" in titles
        combo.setCurrentIndex(titles.index("NVIDIA H200 (cuda:0)"))
        assert panel.model.device == "cuda:0"
        assert Settings().device == "cuda:0"
        combo.setCurrentIndex(0)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, "PyTorch 2.9; MONAI 1.5; no graphics card"),
        ({"torchVersion": None, "missing": ("torch",)}, "no PyTorch"),
        ({"error": "Python did not answer."}, "did not answer"),
    ],
)
def test_the_environment_is_described_in_words(changes: Any, expected: Any) -> None:
    found = {
        "pythonVersion": "3.12",
        "torchVersion": "2.9",
        "monaiVersion": "1.5",
        "devices": (),
        "error": "",
        "missing": (),
    }
    assert expected in describeEnvironment(SimpleNamespace(**{**found, **changes}))
