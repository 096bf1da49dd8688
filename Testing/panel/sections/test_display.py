from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
from harness.slices import sliceImage
from harness.views import ThreeDView
from open_panel import openPanel
from PETAnomalyLib.panel.scene import windows
from studies import addStudy, addVolume, petArray, waitUntil

pytestmark = pytest.mark.usefixtures("scene")


def composites() -> list[Any]:
    return list(slicer.util.getNodesByClass("vtkMRMLSliceCompositeNode"))


def test_after_a_run_the_map_lies_over_the_ct_in_every_view(detected: Any) -> None:
    parameters = detected.parameters
    assert len(composites()) >= 3
    for node in composites():
        assert node.GetBackgroundVolumeID() == parameters.ct.GetID()
        assert node.GetForegroundVolumeID() == parameters.kdeMap.GetID()
        assert node.GetForegroundOpacity() == pytest.approx(0.5)


def test_one_switch_goes_from_map_to_pet_to_ct_alone(detected: Any) -> None:
    detected.ui.showPetButton.click()
    detected.update()
    assert composites()[0].GetForegroundVolumeID() == detected.parameters.pet.GetID()
    detected.ui.showCtButton.click()
    detected.update()
    assert composites()[0].GetForegroundVolumeID() is None
    assert composites()[0].GetBackgroundVolumeID() == detected.parameters.ct.GetID()
    detected.ui.showMapButton.click()
    detected.update()
    assert composites()[0].GetForegroundVolumeID() == detected.parameters.kdeMap.GetID()


def test_the_slider_sets_the_overlays_opacity_everywhere(detected: Any) -> None:
    detected.ui.opacitySlider.value = 0.85
    detected.update()
    assert [node.GetForegroundOpacity() for node in composites()] == pytest.approx(
        [0.85] * len(composites())
    )


def test_a_preset_sets_the_pets_suv_range_and_colours(detected: Any) -> None:
    index = detected.ui.presetCombo.findData("grey6")
    detected.ui.presetCombo.setCurrentIndex(index)
    detected.update()
    shown = detected.parameters.pet.GetDisplayNode()
    assert (shown.GetWindow(), shown.GetLevel()) == (6.0, 3.0)
    assert shown.GetColorNodeID() == windows.INVERTED_GREY


def test_going_to_a_finding_brings_its_centre_into_every_view(detected: Any) -> None:
    row = detected.findings.rows()[1].finding
    detected.findings.table.selectSegment("Finding_2")
    centre = np.array([row.centroid_r_mm, row.centroid_a_mm, row.centroid_s_mm])
    for node in slicer.util.getNodesByClass("vtkMRMLSliceNode"):
        matrix = slicer.util.arrayFromVTKMatrix(node.GetSliceToRAS())
        assert np.linalg.inv(matrix) @ [*centre, 1.0] == pytest.approx([0, 0, 0, 1], abs=1e-6)


def test_a_findings_tick_hides_its_segment_alone(detected: Any) -> None:
    detected.findings.table.setVisible("Finding_1", False)
    shown = detected.parameters.segmentation.GetDisplayNode()
    assert not shown.GetSegmentVisibility("Finding_1")
    assert shown.GetSegmentVisibility("Finding_2")


def test_the_map_is_clear_where_nothing_is_unusual(detected: Any) -> None:
    """Seen, not set: the picture with the map equals that of the CT alone away from the finding."""
    detected.ui.outlinesCheck.checked = False
    detected.findings.table.selectSegment("Finding_1")
    detected.update()
    withMap = sliceImage("Red").astype(int)
    detected.ui.showCtButton.click()
    detected.update()
    alone = sliceImage("Red").astype(int)
    differs = np.abs(withMap - alone).sum(axis=2) > 30
    assert 0 < differs.mean() < 0.5
    hot = withMap[differs]
    assert (hot.max(axis=1) - hot.min(axis=1)).max() > 60  # in colour, over a grey CT


def test_outlines_are_seen_and_can_be_switched_off(detected: Any) -> None:
    detected.ui.showCtButton.click()
    detected.findings.table.selectSegment("Finding_1")
    detected.update()
    colour = np.array([213, 94, 0])
    assert (np.abs(sliceImage("Red").astype(int) - colour).max(axis=2) < 25).any()
    detected.ui.outlinesCheck.checked = False
    detected.update()
    assert not (np.abs(sliceImage("Red").astype(int) - colour).max(axis=2) < 25).any()


def test_without_a_ct_the_pet_is_below_and_the_map_above(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        panel.ui.modelCombo.setCurrentIndex(1)
        pet, ct = addStudy()
        slicer.mrmlScene.RemoveNode(ct)
        panel.parameters.ct = None
        panel.parameters.pet = pet
        panel.update()
        assert composites()[0].GetBackgroundVolumeID() == pet.GetID()
        assert pet.GetDisplayNode().GetColorNodeID() == windows.INVERTED_GREY
        panel.ui.modelCombo.setCurrentIndex(0)


def test_the_3d_view_makes_surfaces_and_goes_again(detected: Any, monkeypatch: Any) -> None:
    framed: list[Any] = []  # the views whose camera was brought to the study

    def resetCamera(view: Any) -> None:
        framed.append(view)

    monkeypatch.setattr(ThreeDView, "resetCamera", resetCamera)
    detected.ui.show3DButton.checked = True
    assert len(framed) == slicer.app.layoutManager().threeDViewCount > 0
    segmentation = detected.parameters.segmentation
    assert waitUntil(lambda: segmentation.GetDisplayNode().GetVisibility3D(), 10.0)
    assert segmentation.GetSegmentation().ContainsRepresentation("Closed surface")
    rendering = slicer.util.getNodesByClass("vtkMRMLVolumeRenderingDisplayNode")
    assert [node.GetVisibility() for node in rendering] == [1]
    detected.ui.show3DButton.checked = False
    assert [node.GetVisibility() for node in rendering] == [0]
    assert len(framed) == slicer.app.layoutManager().threeDViewCount


def test_without_a_map_the_pet_is_shown_and_the_button_of_the_map_is_grey(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        panel.parameters.pet, panel.parameters.ct = addStudy()
        panel.update()
        assert panel.parameters.layer == "map"
        assert panel.ui.showPetButton.checked
        assert not panel.ui.showMapButton.enabled
        assert composites()[0].GetForegroundVolumeID() == panel.parameters.pet.GetID()


def test_with_a_map_its_button_is_pressed(detected: Any) -> None:
    assert detected.ui.showMapButton.enabled
    assert detected.ui.showMapButton.checked


def test_what_has_no_voxels_is_not_put_into_the_views_until_it_has(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        panel.parameters.pet, ct = addStudy()
        panel.parameters.ct = ct
        panel.update()
        empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
        panel.parameters.pet = empty
        panel.update()
        assert {node.GetForegroundVolumeID() for node in composites()} == {None}
        slicer.util.updateVolumeFromArray(empty, petArray())
        assert waitUntil(lambda: composites()[0].GetForegroundVolumeID() == empty.GetID(), 5.0)
        bare = addVolume("bare", petArray())
        bare.RemoveAllDisplayNodeIDs()
        panel.parameters.pet = bare
        panel.update()
        assert waitUntil(lambda: composites()[0].GetForegroundVolumeID() == bare.GetID(), 5.0)
        assert bare.GetDisplayNode().GetWindow() == 10.0


def test_a_name_says_first_what_it_is(detected: Any) -> None:
    parameters = detected.parameters
    assert parameters.kdeMap.GetName().startswith("KDE map, Müller PET 1")
    assert parameters.zscoreMap.GetName().startswith("Z-score map, ")
    assert parameters.segmentation.GetName().startswith("Findings, ")


def test_3d_brings_a_turning_mip_on_white_and_the_users_own_layout_comes_back(
    detected: Any,
) -> None:
    layoutManager = slicer.app.layoutManager()
    layoutManager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView)
    (view,) = slicer.util.getNodesByClass("vtkMRMLViewNode")[:1]
    view.SetBackgroundColor(0.1, 0.2, 0.3)
    detected.ui.show3DButton.click()
    assert layoutManager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView
    assert view.GetBackgroundColor() == (1.0, 1.0, 1.0)
    assert view.GetAnimationMode() == view.Spin
    rendering = slicer.util.getNodesByClass("vtkMRMLVolumeRenderingDisplayNode")[0]
    opacity = rendering.GetVolumePropertyNode().GetVolumeProperty().GetScalarOpacity()
    assert opacity.GetRange() == (0.0, 10.0)
    detected.ui.presetCombo.setCurrentIndex(detected.ui.presetCombo.findData("grey6"))
    detected.update()
    assert opacity.GetRange() == (0.0, 6.0)
    detected.ui.show3DButton.click()
    assert layoutManager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutConventionalView
    assert view.GetBackgroundColor() == pytest.approx((0.1, 0.2, 0.3))
    assert view.GetAnimationMode() == view.Off


def test_a_click_shows_the_lung_and_the_next_one_the_users_own_window_again(detected: Any) -> None:
    ui, display = detected.ui, detected.parameters.ct.GetDisplayNode()
    assert ui.abdomenButton.checked
    display.SetWindowLevel(333.0, 22.0)  # the mouse in a view
    assert waitUntil(lambda: not ui.abdomenButton.checked, 5.0)
    ui.lungButton.click()
    assert (display.GetWindow(), display.GetLevel()) == (1500.0, -600.0)
    assert ui.lungButton.checked
    ui.boneButton.click()
    assert not ui.lungButton.checked
    ui.boneButton.click()
    assert (display.GetWindow(), display.GetLevel()) == (333.0, 22.0)
    assert not ui.boneButton.checked


def test_the_pets_window_leaves_the_cts_alone(detected: Any) -> None:
    display = detected.parameters.ct.GetDisplayNode()
    display.SetWindowLevel(333.0, 22.0)
    detected.ui.presetCombo.setCurrentIndex(detected.ui.presetCombo.findData("grey6"))
    detected.update()
    assert (display.GetWindow(), display.GetLevel()) == (333.0, 22.0)


def test_a_slider_says_from_which_suv_the_mip_is_black_until_the_pets_window_does(
    detected: Any,
) -> None:
    ui = detected.ui
    detected.widget.show()
    assert not ui.mipSlider.visible
    ui.show3DButton.click()
    detected.update()
    assert ui.mipSlider.visible
    assert ui.mipSlider.value == 10.0
    ui.mipSlider.value = 4.5
    detected.update()
    rendering = slicer.util.getNodesByClass("vtkMRMLVolumeRenderingDisplayNode")[0]
    volumeProperty = rendering.GetVolumePropertyNode().GetVolumeProperty()
    assert volumeProperty.GetScalarOpacity().GetRange() == (0.0, 4.5)
    assert volumeProperty.GetRGBTransferFunction().GetColor(4.5) == (0.0, 0.0, 0.0)
    assert volumeProperty.GetRGBTransferFunction().GetColor(0.0) == (1.0, 1.0, 1.0)
    ui.presetCombo.setCurrentIndex(ui.presetCombo.findData("metal20"))
    detected.update()
    assert ui.mipSlider.value == 20.0
    assert volumeProperty.GetScalarOpacity().GetRange() == (0.0, 20.0)
    ui.show3DButton.click()
    detected.update()
    assert not ui.mipSlider.visible
    detected.widget.hide()
