"""The module ``ctk``: the few CTK widgets that the panel uses, with CTK's names, properties and
signals.

Source: CTK, Libs/Widgets (ctkCollapsibleButton, ctkSliderWidget, ctkPathLineEdit, ctkMessageBox).
"""

from __future__ import annotations

import logging
from typing import Any

from qt import (
    Property,
    QAbstractButton,
    QComboBox,
    QDoubleSpinBox,
    QEvent,
    QFileDialog,
    QHBoxLayout,
    QMessageBox,
    QSize,
    QSizePolicy,
    QSlider,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
    Qt,
    QToolButton,
    QWidget,
    Signal,
)

__all__ = ["ctkCollapsibleButton", "ctkMessageBox", "ctkPathLineEdit", "ctkSliderWidget"]


class ctkCollapsibleButton(QAbstractButton):
    """A header that folds its own children away; ``checked`` is "not collapsed"."""

    contentsCollapsed = Signal(bool)

    def __init__(self, parent: Any = None) -> None:
        if isinstance(parent, str):
            text, parent = parent, None
        else:
            text = ""
        super().__init__(parent)
        self.setText(text)
        self.setCheckable(True)
        self.setChecked(True)
        self.setSizePolicy(QSizePolicy.Policy.Minimum, QSizePolicy.Policy.Preferred)
        self.setContentsMargins(0, self._headerHeight(), 0, 0)
        self._shownWhenExpanded: list[QWidget] = []
        self.toggled.connect(self._onToggled)

    def _headerHeight(self) -> int:
        return self.fontMetrics().height() + 10

    def _collapsed(self) -> bool:
        return not self.isChecked()

    def _setCollapsed(self, collapsed: bool) -> None:
        self.setChecked(not collapsed)

    collapsed = Property(bool, _collapsed, _setCollapsed)

    def _onToggled(self, expanded: bool) -> None:
        if expanded:
            self.setMaximumHeight(16777215)
            for child in self._shownWhenExpanded:
                child.show()
        else:
            widgets = [child for child in self.children() if isinstance(child, QWidget)]
            self._shownWhenExpanded = [child for child in widgets if not child.isHidden()]
            for child in self._shownWhenExpanded:
                child.hide()
            self.setMaximumHeight(self._headerHeight())
        self.updateGeometry()
        self.contentsCollapsed.emit(not expanded)

    def childEvent(self, event: Any) -> None:
        child = event.child()
        added = event.type() == QEvent.Type.ChildPolished and isinstance(child, QWidget)
        if added and self._collapsed() and not child.isHidden():
            self._shownWhenExpanded.append(child)
            child.hide()
        super().childEvent(event)

    def hitButton(self, position: Any) -> bool:
        return position.y() <= self._headerHeight()

    def sizeHint(self) -> QSize:
        header = QSize(self.fontMetrics().horizontalAdvance(self.text) + 40, self._headerHeight())
        if self._collapsed() or self.layout() is None:
            return header
        return header.expandedTo(self.layout().totalSizeHint())

    def minimumSizeHint(self) -> QSize:
        if self._collapsed() or self.layout() is None:
            return QSize(0, self._headerHeight())
        return self.layout().totalMinimumSize()

    def paintEvent(self, _event: Any) -> None:
        painter = QStylePainter(self)
        option = QStyleOptionButton()
        option.initFrom(self)
        option.rect.setHeight(self._headerHeight())
        option.state |= QStyle.StateFlag.State_Raised
        painter.drawControl(QStyle.ControlElement.CE_PushButtonBevel, option)
        option.rect.setWidth(self._headerHeight())
        option.rect.adjust(7, 7, -7, -7)
        arrow = QStyle.PrimitiveElement.PE_IndicatorArrowDown
        if self._collapsed():
            arrow = QStyle.PrimitiveElement.PE_IndicatorArrowRight
        painter.drawPrimitive(arrow, option)
        left = self._headerHeight() + 2
        alignment = Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextShowMnemonic
        painter.drawText(
            left, 0, self.rect.width() - left, self._headerHeight(), alignment, self.text
        )


class ctkSliderWidget(QWidget):
    """A slider and a spin box on one number; the number has the spin box's ``decimals``.

    ``decimals`` goes on to every other one below the same parent, however deep, unless told not to.
    """

    NoSynchronize, SynchronizeWidth, SynchronizeDecimals = 0, 1, 2

    valueChanged = Signal(float)
    valueIsChanging = Signal(float)
    decimalsChanged = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._slider = QSlider(Qt.Orientation.Horizontal, self)
        self._spinBox = QDoubleSpinBox(self)
        self._tracking = True
        self._dragging = False
        self._step = self._spinBox.singleStep
        self._synchronized = self.SynchronizeWidth | self.SynchronizeDecimals
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._slider, 1)
        layout.addWidget(self._spinBox)
        self._updateSteps()
        self._spinBox.valueChanged.connect(self._onSpinBox)
        self._slider.valueChanged.connect(self._onSlider)
        self._slider.sliderPressed.connect(self._onPressed)
        self._slider.sliderReleased.connect(self._onReleased)

    def _updateSteps(self) -> None:
        blocked = self._slider.blockSignals(True)
        self._slider.setRange(
            0, max(1, round((self._spinBox.maximum - self._spinBox.minimum) / self._step))
        )
        self._slider.blockSignals(blocked)
        self._showOnSlider(self._spinBox.value)

    def _showOnSlider(self, value: float) -> None:
        blocked = self._slider.blockSignals(True)
        self._slider.setValue(round((value - self._spinBox.minimum) / self._step))
        self._slider.blockSignals(blocked)

    def _onSlider(self, position: int) -> None:
        value = self._spinBox.minimum + position * self._step
        if self._tracking or not self._dragging:
            self._spinBox.setValue(value)
            return
        self.valueIsChanging.emit(value)

    def _onPressed(self) -> None:
        self._dragging = True

    def _onReleased(self) -> None:
        self._dragging = False
        self._onSlider(self._slider.value)

    def _onSpinBox(self, value: float) -> None:
        self._showOnSlider(value)
        self.valueIsChanging.emit(value)
        self.valueChanged.emit(value)

    def setValue(self, value: float) -> None:
        self._spinBox.setValue(value)

    def setDecimals(self, decimals: int) -> None:
        self._spinBox.setDecimals(decimals)
        self.decimalsChanged.emit(decimals)
        if not self._synchronized & self.SynchronizeDecimals or self.parentWidget() is None:
            return
        for sibling in self.parentWidget().findChildren(ctkSliderWidget):
            if sibling._synchronized & self.SynchronizeDecimals:
                sibling._spinBox.setDecimals(decimals)

    def _setSynchronized(self, mode: int) -> None:
        self._synchronized = mode

    def setSpinBoxVisible(self, visible: bool) -> None:
        self._spinBox.setVisible(visible)

    def reset(self) -> None:
        self.setValue(0.0)

    def _setMinimum(self, minimum: float) -> None:
        self._spinBox.setMinimum(minimum)
        self._updateSteps()

    def _setMaximum(self, maximum: float) -> None:
        self._spinBox.setMaximum(maximum)
        self._updateSteps()

    def _setSingleStep(self, step: float) -> None:
        """As CTK: the slider warns of a step wider than the range, and keeps its own."""
        self._spinBox.setSingleStep(step)
        width = self._spinBox.maximum - self._spinBox.minimum
        if width > 0.0 and step > width:
            logging.warning("setSingleStep(%s) is outside of valid bounds.", step)
            return
        self._step = step
        self._updateSteps()

    def _setPageStep(self, step: float) -> None:
        self._slider.setPageStep(max(1, round(step / self._step)))

    def _setTracking(self, tracking: bool) -> None:
        self._tracking = tracking

    value = Property(float, lambda self: self._spinBox.value, setValue, user=True)
    minimum = Property(float, lambda self: self._spinBox.minimum, _setMinimum)
    maximum = Property(float, lambda self: self._spinBox.maximum, _setMaximum)
    singleStep = Property(float, lambda self: self._step, _setSingleStep)
    pageStep = Property(float, lambda self: self._slider.pageStep * self.singleStep, _setPageStep)
    decimals = Property(int, lambda self: self._spinBox.decimals, setDecimals)
    tracking = Property(bool, lambda self: self._tracking, _setTracking)
    synchronizeSiblings = Property(int, lambda self: self._synchronized, _setSynchronized)
    spinBoxVisible = Property(bool, lambda self: not self._spinBox.isHidden(), setSpinBoxVisible)
    suffix = Property(
        str, lambda self: self._spinBox.suffix, lambda self, text: self._spinBox.setSuffix(text)
    )
    prefix = Property(
        str, lambda self: self._spinBox.prefix, lambda self, text: self._spinBox.setPrefix(text)
    )


class ctkPathLineEdit(QWidget):
    """An editable path with a browse button."""

    currentPathChanged = Signal(str)
    validInputChanged = Signal(bool)
    Files, Dirs, Executable = 0x002, 0x001, 0x040  # QDir's values, as CTK's Filters

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._combo = QComboBox(self)
        self._combo.setEditable(True)
        self._combo.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._browseButton = QToolButton(self)
        self._browseButton.setText("...")
        self._values: dict[str, Any] = {
            "label": "",
            "settingKey": "",
            "nameFilters": [],
            "filters": self.Files | self.Dirs,
        }
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._combo)
        layout.addWidget(self._browseButton)
        self._combo.editTextChanged.connect(self.currentPathChanged.emit)
        self._browseButton.clicked.connect(self.browse)

    def browse(self) -> None:
        if self._values["filters"] & self.Files:
            path = QFileDialog.getOpenFileName(self, self.label, self.currentPath)
        else:
            path = QFileDialog.getExistingDirectory(self, self.label, self.currentPath)
        if path:
            self.setCurrentPath(path)

    def setCurrentPath(self, path: str) -> None:
        self._combo.setEditText(path)

    def comboBox(self) -> QComboBox:
        return self._combo

    def addCurrentPathToHistory(self) -> None:
        if self._combo.findText(self.currentPath) < 0:
            self._combo.addItem(self.currentPath)

    def _set(self, name: str, value: Any) -> None:
        self._values[name] = value

    currentPath = Property(str, lambda self: self._combo.currentText, setCurrentPath, user=True)
    label = Property(str, lambda self: self._values["label"], lambda self, v: self._set("label", v))
    settingKey = Property(
        str, lambda self: self._values["settingKey"], lambda self, v: self._set("settingKey", v)
    )
    nameFilters = Property(
        "QStringList",
        lambda self: self._values["nameFilters"],
        lambda self, v: self._set("nameFilters", list(v)),
    )
    filters = Property(
        int, lambda self: self._values["filters"], lambda self, v: self._set("filters", int(v))
    )
    showBrowseButton = Property(
        bool,
        lambda self: not self._browseButton.isHidden(),
        lambda self, visible: self._browseButton.setVisible(visible),
    )
    showHistoryButton = Property(bool, lambda _self: False, lambda _self, _visible: None)


class ctkMessageBox(QMessageBox):
    """QMessageBox, with CTK's "don't show again" left out: the panel doesn't use it."""
