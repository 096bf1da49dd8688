"""Where findings lie in the body, in the panel: live, and kept with scene and CSV."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import qt
import SimpleITK as sitk
import slicer  # slicer.util looks for qt
from PETAnomalyLib.engine.findings.head_measures import HeadFinding
from PETAnomalyLib.engine.frame.measured_regions import REGIONS, SIDES
from PETAnomalyLib.engine.frame.region_atlas import code
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.result_files import readSites
from PETAnomalyLib.panel.scene.run_record import RUN_ATTRIBUTE
from PETAnomalyLib.panel.scene.sites import SceneSites
from stub_bundles import headModel, model

pytestmark = pytest.mark.usefixtures("scene")

FRAME = {"rotation_rad": [0.0, 0.0, 0.0], "translation_mm": [30.0, 0.0, 0.0],
         "centre_mm": [0.0, 0.0, 0.0]}  # fmt: skip


def writeAtlas(path: Path, border: float) -> Path:
    """Left thorax where x is above the border (LPS mm, in the frame), right thorax elsewhere."""
    x = np.arange(-200, 200, 4.0) + 2
    thorax = REGIONS.index("thorax")
    on = np.where(x > border, code(thorax, SIDES.index("left")), code(thorax, SIDES.index("right")))
    image = sitk.GetImageFromArray(np.broadcast_to(on, (2, 2, len(x))).astype(np.uint8))
    image.SetSpacing((4.0, 500.0, 500.0))
    image.SetOrigin((x[0], -250.0, -250.0))
    sitk.WriteImage(image, str(path))
    return path


@pytest.fixture
def sited(detected: Any, tmp_path: Path) -> Any:
    """As `detected`, but the model has an atlas that parts the two findings."""
    segmentation = detected.parameters.segmentation
    lateral = [-row.finding.centroid_r_mm for row in detected.findings.rows()]
    assert len(lateral) == 2
    assert abs(lateral[0] - lateral[1]) > 20
    border = sum(lateral) / 2 - 30  # the study lies 30 mm to the left of the frame
    run = json.loads(segmentation.GetAttribute(RUN_ATTRIBUTE))
    segmentation.SetAttribute(RUN_ATTRIBUTE, json.dumps({**run, "frame": FRAME}))
    path = writeAtlas(tmp_path / "regions.nii.gz", border)
    detected.model.available = [model(region_atlas=path)]
    detected.update()
    return detected


def sitesOf(panel: Any) -> list[str | None]:
    return [dict(row.further).get("site") for row in panel.findings.rows()]


def expected(panel: Any) -> list[str]:
    lateral = [-row.finding.centroid_r_mm for row in panel.findings.rows()]
    middle = (max(lateral) + min(lateral)) / 2
    return ["left thorax" if x > middle else "right thorax" for x in lateral]


def test_without_an_atlas_there_is_no_column(detected: Any) -> None:
    assert sitesOf(detected) == [None, None]


def test_each_finding_has_its_site_also_in_the_table_and_the_csv(
    sited: Any, tmp_path: Path
) -> None:
    assert set(sitesOf(sited)) == {"left thorax", "right thorax"}
    assert sitesOf(sited) == expected(sited)
    assert sited.findings.export.writeCsv(tmp_path / "f.csv")
    with (tmp_path / "f.csv").open() as file:
        assert [row["site"] for row in csv.DictReader(file)] == sitesOf(sited)
    assert readSites(tmp_path / "f.csv") == sitesOf(sited)
    model = sited.ui.findingsTable.model()
    titles = [model.headerData(n, qt.Qt.Horizontal) for n in range(model.columnCount())]
    assert not sited.ui.findingsTable.isColumnHidden(titles.index("Site"))


def test_a_finding_that_is_redrawn_by_hand_is_placed_anew(sited: Any) -> None:
    first, second = sited.findings.rows()
    before = sitesOf(sited)
    with sited.findings.inScene.step() as segmentation:
        segments = segmentation.GetSegmentation()
        moved = segments.GetSegment(second.segment)
        segments.GetSegment(first.segment).DeepCopy(moved)
    assert sitesOf(sited) == [before[1], before[1]]
    assert sited.findings.inScene.undo()
    assert sitesOf(sited) == before


def test_a_scene_that_is_opened_elsewhere_keeps_its_sites(sited: Any, tmp_path: Path) -> None:
    before = sitesOf(sited)
    assert slicer.util.saveScene(str(tmp_path / "run.mrb"))
    slicer.mrmlScene.Clear(0)
    sited.model.available = [model()]  # without the atlas
    slicer.util.loadScene(str(tmp_path / "run.mrb"))
    sited.update()
    assert sitesOf(sited) == before


def test_a_verdict_elsewhere_takes_no_site_away(sited: Any) -> None:
    before = sitesOf(sited)
    sited.findings.reference.sites._atlases.clear()
    sited.model.available = [model()]  # without the atlas
    sited.findings.inScene.judge(["Finding_1"], "lesion")
    assert sitesOf(sited) == before
    pet, segmentation = sited.parameters.pet, sited.parameters.segmentation
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, "Finding_2", pet)
    voxels = np.roll(voxels, 1, axis=0)
    slicer.util.updateSegmentBinaryLabelmapFromArray(voxels, segmentation, "Finding_2", pet)
    sited.findings.inScene.settle()
    assert sitesOf(sited) == [before[0], ""]  # what was said was said of another outline


def test_an_atlas_that_has_gone_since_is_no_error(sited: Any, tmp_path: Path) -> None:
    before = sitesOf(sited)
    (tmp_path / "regions.nii.gz").unlink()
    sited.findings.reference.sites._atlases.clear()
    sited.update()
    assert sitesOf(sited) == before


def test_a_finding_in_a_head_is_placed_in_the_brain_of_the_models_template(tmp_path: Path) -> None:
    """Left and right of the middle, in front and behind, wherever the head lies in the scanner."""
    brain = sitk.Image([20, 24, 20], sitk.sitkUInt8)
    brain.SetSpacing((8.0, 8.0, 8.0))
    brain.SetOrigin((-76.0, -92.0, -76.0))
    brain[1:-1, 1:-1, 1:-1] = 1
    sitk.WriteImage(brain, str(tmp_path / "mask.nii.gz"))
    frame = {**FRAME, "translation_mm": [100.0, 0.0, 0.0]}
    segmentation = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    run = {"frame": frame, "sha256": "0" * 64}
    segmentation.SetAttribute(RUN_ATTRIBUTE, json.dumps(run))
    rows = [
        Row(HeadFinding(n, 1.0, 10.0, r - 100.0, a, 20.0, 1.0, 1.0), f"Finding_{n}")
        for n, (r, a) in enumerate(((30.0, 60.0), (-30.0, 60.0), (30.0, -75.0)), 1)
    ]
    sites = SceneSites()
    sites.models = lambda: [headModel(template_mask=tmp_path / "mask.nii.gz")]
    right, left, behind = sites.of(rows, segmentation, None) or ("", "", "")
    assert (right, left) == ("right frontal lobe", "left frontal lobe")
    assert behind == "right occipital lobe"
    assert SceneSites().of(rows, segmentation, None) is None
