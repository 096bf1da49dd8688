from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import qt
import slicer
from open_panel import READY, openPanel, settled
from PETAnomalyLib.panel.environment.inspection import EnvironmentReport, requiredPackages
from PETAnomalyLib.panel.parameters import live, threshold
from PETAnomalyLib.panel.scene import findings_table_node
from studies import addStudy, addVolume, petArray, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


def chooseStudy(panel: Any) -> tuple[Any, Any]:
    pet, ct = addStudy()
    panel.parameters.pet = pet
    panel.parameters.ct = ct
    panel.update()
    return pet, ct


def detect(panel: Any) -> None:
    panel.ui.detectButton.click()
    assert waitUntil(lambda: panel.task.isRunning)
    assert waitUntil(lambda: not panel.task.isRunning)
    settled(panel)
    panel.update()


def test_detect_is_disabled_with_the_reasons_in_its_tooltip(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        assert not panel.ui.detectButton.enabled
        assert "Choose a PET" in panel.ui.detectButton.toolTip
        assert "needs the CT" in panel.ui.detectButton.toolTip
        chooseStudy(panel)
        assert panel.ui.detectButton.enabled


def test_a_run_by_clicks_leaves_maps_findings_and_table_beside_the_pet(
    scene: Any, tmp_path: Any
) -> None:
    with openPanel(tmp_path) as panel:
        pet, _ct = chooseStudy(panel)
        hierarchy = scene.GetSubjectHierarchyNode()
        patient = hierarchy.CreateSubjectItem(hierarchy.GetSceneItemID(), "Patient")
        hierarchy.SetItemParent(hierarchy.GetItemByDataNode(pet), patient)
        detect(panel)
        parameters = panel.parameters
        nodes = [
            parameters.kdeMap,
            parameters.zscoreMap,
            parameters.residualMap,
            parameters.segmentation,
            parameters.table,
        ]
        for node in nodes:
            assert "Müller PET 1" in node.GetName()
            assert "petct-phantom" in node.GetName()
            folder = hierarchy.GetItemParent(hierarchy.GetItemByDataNode(node))
            assert hierarchy.GetItemName(folder) == "Run of petct-phantom, Müller PET 1"
            assert hierarchy.GetItemParent(folder) == patient
        kde = slicer.util.arrayFromVolume(parameters.kdeMap)
        assert np.allclose(kde, petArray() * 1.5 - 2.0, atol=1e-5)
        assert "Done: 2 findings" in panel.ui.stageState.text
        assert "A stub wrote this." in panel.ui.stageState.text


def test_the_segmentations_reference_geometry_is_the_pets(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        pet, _ct = chooseStudy(panel)
        detect(panel)
        segmentation = panel.parameters.segmentation
        role = slicer.vtkMRMLSegmentationNode.GetReferenceImageGeometryReferenceRole()
        assert segmentation.GetNodeReference(role) is pet


def test_the_table_on_screen_says_what_the_csv_of_the_engine_says(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        chooseStudy(panel)
        detect(panel)
        assert panel.findings.export.writeCsv(tmp_path / "out.csv")
        with (tmp_path / "out.csv").open(encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        assert [row["number"] for row in rows] == ["1", "2"]
        assert [float(row["suv_max"]) for row in rows] == [9.0, 6.0]
        assert panel.findings.table.text(0, 2) == "9.0"
        assert ">2<" in panel.ui.totalsState.text


def test_moving_the_threshold_redraws_from_the_map_that_is_there(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        chooseStudy(panel)
        detect(panel)
        panel.ui.thresholdSlider.value = 9.0  # kde of the second sphere: 7
        assert waitUntil(lambda: len(panel.findings.rows()) == 1)
        assert settled(panel)
        segmentation = panel.parameters.segmentation.GetSegmentation()
        assert segmentation.GetNumberOfSegments() == 1
        assert threshold(panel.parameters, "kde") == pytest.approx(9.0)


@pytest.mark.slow
def test_no_growing_gives_the_voxels_above_the_threshold(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        chooseStudy(panel)
        detect(panel)
        panel.parameters.growth = 0.0
        panel.parameters.minimumVolume = 0.0
        panel.update()
        assert waitUntil(lambda: panel.findings.redrawing.isPending)
        assert settled(panel)
        voxels = sum(row.finding.mtv_ml for row in panel.findings.rows()) / 0.08
        expected = (petArray().astype(np.float32) * 1.5 - 2.0 > 3.0).sum()
        assert round(voxels) == expected


@pytest.mark.slow
def test_another_scorer_draws_from_its_own_map_with_its_own_threshold(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        chooseStudy(panel)
        detect(panel)
        panel.ui.scorerCombo.setCurrentIndex(2)
        assert panel.parameters.scorer == "residual"
        assert waitUntil(lambda: panel.findings.rows()[0].finding.score_max < 8.0)
        assert panel.findings.delineation.threshold() == pytest.approx(0.2)
        assert panel.ui.thresholdSlider.value == pytest.approx(0.2, abs=0.03)


def test_cancel_leaves_nothing_and_the_panel_can_detect_again(tmp_path: Any) -> None:
    with openPanel(tmp_path, mode="sleep") as panel:
        chooseStudy(panel)
        panel.ui.detectButton.click()
        assert waitUntil(lambda: panel.ui.progressBar.value > 0)
        assert panel.ui.detectButton.text == "Cancel"
        folder = Path(panel.task.folder)
        assert folder.exists()
        panel.ui.detectButton.click()
        assert waitUntil(lambda: not panel.task.isRunning, 6.0)
        assert waitUntil(lambda: not list(folder.parent.glob(folder.name + "*")), 5.0)
        assert panel.parameters.kdeMap is None
        assert panel.ui.detectButton.text == "&Detect"
        assert panel.ui.detectButton.enabled


@pytest.mark.slow
def test_a_cancel_that_comes_while_results_are_placed_is_too_late(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        chooseStudy(panel)
        show, clicks = panel.task.onStage, []

        def onStage(text: str) -> None:
            show(text)
            if text.startswith("Loading the results: "):
                clicks.append(text)
                qt.QTimer.singleShot(0, panel.ui.detectButton.click)  # between two steps

        panel.task.onStage = onStage
        detect(panel)
        assert len(clicks) > 3
        parameters = panel.parameters
        placed = (parameters.kdeMap, parameters.segmentation, parameters.table)
        assert all(live(node) is not None for node in placed)
        assert panel.ui.stageState.text.startswith("Done: ")


def test_the_engines_refusal_is_said_and_the_panel_stays_usable(tmp_path: Any) -> None:
    with openPanel(tmp_path, mode="error") as panel:
        chooseStudy(panel)
        panel.ui.detectButton.click()
        assert waitUntil(lambda: "The stub refuses." in panel.ui.stageState.text)
        assert "Do not use it." in panel.ui.stageState.text
        assert not panel.ui.logBox.collapsed
        assert panel.ui.detectButton.enabled


def test_a_crash_of_the_engine_is_said_in_words(tmp_path: Any) -> None:
    with openPanel(tmp_path, mode="crash") as panel:
        chooseStudy(panel)
        panel.ui.detectButton.click()
        assert waitUntil(lambda: not panel.task.isRunning and panel.ui.stageState.text != "")
        assert "Traceback" not in panel.ui.stageState.text
        assert panel.ui.detectButton.enabled


@pytest.mark.slow
def test_deleting_the_pet_during_a_run_is_survived(scene: Any, tmp_path: Any) -> None:
    with openPanel(tmp_path, mode="sleep") as panel:
        pet, _ct = chooseStudy(panel)
        panel.ui.detectButton.click()
        assert waitUntil(lambda: panel.ui.progressBar.value > 0)
        scene.RemoveNode(pet)
        assert waitUntil(lambda: panel.parameters.pet is not pet)
        panel.cancel()
        assert waitUntil(lambda: not panel.task.isRunning, 6.0)


def test_closing_the_scene_ends_the_run_and_its_folder(scene: Any, tmp_path: Any) -> None:
    with openPanel(tmp_path, mode="sleep") as panel:
        chooseStudy(panel)
        panel.ui.detectButton.click()
        assert waitUntil(lambda: panel.ui.progressBar.value > 0)
        folder = Path(panel.task.folder)
        scene.Clear(0)
        assert not panel.task.isRunning
        assert waitUntil(lambda: not list(folder.parent.glob(folder.name + "*")), 5.0)
        assert panel.parameters.pet is None
        assert panel.ui.detectButton.text == "&Detect"


@pytest.mark.slow
def test_a_second_run_leaves_the_first_ones_results_alone_unless_asked(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        chooseStudy(panel)
        detect(panel)
        first = panel.parameters.kdeMap
        detect(panel)
        assert live(first) is first
        assert panel.parameters.kdeMap is not first
        panel.ui.replaceCheck.checked = True
        second = panel.parameters.kdeMap
        hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
        before = hierarchy.GetNumberOfItems()
        detect(panel)
        assert live(second) is None
        assert hierarchy.GetNumberOfItems() == before  # no empty folder stays behind
        assert live(first) is first


def test_a_deleted_finding_comes_back_only_after_asking(tmp_path: Any, monkeypatch: Any) -> None:
    with openPanel(tmp_path) as panel:
        chooseStudy(panel)
        detect(panel)
        panel.findings.correction.delete(["Finding_2"])
        panel.update()
        assert [row.segment for row in panel.findings.rows()] == ["Finding_1"]
        assert panel.parameters.handEdited
        monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_a, **_k: False)
        panel.ui.thresholdSlider.value = 2.0
        settled(panel)
        panel.update()
        assert [row.segment for row in panel.findings.rows()] == ["Finding_1"]
        assert panel.ui.thresholdSlider.value == pytest.approx(3.0)
        monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_a, **_k: True)
        panel.ui.thresholdSlider.value = 2.0
        assert waitUntil(lambda: len(panel.findings.rows()) == 2)
        assert not panel.parameters.handEdited


def test_the_table_follows_an_edit_by_hand_and_marks_it(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        pet, _ct = chooseStudy(panel)
        detect(panel)
        segmentation = panel.parameters.segmentation
        before = panel.findings.rows()
        voxels = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "Finding_2", pet)
        smaller = voxels.copy()
        smaller[:36] = 0
        slicer.util.updateSegmentBinaryLabelmapFromArray(smaller, segmentation, "Finding_2", pet)
        assert waitUntil(lambda: panel.findings.rows()[1].byHand)
        after = panel.findings.rows()
        assert after[0] == before[0]
        assert after[1].finding.mtv_ml == pytest.approx((smaller > 0).sum() * 0.08)
        assert panel.findings.table.text(1, 0).startswith("2 ")
        assert panel.findings.export.writeCsv(tmp_path / "edited.csv")
        assert (tmp_path / "edited.csv").read_text(encoding="utf-8").count("true") == 1


def test_a_bequerel_volume_is_refused_with_what_to_do(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        _pet, ct = chooseStudy(panel)
        panel.parameters.pet = addVolume("Bq", petArray() * 4000.0)
        panel.parameters.ct = ct
        panel.update()
        assert "not in SUV" in panel.ui.petState.text
        assert not panel.ui.detectButton.enabled
        assert not panel.ui.convertButton.isVisibleTo(panel.widget)


def test_saved_and_loaded_the_scene_is_as_it_was_and_the_threshold_still_works(
    scene: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    # Slicer's own answer in testing mode is no (True compared with QMessageBox.Ok).
    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", lambda *_a, **_k: True)
    with openPanel(tmp_path) as panel:
        chooseStudy(panel)
        detect(panel)
        panel.parameters.opacity = 0.7
        panel.findings.correction.delete(["Finding_2"])
        rows = panel.findings.rows()
        assert slicer.util.saveScene(str(tmp_path / "scene mit ä.mrb"))
        scene.Clear(0)
        assert panel.parameters.kdeMap is None
        slicer.util.loadScene(str(tmp_path / "scene mit ä.mrb"))
        panel.update()
        parameters = panel.parameters
        assert parameters.pet.GetName() == "Müller PET 1"
        assert parameters.opacity == pytest.approx(0.7)
        assert panel.ui.thresholdSlider.value == pytest.approx(3.0)
        assert panel.findings.rows() == rows
        assert findings_table_node.read(parameters.table) == rows
        assert parameters.handEdited
        panel.ui.thresholdSlider.value = 1.0
        assert waitUntil(lambda: len(panel.findings.rows()) == 2)


@pytest.mark.slow
def test_a_read_only_temporary_folder_is_said_and_the_panel_stays_usable(
    tmp_path: Any, monkeypatch: Any
) -> None:
    with openPanel(tmp_path) as panel:
        chooseStudy(panel)
        missing = tmp_path / "not there"
        monkeypatch.setattr(type(slicer.app), "temporaryPath", str(missing), raising=False)
        panel.ui.detectButton.click()
        assert waitUntil(lambda: "temporary folder" in panel.ui.stageState.text)
        assert panel.ui.detectButton.enabled


@pytest.mark.slow
def test_the_diagnostics_name_versions_and_settings_but_no_patient(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        chooseStudy(panel)
        detect(panel)
        panel.ui.copyButton.click()
        text = slicer.app.clipboard().text()
        assert "PETAnomaly" in text
        assert "scorer kde" in text
        assert "a line that is no event" in text
        assert "Müller" not in text


class Installers:
    """An installer that is asked and answers."""

    def __init__(self, ok: bool, message: str = "") -> None:
        self.outcome = SimpleNamespace(ok=ok, cancelled=False, message=message)
        self.asked: list[Any] = []

    def install(self, _interpreter: Any, report: Any) -> Any:
        self.asked.append(report.missing)
        return self.outcome


TORCH = requiredPackages()[:1]


def lacking(**changes: Any) -> EnvironmentReport:
    return replace(READY, **{"torchVersion": None, "missing": TORCH, **changes})


@pytest.mark.slow
def test_missing_packages_are_offered_and_then_the_run_starts(tmp_path: Any) -> None:
    installer = Installers(ok=True)
    with openPanel(tmp_path, report=lacking(), installer=installer) as panel:
        chooseStudy(panel)
        detect(panel)
        assert installer.asked == [TORCH]
        assert panel.parameters.table is not None


def test_a_failed_installation_names_the_next_step_and_the_panel_stays_usable(
    tmp_path: Any,
) -> None:
    installer = Installers(ok=False, message="No network. Install torch by hand.")
    with openPanel(tmp_path, report=lacking(), installer=installer) as panel:
        chooseStudy(panel)
        panel.ui.detectButton.click()
        assert waitUntil(lambda: "Install torch by hand." in panel.ui.stageState.text)
        assert not panel.isBusy
        assert panel.ui.detectButton.enabled


@pytest.mark.slow
def test_a_python_that_does_not_answer_is_said(tmp_path: Any) -> None:
    report = lacking(missing=(), error="This Python could not be started.")
    with openPanel(tmp_path, report=report) as panel:
        chooseStudy(panel)
        panel.ui.detectButton.click()
        assert waitUntil(lambda: "could not be started" in panel.ui.stageState.text)
        assert panel.ui.detectButton.enabled


@pytest.mark.slow
def test_the_question_to_the_engines_python_can_be_cancelled(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        chooseStudy(panel)
        panel.engine.readiness.report = None
        panel.engine.readiness._probe.start = lambda _interpreter, _onDone: None  # never answers
        panel.ui.detectButton.click()
        assert panel.isBusy
        panel.ui.detectButton.click()
        assert not panel.isBusy
        assert "Cancelled" in panel.ui.stageState.text


@pytest.mark.slow
def test_the_findings_of_one_pet_are_not_shown_beside_another(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        pet, _ct = chooseStudy(panel)
        detect(panel)
        other, _other = addStudy()
        panel.parameters.pet = other
        panel.update()
        assert panel.findings.rows() == []
        assert not panel.ui.thresholdSlider.enabled
        assert not panel.parameters.segmentation.GetDisplayNode().GetVisibility2D()
        panel.parameters.pet = pet
        panel.update()
        assert len(panel.findings.rows()) == 2
        assert panel.parameters.segmentation.GetDisplayNode().GetVisibility2D()
