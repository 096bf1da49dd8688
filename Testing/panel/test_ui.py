"""What the .ui file promises to people: tooltips, keyboard, order, nothing that Slicer lacks."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from repository import ROOT

UI = ROOT / "PETAnomaly" / "Resources" / "UI" / "PETAnomaly.ui"
API = ROOT.parent / "shared" / "slicer-api.json"
CONTROLS = {
    "QPushButton",
    "QToolButton",
    "QComboBox",
    "QCheckBox",
    "QSpinBox",
    "QDoubleSpinBox",
    "QTableView",
    "QPlainTextEdit",
    "QProgressBar",
    "ctkSliderWidget",
    "ctkPathLineEdit",
    "qMRMLNodeComboBox",
}


def widgets() -> Any:
    return list(ET.parse(UI).getroot().iter("widget"))


def value(widget: Any, name: Any) -> Any:
    for item in widget.findall("property"):
        if item.get("name") == name:
            return "".join(item.itertext()).strip()
    return None


def test_every_control_has_a_tooltip_that_is_a_sentence() -> None:
    for widget in widgets():
        if widget.get("class") in CONTROLS:
            tip = value(widget, "toolTip")
            assert tip, widget.get("name")
            assert tip.endswith((".", ")")), widget.get("name")


def test_every_widget_has_a_name_of_its_own() -> None:
    names = [widget.get("name") for widget in widgets()]
    assert len(names) == len(set(names))


def test_sections_come_in_the_order_of_the_work() -> None:
    order = [widget.get("name") for widget in widgets()]
    steps = ["studySection", "modelSection", "detectButton", "displaySection", "findingsSection",
             "referenceSection"]  # fmt: skip
    assert sorted(steps, key=order.index) == steps


def test_every_keyboard_shortcut_letter_is_used_once() -> None:
    letters = []
    for widget in widgets():
        text = value(widget, "text") or ""
        if "&" in text:
            letters.append(text[text.index("&") + 1].lower())
    assert len(letters) == len(set(letters)), sorted(letters)


def test_advanced_settings_and_log_are_folded_at_first() -> None:
    folded = [w.get("name") for w in widgets() if value(w, "collapsed") == "true"]
    assert folded == ["advancedBox", "logBox", "referenceSection"]


def test_bound_parameters_exist() -> None:
    source = (ROOT / "PETAnomaly" / "PETAnomalyLib" / "panel" / "parameters.py").read_text(
        encoding="utf-8"
    )
    for widget in widgets():
        name = value(widget, "SlicerParameterName")
        if name:
            assert f"    {name}: " in source, name


@pytest.mark.skipif(not API.exists(), reason="the list of Slicer's API is not here")
def test_every_property_in_the_ui_is_one_that_slicers_widgets_have() -> None:
    classes = json.loads(API.read_text(encoding="utf-8"))["classes"]
    common = set(classes["QWidget"]["properties"]) | {"SlicerParameterName", "visible", "enabled"}
    for widget in widgets():
        known = classes.get(widget.get("class"))
        if known is None or known.get("properties") is None:
            continue
        for item in widget.findall("property"):
            name = item.get("name")
            assert name in common | set(known["properties"]) | {"buddy"}, (
                widget.get("name"),
                name,
            )
