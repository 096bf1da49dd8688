"""The panel with a model of brain MR: its inputs, its findings, and what has no place there."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qt
import slicer  # slicer.util looks for qt
from nilearn_template import needs_nilearn
from open_panel import READY, openPanel, settled
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.findings.head_measures import HeadFinding
from PETAnomalyLib.panel.environment.inspection import brainPackages
from PETAnomalyLib.panel.environment.interpreter import findInterpreter
from PETAnomalyLib.panel.parameters import detectArguments, findingsSegmentation
from PETAnomalyLib.panel.scene.inputs import markAsSuv
from PETAnomalyLib.panel.settings import Settings
from stub_bundles import ModelShelf, headModel, model
from stub_results import HEAD_SITE, THRESHOLD, scoreArrays
from studies import addHead, addStudy, addVolume, petArray, waitUntil
from synthetic_dicom import ct_header, write_series

pytestmark = pytest.mark.usefixtures("scene")

PARTS = ("Label", "Selector", "StateIcon", "State")
VOXEL_ML = 0.08


@pytest.fixture
def panel(tmp_path: Path) -> Iterator[Any]:
    """With a model of PET/CT and one of FLAIR, the latter chosen."""
    before = Settings().model
    with openPanel(tmp_path, shelf=ModelShelf(model(), headModel())) as opened:
        choose(opened, "head-flair")
        yield opened
    Settings().model = before


@pytest.fixture
def read(panel: Any) -> Any:
    """After a run on an MR with its mask."""
    panel.parameters.mr, panel.parameters.brainMask = addHead()
    detect(panel)
    return panel


def choose(panel: Any, name: str) -> None:
    panel.ui.modelCombo.setCurrentIndex(panel.ui.modelCombo.findData(name))
    settled(panel)
    panel.update()


def detect(panel: Any) -> None:
    panel.update()
    assert panel.whyNot() == []
    panel.ui.detectButton.click()
    assert waitUntil(lambda: not panel.isBusy and panel.parameters.table is not None)
    assert settled(panel)
    panel.update()


def shownInputs(panel: Any) -> set[str]:
    ui = panel.ui
    shown = {
        name: {getattr(ui, f"{name}{part}").isVisibleTo(panel.widget) for part in PARTS}
        for name in ("pet", "ct", "mr", "mask")
    }
    assert all(len(states) == 1 for states in shown.values())  # a row as a whole
    return {name for name, (state,) in shown.items() if state}


def residual() -> np.ndarray:
    return scoreArrays(petArray())["residual"].astype(np.float32)


def text(html: str) -> str:
    return re.sub(r"<[^>]*>", " ", html)


def test_the_inputs_follow_the_model(panel: Any) -> None:
    ui = panel.ui
    uptake = (ui.growthCombo, ui.referenceSection, ui.presetCombo,
              ui.showCtButton, ui.lungButton, ui.contourCombo)  # fmt: skip
    ui.advancedBox.collapsed = False
    for name, inputs in (("head-flair", {"mr", "mask"}), ("petct-phantom", {"pet", "ct"})) * 2:
        choose(panel, name)
        assert shownInputs(panel) == inputs
        ofPet = "pet" in inputs
        assert {part.isVisibleTo(panel.widget) for part in uptake} == {ofPet}
        assert ui.showPetButton.text == ("P&ET" if ofPet else "MR")
        assert ui.sampleButton.text == ("&Sample study" if ofPet else "&Sample brain MR")
        assert ui.findingsTable.model().columnCount() == (7 if ofPet else 5)
        shown = [getattr(ui, one) for one in vars(ui)]
        said = [w.toolTip for w in shown if hasattr(w, "toolTip") and w.isVisibleTo(panel.widget)]
        if not ofPet:
            assert [tip for tip in said if "uptake" in tip or "SUV" in tip] == [
                ui.addButton.toolTip  # why it is off
            ]


def test_the_card_says_what_the_model_needs(panel: Any) -> None:
    assert "Brain MR, FLAIR" in panel.ui.modelCard.text
    assert "SUV" not in panel.ui.modelCard.text


@pytest.mark.parametrize(
    ("name", "array", "expected"),
    [
        ("T1w", petArray(), "T1w by its headers or its name; the model is of FLAIR"),
        ("nothing", np.full_like(petArray(), np.nan), "NaN"),
        ("CT", np.where(petArray() > 0, 40.0, -1000.0), "looks like a CT"),
        ("slab", petArray()[:10, :10], "no whole brain"),
        ("sub-01_FLAIR", petArray(), ""),
        ("MRHead", petArray(), ""),
    ],
)
def test_what_is_no_mr_for_this_model_is_refused_in_words(
    name: str, array: np.ndarray, expected: str, panel: Any
) -> None:
    panel.parameters.mr = addVolume(name, array.astype(np.float32))
    panel.update()
    assert expected in panel.ui.mrState.text
    assert panel.ui.detectButton.enabled is not bool(expected)
    if expected:
        assert panel.ui.mrState.text in panel.ui.detectButton.toolTip


def test_nothing_and_a_pet_are_no_mr(panel: Any) -> None:
    assert "Choose an MR" in panel.ui.detectButton.toolTip
    pet, _ct = addStudy()
    panel.parameters.mr = pet
    panel.update()
    assert "This is a PET" in panel.ui.mrState.text
    assert not panel.ui.detectButton.enabled


def test_another_contrast_is_gone_on_with_when_asked_to(panel: Any) -> None:
    panel.parameters.mr = addVolume("t1_mprage", petArray())
    panel.parameters.anyway = True
    panel.update()
    assert panel.ui.detectButton.enabled
    assert "T1w" in panel.ui.mrState.text


def test_dicom_headers_say_more_than_a_name(panel: Any, tmp_path: Path) -> None:
    t1w = {"Modality": "MR", "EchoTime": 3.0, "RepetitionTime": 2000.0, "InversionTime": 900.0}
    (file, *_more) = write_series(tmp_path, ct_header(**t1w), np.ones((2, 4, 4)))
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(file))
    mr = addVolume("5: FLAIR", petArray())
    mr.SetAndObserveStorageNodeID(storage.GetID())
    panel.parameters.mr = mr
    panel.update()
    assert panel.ui.mrState.text.startswith("T1w by its headers")
    file.write_bytes(bytes(128) + b"DICM" + bytes(10))  # damaged since
    panel.study.forget()
    panel.update()
    assert panel.ui.mrState.text.startswith("FLAIR, ")


def test_a_renamed_volume_is_looked_at_again(panel: Any) -> None:
    panel.parameters.mr = mr = addVolume("T1w", petArray())
    panel.update()
    assert not panel.ui.detectButton.enabled
    mr.SetName("FLAIR")
    assert waitUntil(lambda: panel.ui.detectButton.enabled)


def test_a_mask_may_be_a_label_map_and_an_mr_may_not(panel: Any) -> None:
    labels = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "labels")
    mr, mask = addHead()
    slicer.util.updateVolumeFromArray(labels, slicer.util.arrayFromVolume(mask))
    labels.CopyOrientation(mask)
    panel.parameters.mr = mr
    panel.ui.maskSelector.setCurrentNode(labels)
    panel.ui.mrSelector.setCurrentNode(labels)  # is not in its list
    panel.update()
    assert panel.parameters.brainMask is labels
    assert panel.parameters.mr is None
    panel.parameters.mr = mr
    detect(panel)
    assert len(panel.findings.rows()) == 2


def test_a_mask_of_another_image_or_of_no_brain_is_refused(panel: Any) -> None:
    mr, mask = addHead()
    small = np.zeros(petArray().shape, np.uint8)
    small[20:23, 20:23, 20:23] = 1
    panel.parameters.mr = mr
    for wrong, expected in (
        (addVolume("cut", (petArray() > 0).astype(np.uint8)[:-1]), "another grid"),
        (addVolume("small", small), "no brain's volume"),
        (mr, "same volume"),
    ):
        panel.parameters.brainMask = wrong
        panel.update()
        assert expected in panel.ui.maskState.text
        assert "Brain mask: " in panel.ui.detectButton.toolTip
    for right in (mask, None):
        panel.parameters.brainMask = right
        panel.update()
        assert panel.ui.detectButton.enabled


def test_the_engine_understands_the_command_line(panel: Any, tmp_path: Path, capfd: Any) -> None:
    parameters = panel.parameters
    parameters.elevatedOnly = False
    parameters.growth = 0.5  # of an earlier PET: --grow is refused beside --mr
    words = detectArguments(
        parameters, tmp_path / "mr.nrrd", tmp_path / "mask.nrrd", tmp_path / "out", "cpu"
    )
    assert words[words.index("--mr") + 1] == str(tmp_path / "mr.nrrd")
    assert words[words.index("--mask") + 1] == str(tmp_path / "mask.nrrd")
    assert main(words) == 2  # bad input, not bad usage
    said = capfd.readouterr()
    assert "mr.nrrd" in said.out + said.err or "head-flair" in said.out + said.err
    assert "usage:" not in said.out + said.err


def test_darker_counts_where_it_is_asked_for_or_the_model_says_so(panel: Any) -> None:
    def words() -> list[str]:
        return detectArguments(panel.parameters, Path("mr"), None, Path("out"), "cpu")

    assert panel.ui.elevatedCheck.text == "Brighter than healed only"
    assert "--all-uptake" not in words()
    panel.ui.elevatedCheck.checked = False
    assert "--all-uptake" in words()
    assert panel.ui.elevatedCheck.enabled
    t1w = headModel("head-t1w", "T1w", postprocessing={"darker_too": True})
    panel.model._source.models.append(t1w)
    panel.model.reload()
    choose(panel, "head-t1w")
    assert not panel.ui.elevatedCheck.enabled


def test_a_run_shows_what_an_mr_has_and_nothing_of_uptake(read: Any, tmp_path: Path) -> None:
    parameters, table = read.parameters, read.findings.table
    assert parameters.kdeMap is None
    assert np.allclose(slicer.util.arrayFromVolume(parameters.residualMap), residual(), atol=1e-5)
    rows = read.findings.rows()
    above = [((residual() > THRESHOLD) & half).sum() for half in halves()]
    assert [row.finding.volume_ml for row in rows] == pytest.approx(
        [VOXEL_ML * count for count in above], abs=1e-3
    )
    segmentation = parameters.segmentation.GetSegmentation()
    assert [segmentation.GetSegment(row.segment).GetName() for row in rows] == [
        f"Finding {row.finding.number} ({row.finding.volume_ml:.1f} ml)" for row in rows
    ]
    model_ = read.ui.findingsTable.model()
    headings = [model_.headerData(n, qt.Qt.Horizontal) for n in range(model_.columnCount())]
    assert headings == ["#", "L/P", "Volume ml", "Long mm", "Score", "Site"]
    assert table.text(0, 2) == f"{rows[0].finding.volume_ml:.1f}"
    assert table.text(0, 5) == HEAD_SITE
    totals = text(read.ui.totalsState.text).replace("&nbsp;", " ").split()
    assert totals[:5] == ["Lesions", "All", "Number", "0", "2"]
    assert "SUV" not in read.ui.totalsState.text
    assert read.findings.export.writeCsv(tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(encoding="utf-8") as file:
        (first, *_others) = list(csv.DictReader(file))
    measured = [field.name for field in fields(HeadFinding)]
    assert list(first) == [*measured, "site", "verdict", "comment", "by_hand"]


def halves() -> tuple[np.ndarray, np.ndarray]:
    """Where the first sphere is, and the second."""
    k = np.arange(petArray().shape[0])[:, None, None]
    return k < 28, k >= 28


def test_without_findings_the_columns_are_still_an_mrs(panel: Any, tmp_path: Path) -> None:
    panel.parameters.mr, panel.parameters.brainMask = addHead()
    panel.parameters.residualThreshold = 100.0
    detect(panel)
    assert panel.findings.rows() == []
    assert panel.findings.export.writeCsv(tmp_path / "out.csv")
    header = (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[0]
    assert header.startswith("number,volume_ml,diameter_mm")
    assert panel.ui.findingsTable.model().headerData(2, qt.Qt.Horizontal) == "Volume ml"


def test_the_threshold_redraws_without_growing(read: Any) -> None:
    read.parameters.growth = 0.1  # a PET's: would take in all of the head
    read.ui.thresholdSlider.value = 5.5
    assert waitUntil(lambda: len(read.findings.rows()) == 1)
    assert settled(read)
    (row,) = read.findings.rows()
    value = read.ui.thresholdSlider.value
    assert row.finding.volume_ml == pytest.approx(VOXEL_ML * (residual() > value).sum())
    assert row.finding.score_max == pytest.approx(residual().max())


def test_what_a_hand_changes_is_measured_as_an_mr(read: Any) -> None:
    mr, segmentation = read.parameters.mr, read.parameters.segmentation
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "Finding_1", mr)
    smaller = voxels.copy()
    smaller[:20] = 0
    slicer.util.updateSegmentBinaryLabelmapFromArray(smaller, segmentation, "Finding_1", mr)
    assert waitUntil(lambda: read.findings.rows()[0].byHand)
    finding = read.findings.rows()[0].finding
    assert finding.volume_ml == pytest.approx(VOXEL_ML * (smaller > 0).sum())
    assert finding.score_max == pytest.approx(residual()[smaller > 0].max(), abs=1e-4)
    name = segmentation.GetSegmentation().GetSegment("Finding_1").GetName()
    assert name == f"Finding 1 ({finding.volume_ml:.1f} ml)"


def test_merging_and_splitting_go_by_the_map(read: Any) -> None:
    before = read.findings.rows()
    read.ui.findingsTable.selectAll()
    read.ui.mergeButton.click()
    (whole,) = read.findings.rows()
    assert whole.finding.volume_ml == pytest.approx(
        sum(row.finding.volume_ml for row in before), abs=1e-3
    )
    read.ui.splitButton.click()
    parts = [row.finding.volume_ml for row in read.findings.rows()]
    assert parts == pytest.approx([row.finding.volume_ml for row in before], abs=1e-3)


def test_what_is_of_uptake_alone_is_off_with_a_reason(read: Any) -> None:
    for button, reason in (
        (read.ui.dicomButton, "of a PET's findings"),
        (read.ui.addButton, "an MR does not have"),
    ):
        assert not button.enabled
        assert reason in button.toolTip
    choose(read, "petct-phantom")
    read.parameters.pet, read.parameters.ct = addStudy()
    detect(read)
    for button in (read.ui.dicomButton, read.ui.addButton):
        assert button.enabled
        assert "MR" not in button.toolTip


def test_the_report_is_of_an_mr(read: Any, tmp_path: Path) -> None:
    read.findings.inScene.judge(["Finding_1"], "lesion")
    for name in ("report.html", "report.pdf"):
        assert read.findings.report.write(tmp_path / name)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    said = text(page.split("<img")[0])
    finding = read.findings.rows()[0].finding
    for expected in (
        "Brain MR: reading of findings",
        f"{finding.volume_ml:.1f}",
        f"{finding.diameter_mm:.1f}",
        HEAD_SITE,
        "Brain mask  given",
        "Model head-flair",
        "1 findings are not decided.",
    ):
        assert expected in said, expected
    for absent in ("SUV", "PET/CT", "TLG", "grow", "Müller"):
        assert absent not in said
    assert len(page) > 20_000  # the picture


def test_a_report_is_written_without_lesions_and_without_the_map(
    read: Any, scene: Any, tmp_path: Path
) -> None:
    assert read.findings.report.write(tmp_path / "none.html")
    assert "None." in text((tmp_path / "none.html").read_text(encoding="utf-8"))
    scene.RemoveNode(read.parameters.residualMap)
    read.update()
    assert read.findings.report.write(tmp_path / "mapless.html")
    assert (tmp_path / "mapless.html").stat().st_size > 10_000


def test_the_views_show_the_mr_in_grey_below_its_map(read: Any) -> None:
    parameters = read.parameters
    composite = slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode")[0]
    assert composite.GetBackgroundVolumeID() == parameters.mr.GetID()
    assert composite.GetForegroundVolumeID() == parameters.residualMap.GetID()
    display = parameters.mr.GetDisplayNode()
    assert display.GetColorNodeID() == "vtkMRMLColorTableNodeGrey"
    read.ui.showPetButton.click()
    read.update()
    assert composite.GetForegroundVolumeID() is None
    bars = slicer.modules.colors.logic().GetColorLegendDisplayNode
    assert bars(parameters.residualMap).GetVisibility()
    assert bars(parameters.mr) is None


def test_saved_and_loaded_it_is_as_it_was(read: Any, scene: Any, tmp_path: Path) -> None:
    read.findings.inScene.judge(["Finding_2"], "lesion")
    rows = read.findings.rows()
    assert slicer.util.saveScene(str(tmp_path / "head.mrb"))
    scene.Clear(0)
    slicer.util.loadScene(str(tmp_path / "head.mrb"))
    read.update()
    assert read.findings.rows() == rows
    assert shownInputs(read) == {"mr", "mask"}
    assert read.parameters.brainMask.GetName() == "brain"
    read.ui.thresholdSlider.value = 5.5
    assert waitUntil(lambda: len(read.findings.rows()) == 1)


def test_pet_and_mr_in_one_scene_keep_what_is_theirs(read: Any) -> None:
    ofHead = read.parameters.segmentation
    choose(read, "petct-phantom")
    assert findingsSegmentation(read.parameters) is None
    assert not ofHead.GetDisplayNode().GetVisibility()
    read.parameters.pet, read.parameters.ct = addStudy()
    read.parameters.growth = 0.5
    detect(read)
    ofPet, petRows = read.parameters.segmentation, read.findings.rows()
    assert petRows[0].finding.suv_max == pytest.approx(9.0)
    choose(read, "head-flair")
    assert findingsSegmentation(read.parameters) is ofHead
    assert {type(row.finding) for row in read.findings.rows()} == {HeadFinding}
    assert read.ui.thresholdSlider.value == pytest.approx(THRESHOLD, abs=0.05)
    detect(read)  # a second run of the MR: two in the table, none of the PET
    assert [row[1] for row in read.findings.runs.texts()] == ["head-flair"] * 2
    assert read.ui.runsTable.model().headerData(4, qt.Qt.Horizontal) == "Volume"
    choose(read, "petct-phantom")
    assert findingsSegmentation(read.parameters) is ofPet
    assert read.findings.rows() == petRows
    assert read.parameters.growth == 0.5
    assert read.parameters.scorer == "kde"


def test_an_mrs_only_run_is_found_again_after_another_mr(read: Any) -> None:
    first, run = read.parameters.mr, read.parameters.segmentation
    assert not read.ui.runsTable.isVisibleTo(read.widget)
    read.parameters.mr, read.parameters.brainMask = addHead("Meier FLAIR 1")
    detect(read)
    read.parameters.mr = first
    read.update()
    assert read.findings.rows() == []
    assert read.ui.runsTable.isVisibleTo(read.widget)
    read.ui.runsTable.clicked.emit(read.ui.runsTable.model().index(0, 0))
    settled(read)
    assert read.parameters.segmentation is run
    assert len(read.findings.rows()) == 2
    assert not read.ui.runsTable.isVisibleTo(read.widget)


def test_a_model_chosen_during_a_run_leaves_the_runs_findings_with_their_image(
    panel: Any,
) -> None:
    panel.parameters.mr, panel.parameters.brainMask = addHead()
    panel.update()
    panel.ui.detectButton.click()
    choose(panel, "petct-phantom")
    assert waitUntil(lambda: not panel.isBusy)
    settled(panel)
    panel.update()
    assert shownInputs(panel) == {"pet", "ct"}
    assert panel.findings.rows() == []
    choose(panel, "head-flair")
    assert len(panel.findings.rows()) == 2


def test_a_pet_without_units_is_not_asked_about_where_an_mr_is_looked_at(
    panel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(question: str, **_more: Any) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr(slicer.util, "confirmOkCancelDisplay", answer)
    panel.parameters.pet = addVolume("PET", petArray())
    panel.parameters.mr, panel.parameters.brainMask = addHead()
    detect(panel)
    assert asked == []


def test_a_chosen_pet_is_none_of_a_head_models_business(panel: Any) -> None:
    pet, panel.parameters.ct = addStudy()
    pet.SetVoxelValueUnits(None)
    panel.parameters.pet = pet
    panel.parameters.mr = addVolume("FLAIR", petArray())
    panel.update()
    assert panel.ui.detectButton.enabled
    markAsSuv(pet)
    panel.update()
    assert panel.ui.detectButton.enabled


def test_without_nilearn_the_sample_says_what_to_install_and_how(panel: Any) -> None:
    panel.engine.readiness.report = None
    panel.engine.readiness._probe.report = replace(READY, brainMissing=brainPackages())
    panel.ui.sampleButton.click()
    said = panel.ui.stageState.text
    assert "nilearn" in said
    assert "-m pip install" in said  # the stub's Python is not Slicer's own
    assert not panel.isBusy


@needs_nilearn
def test_the_sample_is_a_head_in_the_models_contrast_with_its_brain_and_a_known_mass(
    tmp_path: Path,
) -> None:
    with openPanel(
        tmp_path, shelf=ModelShelf(headModel(contrast="T1w")), interpreter=findInterpreter()
    ) as panel:
        panel.ui.sampleButton.click()
        assert waitUntil(lambda: not panel.isBusy)
        assert "loaded" in panel.ui.stageState.text, panel.ui.logText.plainText
        panel.update()
        assert panel.whyNot() == []
        assert panel.ui.mrState.text.startswith("T1w, 120 x 120 x 96")
        truth = slicer.util.getFirstNodeByClassByName(
            "vtkMRMLSegmentationNode", "True lesions, PETAnomaly sample head"
        )
        mr, mask = panel.parameters.mr, slicer.util.arrayFromVolume(panel.parameters.brainMask)
        inside = slicer.util.arrayFromSegmentBinaryLabelmap(truth, "True_lesions", mr) > 0
        assert inside.sum() * 0.008 > 10  # ml
        assert mask[inside].mean() > 0.95
        assert not truth.GetDisplayNode().GetVisibility()
