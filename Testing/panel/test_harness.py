"""The bench behaves as Slicer does, where the panel relies on it."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Annotated, Any

import ctk
import numpy as np
import pytest
import qt
import slicer  # slicer.util looks for qt
from repository import ROOT
from slicer.parameterNodeWrapper import (
    Choice,
    Minimum,
    WithinRange,
    parameterNodeWrapper,
)
from slicer.ScriptedLoadableModule import ScriptedLoadableModuleLogic

API_FILE = ROOT.parent / "shared" / "slicer-api.json"
PANEL_FILES = sorted((ROOT / "PETAnomaly" / "PETAnomalyLib" / "panel").rglob("*.py"))

UI = """<ui version="4.0"><class>Form</class><widget class="QWidget" name="Form">
<layout class="QVBoxLayout"><item><widget class="qMRMLNodeComboBox" name="selector">
<property name="nodeTypes"><stringlist><string>vtkMRMLScalarVolumeNode</string></stringlist>
</property>
<property name="noneEnabled"><bool>true</bool></property>
<property name="SlicerParameterName" stdset="0"><string>pet</string></property></widget></item>
<item><widget class="ctkCollapsibleButton" name="button">
<property name="collapsed"><bool>true</bool></property><layout class="QVBoxLayout">
<item><widget class="ctkSliderWidget" name="slider">
<property name="SlicerParameterName" stdset="0"><string>share</string></property></widget></item>
<item><widget class="QComboBox" name="combo"><property name="SlicerParameterName" stdset="0">
<string>scorer</string></property></widget></item></layout></widget></item></layout></widget></ui>
"""


@parameterNodeWrapper
class Parameters:
    pet: slicer.vtkMRMLScalarVolumeNode
    share: Annotated[float, WithinRange(0.0, 1.0)] = 0.4
    scorer: Annotated[str, Choice(["kde", "zscore"])] = "kde"
    samples: Annotated[int, Minimum(1)] = 16
    name: str
    edited: bool


class BenchLogic(ScriptedLoadableModuleLogic):
    def getParameterNode(self) -> Any:
        return Parameters(super().getParameterNode())  # type: ignore[call-arg]  # the decorator's


def volume(name: str = "PET") -> Any:
    return slicer.util.addVolumeFromArray(np.zeros((3, 4, 5), np.float32), name=name)


@pytest.fixture
def form(tmp_path: Path) -> Any:
    path = tmp_path / "form.ui"
    path.write_text(UI)
    widget = slicer.util.loadUI(str(path))
    form = slicer.util.childWidgetVariables(widget)
    form.root = widget  # what a caller keeps: without it Qt deletes the children
    return form


# PythonQt


def test_qt_properties_are_attributes_and_not_calls() -> None:
    label = qt.QLabel("text")
    assert label.text == "text"
    label.text = "other"
    assert label.text == "other"
    with pytest.raises(TypeError):
        label.text()


def test_a_bare_qt_object_takes_no_foreign_attribute() -> None:
    with pytest.raises(AttributeError):
        qt.QLabel().note = 1


def test_signals_connect_by_signature_with_that_many_arguments() -> None:
    button = qt.QPushButton()
    button.checkable = True
    heard: list[tuple[Any, ...]] = []

    def listen(*arguments: Any) -> None:
        heard.append(arguments)

    button.connect("clicked()", listen)
    button.connect("toggled(bool)", listen)
    button.click()
    assert sorted(heard) == [(), (True,)]
    button.disconnect("clicked()", listen)
    button.disconnect("toggled(bool)", listen)
    button.click()
    assert len(heard) == 2


def test_file_dialogs_give_a_path_and_not_a_pair() -> None:
    from harness.pythonqt import mainValue

    assert mainValue(lambda: ("/a/path", "*.csv"))() == "/a/path"
    assert isinstance(vars(qt.QFileDialog)["getSaveFileName"], staticmethod)


# ui file and widgets


def test_a_ui_file_makes_slicers_own_widgets_with_their_properties(form: Any) -> None:
    assert type(form.selector) is slicer.qMRMLNodeComboBox
    assert type(form.slider) is ctk.ctkSliderWidget
    assert form.selector.nodeTypes == ["vtkMRMLScalarVolumeNode"]
    assert form.selector.noneEnabled
    assert form.button.collapsed


def test_a_collapsed_button_hides_its_children_and_shows_them_again(form: Any) -> None:
    form.root.show()
    assert not form.slider.visible
    form.button.collapsed = False
    assert form.slider.visible
    form.root.hide()


def test_a_node_selector_is_disabled_until_it_has_a_scene(form: Any, scene: Any) -> None:
    assert not form.selector.enabled
    form.selector.setMRMLScene(scene)
    assert form.selector.enabled


@pytest.mark.usefixtures("scene")
def test_a_selector_with_none_stays_at_none_and_one_without_takes_the_first_node() -> None:
    chosen: dict[bool, Any] = {}
    for noneEnabled in (True, False):
        selector = slicer.qMRMLNodeComboBox()
        selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
        selector.noneEnabled = noneEnabled
        selector.setMRMLScene(slicer.mrmlScene)
        chosen[noneEnabled] = selector
    node = volume()
    assert chosen[True].currentNode() is None
    assert chosen[False].currentNode() is node


def test_a_selector_tells_of_a_choice_and_of_the_loss_of_its_node(scene: Any) -> None:
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLScalarVolumeNode"]
    selector.noneEnabled = True
    selector.setMRMLScene(scene)
    heard: list[Any] = []
    selector.currentNodeChanged.connect(heard.append)
    node = volume()
    selector.setCurrentNode(node)
    scene.RemoveNode(node)
    assert heard == [node, None]
    assert selector.currentNode() is None


def test_a_selector_lists_only_its_node_types_and_no_hidden_node(scene: Any) -> None:
    selector = slicer.qMRMLNodeComboBox()
    selector.nodeTypes = ["vtkMRMLSegmentationNode"]
    selector.setMRMLScene(scene)
    volume()
    hidden = scene.CreateNodeByClass("vtkMRMLSegmentationNode")
    hidden.SetHideFromEditors(True)
    scene.AddNode(hidden)
    hidden.UnRegister(None)
    assert selector.nodeCount() == 0
    scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert selector.nodeCount() == 1


# parameterNodeWrapper


@pytest.mark.usefixtures("scene")
def test_fields_have_their_defaults_types_and_limits() -> None:
    parameters = BenchLogic().getParameterNode()
    values = [parameters.pet, parameters.share, parameters.scorer, parameters.samples]
    assert values == [None, 0.4, "kde", 16]
    assert (parameters.name, parameters.edited) == ("", False)
    for field, wrong in (("share", 1.5), ("scorer", "x"), ("samples", 0), ("name", None)):
        with pytest.raises(ValueError, match="must"):
            setattr(parameters, field, wrong)
    with pytest.raises(TypeError):
        parameters.samples = "16"


@pytest.mark.usefixtures("scene")
def test_a_node_field_is_a_node_reference() -> None:
    parameters = BenchLogic().getParameterNode()
    parameters.pet = volume()
    assert parameters.parameterNode.GetNodeReferenceID("pet") == parameters.pet.GetID()


@pytest.mark.parametrize("suffix", [".mrb", ".mrml"])
def test_fields_survive_saving_and_loading_the_scene(
    scene: Any, tmp_path: Path, suffix: str
) -> None:
    parameters = BenchLogic().getParameterNode()
    parameters.share, parameters.samples, parameters.edited = 0.5, 7, True
    if suffix == ".mrb":
        parameters.pet = volume("Ganzkörper")
    path = str(tmp_path / ("Szene ä" + suffix))
    assert slicer.util.saveScene(path)
    scene.Clear(0)
    assert BenchLogic().getParameterNode().samples == 16
    slicer.util.loadScene(path, {"clear": True})
    loaded = BenchLogic().getParameterNode()
    assert (loaded.share, loaded.samples, loaded.edited) == (0.5, 7, True)
    if suffix == ".mrb":
        assert loaded.pet.GetName() == "Ganzkörper"


def test_widgets_and_fields_follow_each_other_until_disconnected(form: Any, scene: Any) -> None:
    form.selector.setMRMLScene(scene)
    parameters = BenchLogic().getParameterNode()
    node = volume()
    tag = parameters.connectParametersToGui(
        {"share": form.slider, "scorer": form.combo, "pet": form.selector}
    )
    assert form.slider.value == 0.4
    assert (form.slider.minimum, form.slider.maximum) == (0.0, 1.0)
    form.slider.value = 0.75
    form.combo.currentText = "zscore"
    form.selector.setCurrentNode(node)
    assert (parameters.share, parameters.scorer, parameters.pet) == (0.75, "zscore", node)
    parameters.share = 0.25
    assert form.slider.value == 0.25
    parameters.disconnectGui(tag)
    form.slider.value = 0.9
    assert parameters.share == 0.25


def test_connecting_a_ui_finds_its_widgets_by_slicer_parameter_name(form: Any, scene: Any) -> None:
    form.selector.setMRMLScene(scene)
    parameters = BenchLogic().getParameterNode()
    assert parameters.connectGui(form) is None
    form.slider.value = 0.6
    form.combo.currentText = "zscore"
    assert (parameters.share, parameters.scorer) == (0.6, "zscore")
    parameters.disconnectGui(0)  # the first connection's tag; the form goes with the test


# scene


@pytest.mark.usefixtures("scene")
def test_every_data_node_has_one_item_in_the_subject_hierarchy() -> None:
    node = volume()
    hierarchy = slicer.mrmlScene.GetSubjectHierarchyNode()
    item = hierarchy.GetItemByDataNode(node)
    assert hierarchy.GetItemName(item) == "PET"
    slicer.mrmlScene.RemoveNode(node)
    assert slicer.util.getSubjectHierarchyItemChildren() == []


def test_slice_views_are_real_slice_logics_that_follow_their_composite_nodes(scene: Any) -> None:
    node = volume()
    slicer.util.setSliceViewerLayers(background=node, fit=True)
    for name in ("Red", "Green", "Yellow"):
        widget = slicer.app.layoutManager().sliceWidget(name)
        assert widget.mrmlSliceNode().GetLayoutName() == name
        assert widget.mrmlSliceCompositeNode().GetBackgroundVolumeID() == node.GetID()
        assert widget.sliceLogic().GetBackgroundLayer().GetVolumeNode() is node
    scene.Clear(0)
    assert slicer.app.layoutManager().sliceWidget("Red").mrmlSliceNode() is not None


# against the list of what a real Slicer offers

needsApi = pytest.mark.skipif(not API_FILE.is_file(), reason="no ../shared/slicer-api.json")
OUR_WIDGETS = ("qMRMLNodeComboBox", "qMRMLSegmentEditorWidget", "qMRMLWidget", *ctk.__all__)


@pytest.fixture(scope="module")
def api() -> dict[str, Any]:
    return json.loads(API_FILE.read_text(encoding="utf-8"))


def ownMembers(cls: type) -> tuple[set[str], set[str], set[str]]:
    """Properties, signals and methods that a bench widget declares and shows."""
    from PySide6.QtCore import Property, Signal

    qtOverrides = {"childEvent", "hitButton", "sizeHint", "minimumSizeHint", "paintEvent"}
    public = {n: v for n, v in vars(cls).items() if not n.startswith("_") and n not in qtOverrides}
    properties = {name for name, value in public.items() if isinstance(value, Property)}
    signals = {name for name, value in public.items() if isinstance(value, Signal)}
    methods = {name for name, v in public.items() if callable(v)} - properties - signals
    return properties, signals, methods - {"staticMetaObject"}


@needsApi
@pytest.mark.parametrize("name", OUR_WIDGETS)
def test_a_bench_widget_has_nothing_that_slicers_has_not(name: str, api: dict[str, Any]) -> None:
    cls = getattr(ctk, name, None) or getattr(slicer, name)
    properties, signals, methods = ownMembers(cls)
    real = api["classes"][name]
    assert properties <= set(real["properties"])
    assert signals <= set(real["signals"])
    assert methods <= set(real["slots_and_methods"])


@needsApi
def test_slicers_qt_properties_are_attributes_here_as_far_as_qt_6_still_has_them(
    api: dict[str, Any],
) -> None:
    from harness.pythonqt import VIRTUAL_GETTERS, PythonQtProperty

    calls, checked = [], 0
    for name, real in api["classes"].items():
        cls: Any = getattr(qt, name, None)
        metaObject = getattr(cls, "staticMetaObject", None)
        if metaObject is None:
            continue
        inQt6 = {metaObject.property(i).name() for i in range(metaObject.propertyCount())}
        for key in (set(real.get("properties", ())) & inQt6) - VIRTUAL_GETTERS:
            found = [vars(base)[key] for base in cls.__mro__ if key in vars(base)]
            checked += 1
            if not found or not isinstance(found[0], PythonQtProperty):
                calls.append(f"{name}.{key}")
    assert calls == []
    assert checked > 500


@needsApi
def test_the_application_has_nothing_that_slicers_has_not(api: dict[str, Any]) -> None:
    from harness.application import Application

    real = api["slicer.app"]
    known = {*real["properties"], *real["signals"], *real["slots_and_methods"]}
    ours = {name for name in vars(Application) if not name.startswith("_")}
    assert ours - known <= {"setScene", "createViews", "staticMetaObject"}


@needsApi
def test_slicer_modules_have_the_names_that_slicers_have(api: dict[str, Any]) -> None:
    import slicer.i18n
    import slicer.parameterNodeWrapper
    import slicer.ScriptedLoadableModule

    assert set(slicer.parameterNodeWrapper.__all__) <= {
        *api["slicer.parameterNodeWrapper"],
        "SlicerParameterNamePropertyName",
    }
    assert set(slicer.i18n.__all__) == set(api["slicer.i18n"])
    for name, real in api["slicer.ScriptedLoadableModule"].items():
        cls = getattr(slicer.ScriptedLoadableModule, name)
        assert {n for n in vars(cls) if not n.startswith("_")} <= set(real)


@needsApi
def test_the_panel_uses_only_what_slicer_util_of_the_oldest_supported_slicer_has(
    api: dict[str, Any],
) -> None:
    used = set()
    for path in [*PANEL_FILES, ROOT / "PETAnomaly" / "PETAnomaly.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "slicer.util":
                used.add(node.attr)
    assert used <= set(api["slicer.util"])


@needsApi
def test_the_panel_sets_and_reads_only_attributes_that_the_widgets_of_its_ui_file_have(
    api: dict[str, Any],
) -> None:
    """`self.ui.name.attribute` in the panel against the class that the .ui file gives that name."""
    from xml.etree import ElementTree

    uiFile = ROOT / "PETAnomaly" / "Resources" / "UI" / "PETAnomaly.ui"
    tree = ElementTree.parse(uiFile)
    classes = {w.get("name"): w.get("class") for w in tree.iter("widget")}
    widget = api["classes"]["QWidget"]
    common = {*widget["properties"], *widget["signals"], *widget["slots_and_methods"], "name"}
    wrong = []
    for path in PANEL_FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Attribute):
                continue
            owner = ast.unparse(node.value.value).split(".")[-1].lstrip("_")
            cls = classes.get(node.value.attr)
            real = api["classes"].get(cls or "")
            if owner != "ui" or real is None:
                continue
            known = {*real["properties"], *real["signals"], *real["slots_and_methods"]}
            if node.attr not in known | common:
                wrong.append(f"{path.name}:{node.lineno} {cls}.{node.attr}")
    assert wrong == []
