"""The module ``slicer.parameterNodeWrapper``: typed fields kept as parameters and node references
of a MRML node.

Written anew to the behaviour of Slicer's own (Base/Python/slicer/parameterNodeWrapper, 5.8 to
5.12): a class decorated with ``@parameterNodeWrapper`` gets ``__init__(parameterNode)``, a property
a field, ``connectGui``, ``getValue`` and the rest. Values are strings in the node's parameters,
nodes are node references under the field's name, so that both follow the scene through saving,
loading and closing. Packs, lists, tuples, dictionaries and unions are left out: the panel has none.
"""

from __future__ import annotations

import typing
import weakref
from collections.abc import Callable
from enum import Enum
from pathlib import PurePath
from typing import Any

import slicer
import vtk
from qt import (
    QCheckBox,
    QComboBox,
    QDoubleSpinBox,
    QLineEdit,
    QPushButton,
    QSlider,
    QSpinBox,
    QWidget,
)

from harness.ctk import ctkPathLineEdit, ctkSliderWidget
from harness.mrml_widgets import qMRMLNodeComboBox

__all__ = [
    "Choice",
    "Decimals",
    "Default",
    "Exclude",
    "IsInstance",
    "Maximum",
    "Minimum",
    "NotNone",
    "SingleStep",
    "SlicerParameterNamePropertyName",
    "Validator",
    "WithinRange",
    "findChildWidgetForParameter",
    "isParameterNodeWrapper",
    "parameterNodeWrapper",
]

SlicerParameterNamePropertyName = "SlicerParameterName"


class Default:
    """Annotation: the field's value in a node that does not have it yet."""

    def __init__(self, value: Any = None, *, generator: Callable[[], Any] | None = None) -> None:
        self._value = value
        self._generator = generator

    @property
    def value(self) -> Any:
        return self._generator() if self._generator else self._value


class Decimals:
    """Annotation: the decimals of the spin box or slider that shows the field."""

    def __init__(self, value: int) -> None:
        self.value = value


class SingleStep:
    """Annotation: the step of the spin box or slider that shows the field."""

    def __init__(self, value: float) -> None:
        self.value = value


class Validator:
    """Base of the annotations that refuse values: ``validate`` raises ValueError or TypeError."""

    def validate(self, value: Any) -> None:
        raise NotImplementedError


class NotNone(Validator):
    def validate(self, value: Any) -> None:
        if value is None:
            raise ValueError("Value must not be None")


class IsInstance(Validator):
    def __init__(self, classtype: Any) -> None:
        self.classtype = classtype

    def validate(self, value: Any) -> None:
        if value is not None and not isinstance(value, self.classtype):
            raise TypeError(f"Value {value!r} must be of type {self.classtype}")


class WithinRange(Validator):
    def __init__(self, minimum: float, maximum: float) -> None:
        self.minimum = minimum
        self.maximum = maximum

    def validate(self, value: Any) -> None:
        if not self.minimum <= value <= self.maximum:
            raise ValueError(f"Value {value} must be within [{self.minimum}, {self.maximum}]")


class Minimum(Validator):
    def __init__(self, minimum: float) -> None:
        self.minimum = minimum

    def validate(self, value: Any) -> None:
        if value < self.minimum:
            raise ValueError(f"Value {value} must be at least {self.minimum}")


class Maximum(Validator):
    def __init__(self, maximum: float) -> None:
        self.maximum = maximum

    def validate(self, value: Any) -> None:
        if value > self.maximum:
            raise ValueError(f"Value {value} must be at most {self.maximum}")


class Choice(Validator):
    def __init__(self, choices: Any) -> None:
        self.choices = choices

    def validate(self, value: Any) -> None:
        if value not in self.choices:
            raise ValueError(f"Value {value!r} must be one of {self.choices}")


class Exclude(Validator):
    def __init__(self, excludedValues: Any) -> None:
        self.excludedValues = excludedValues

    def validate(self, value: Any) -> None:
        if value in self.excludedValues:
            raise ValueError(f"Value {value!r} must be none of {self.excludedValues}")


class Field:
    """One field of a wrapped class: its type, default and validators, and how its value is written
    to a parameter node.
    """

    def __init__(self, name: str, annotated: Any, classDefault: Default | None) -> None:
        self.name = name
        self.annotatedType = annotated
        annotations = list(getattr(annotated, "__metadata__", ()))
        self.type = annotated.__origin__ if annotations else annotated
        self.annotations = annotations
        self.isNode = isinstance(self.type, type) and issubclass(self.type, slicer.vtkMRMLNode)
        self.validators = [*self._typeValidators(), *self._all(Validator)]
        given = classDefault or next(iter(self._all(Default)), None)
        self.default = given or Default(self._emptyValue())

    def _all(self, kind: type) -> list[Any]:
        return [annotation for annotation in self.annotations if isinstance(annotation, kind)]

    def _typeValidators(self) -> list[Validator]:
        if self.isNode:
            return [IsInstance(self.type)]
        accepted = (int, float) if self.type is float else self.type
        return [NotNone(), IsInstance(accepted)]

    def _emptyValue(self) -> Any:
        if self.isNode:
            return None
        if issubclass(self.type, Enum):
            return next(iter(self.type))
        if self.type in (int, float, str, bool) or issubclass(self.type, PurePath):
            return self.type()
        raise TypeError(f"The harness has no serializer for {self.name}: {self.annotatedType}")

    def first(self, kind: type) -> Any:
        """The first annotation of a kind, None without one."""
        return next(iter(self._all(kind)), None)

    def isIn(self, node: Any) -> bool:
        return bool(node.HasParameter(self.name))

    def write(self, node: Any, value: Any) -> None:
        for validator in self.validators:
            validator.validate(value)
        if self.isNode:
            # None is a value, so that the presence of the field needs a parameter of its own
            node.SetParameter(self.name, "")
            node.SetNodeReferenceID(self.name, value.GetID() if value is not None else None)
        elif isinstance(value, Enum):
            node.SetParameter(self.name, value.name)
        else:
            node.SetParameter(self.name, str(value))

    def read(self, node: Any) -> Any:
        if not self.isIn(node):
            self.write(node, self.default.value)
        if self.isNode:
            return node.GetNodeReference(self.name)
        text = node.GetParameter(self.name)
        if self.type is bool:
            return text == "True"
        return self.type[text] if issubclass(self.type, Enum) else self.type(text)


class CachedValue:
    """A field's value in one parameter node, read again whenever the node says that it was
    modified.
    """

    def __init__(self, field: Field, node: Any) -> None:
        self.field = field
        self.node = node
        self.value = field.read(node)
        self._writing = False
        ownReference = weakref.ref(self)  # an observer that owned this object would keep it alive

        def onModified(_caller: Any, _event: str) -> None:
            alive = ownReference()
            if alive is not None and not alive._writing:
                alive.value = alive.field.read(alive.node)

        self._observerTag = node.AddObserver(vtk.vtkCommand.ModifiedEvent, onModified)

    def __del__(self) -> None:
        self.node.RemoveObserver(self._observerTag)

    def write(self, value: Any) -> None:
        self._writing = True
        try:
            # the value is new before any other observer hears of the change
            with slicer.util.NodeModify(self.node):
                self.field.write(self.node, value)
                self.value = self.field.read(self.node)
        finally:
            self._writing = False


class GuiConnector:
    """A widget and the field that it shows: reading, writing, and the signal that says the user
    changed it.
    """

    def __init__(self, widget: Any, field: Field) -> None:
        self.widget = widget
        self.field = field
        self._slot: Callable[..., None] | None = None
        self.signal, self.read, self._write = self._adapt()

    def _adapt(  # noqa: PLR0911  # a table of the kinds of widget, a line each
        self,
    ) -> tuple[Any, Callable[[], Any], Callable[[Any], None]]:
        kind, widget = self.field.type, self.widget
        if kind is bool and type(widget) is QCheckBox:
            return widget.stateChanged, lambda: widget.checked, widget.setChecked
        if kind is bool and type(widget) is QPushButton:
            widget.checkable = True
            return widget.toggled, lambda: widget.checked, widget.setChecked
        if kind is int and type(widget) in (QSlider, QSpinBox):
            self._limit(-(2**31), 2**31 - 1)
            return widget.valueChanged, lambda: widget.value, widget.setValue
        if kind is float and type(widget) in (QDoubleSpinBox, ctkSliderWidget):
            self._limit(float("-inf"), float("inf"))
            return widget.valueChanged, lambda: widget.value, widget.setValue
        if kind is str and type(widget) is QLineEdit:
            return widget.textChanged, lambda: widget.text, widget.setText
        if type(widget) is QComboBox and kind in (int, float, str, bool):
            choice = self.field.first(Choice)
            if choice is None:
                raise RuntimeError("A QComboBox requires the Choice annotation to be used.")
            return self._adaptComboBox(list(choice.choices), str)
        if type(widget) is QComboBox and issubclass(kind, Enum):
            label = getattr(kind, "label", lambda member: member.name)
            return self._adaptComboBox(list(kind), label)
        if type(widget) is ctkPathLineEdit and issubclass(kind, PurePath):
            write = lambda path: widget.setCurrentPath(str(path))  # noqa: E731  # one expression
            return widget.currentPathChanged, lambda: kind(widget.currentPath), write
        if type(widget) is qMRMLNodeComboBox and self.field.isNode:
            widget.nodeTypes = [kind.__name__]
            return widget.currentNodeChanged, widget.currentNode, widget.setCurrentNode
        raise RuntimeError(f"Unable to create GUI connector from {kind} to {type(widget)}")

    def _adaptComboBox(
        self, values: list[Any], label: Callable[[Any], str]
    ) -> tuple[Any, Callable[[], Any], Callable[[Any], None]]:
        widget = self.widget
        widget.clear()
        for value in values:
            widget.addItem(label(value))
        return (
            widget.currentIndexChanged,
            lambda: values[widget.currentIndex],
            lambda value: widget.setCurrentIndex(values.index(value)),
        )

    def _limit(self, lowest: float, highest: float) -> None:
        within = self.field.first(WithinRange)
        minimum = within or self.field.first(Minimum)
        maximum = within or self.field.first(Maximum)
        if type(self.widget) in (QSlider, ctkSliderWidget) and not (minimum and maximum):
            raise RuntimeError("Cannot have a connection to a slider where the type is unbounded.")
        for annotation, setting in ((Decimals, "decimals"), (SingleStep, "singleStep")):
            given = self.field.first(annotation)
            if given is not None:
                setattr(self.widget, setting, given.value)
        self.widget.minimum = minimum.minimum if minimum else lowest
        self.widget.maximum = maximum.maximum if maximum else highest

    def write(self, value: Any) -> None:
        self._write(value)

    def onChanged(self, callback: Callable[[], None] | None) -> None:
        if self._slot is not None:
            self.signal.disconnect(self._slot)
            self._slot = None
        if callback is not None:
            self._slot = lambda *_: callback()
            self.signal.connect(self._slot)


# The observer of a connected wrapper holds the wrapper, which holds the node, which holds the
# observer. Python's collector takes such a ring for garbage although the scene keeps the node, and
# VTK 9.6.0 then calls a function that was taken apart: a crash. So the ring hangs on this list.
_connectedWrappers: list[Any] = []


class WrapperMethods:
    """What every wrapped class can do besides its fields."""

    allParameters: dict[str, Field]

    def __init__(self, parameterNode: Any, prefix: str | None = None) -> None:
        if prefix:
            raise NotImplementedError("The harness knows no prefix of a parameterNodeWrapper")
        self.parameterNode = parameterNode
        self._guis: dict[int, dict[str, GuiConnector]] = {}
        self._guiObservers: dict[int, int] = {}
        self._nextGuiTag = 0
        self._updatingGui = False
        for field in self.allParameters.values():
            setattr(self, f"_{field.name}_impl", CachedValue(field, parameterNode))

    def _field(self, name: str) -> Field:
        if name not in self.allParameters:
            raise ValueError(f"Cannot find a param with the given name: {name}")
        return self.allParameters[name]

    def getValue(self, name: str) -> Any:
        return getattr(self, f"_{self._field(name).name}_impl").value

    def setValue(self, name: str, value: Any) -> None:
        getattr(self, f"_{self._field(name).name}_impl").write(value)

    def default(self, paramName: str) -> Default:
        return self._field(paramName).default

    def isCached(self, paramName: str) -> bool:
        self._field(paramName)
        return True

    def dataType(self, membername: str) -> Any:
        return self._field(membername).annotatedType

    def connectGui(self, gui: Any) -> None:
        """Connect every widget below gui, or among gui's attributes, that has SlicerParameterName.

        As in Slicer (wrapper.py), the tag that disconnectGui wants is not returned:
        connectParametersToGui returns it.
        """
        isWidget = isinstance(gui, QWidget)
        widgets = gui.findChildren(QWidget) if isWidget else list(vars(gui).values())
        named = {widget.property(SlicerParameterNamePropertyName): widget for widget in widgets}
        self.connectParametersToGui({name: w for name, w in named.items() if name})

    def connectParametersToGui(self, mapping: dict[str, Any]) -> int:
        connectors = {
            name: GuiConnector(widget, self._field(name)) for name, widget in mapping.items()
        }
        tag = self._nextGuiTag
        self._nextGuiTag += 1
        self._guis[tag] = connectors
        for name, connector in connectors.items():
            connector.write(self.getValue(name))
            connector.onChanged(self._makeGuiCallback(name, connector))
        self._guiObservers[tag] = self.AddObserver(
            vtk.vtkCommand.ModifiedEvent, lambda *_: self._updateGuis()
        )
        _connectedWrappers.append(self)
        return tag

    def disconnectGui(self, guiTag: int) -> None:
        """Also lets the wrapper go: hundreds of tests' wrappers, each of which reads every field
        whenever a scene is cleared, took a fifth of the panel's tests."""
        for connector in self._guis.pop(guiTag, {}).values():
            connector.onChanged(None)
        if guiTag in self._guiObservers:
            self.RemoveObserver(self._guiObservers.pop(guiTag))
            _connectedWrappers.remove(self)

    def _makeGuiCallback(self, name: str, connector: GuiConnector) -> Callable[[], None]:
        def onWidgetChanged() -> None:
            with slicer.util.NodeModify(self):
                if not self._updatingGui:
                    self.setValue(name, connector.read())

        return onWidgetChanged

    def _updateGuis(self) -> None:
        if self._updatingGui:
            return
        self._updatingGui = True
        try:
            with slicer.util.NodeModify(self):
                for connectors in self._guis.values():
                    for name, connector in connectors.items():
                        connector.write(self.getValue(name))
        finally:
            self._updatingGui = False

    def StartModify(self) -> int:
        return self.parameterNode.StartModify()

    def EndModify(self, wasModified: int) -> Any:
        return self.parameterNode.EndModify(wasModified)

    def AddObserver(self, event: Any, callback: Any, priority: float = 0.0) -> int:
        return self.parameterNode.AddObserver(event, callback, priority)

    def RemoveObserver(self, tag: int) -> None:
        self.parameterNode.RemoveObserver(tag)

    def Modified(self) -> None:
        self.parameterNode.Modified()


def valueProperty(name: str) -> property:
    return property(
        lambda self: self.getValue(name), lambda self, value: self.setValue(name, value)
    )


def wrapClass(classtype: type) -> type:
    """Give a class of annotated fields the wrapper's behaviour; ValueError where a field has a
    reserved name.
    """
    fields = {}
    for name, annotated in typing.get_type_hints(classtype, include_extras=True).items():
        if hasattr(WrapperMethods, name):
            raise ValueError(f"Cannot use reserved name '{name}' in a parameterNodeWrapper")
        classDefault = Default(getattr(classtype, name)) if hasattr(classtype, name) else None
        fields[name] = Field(name, annotated, classDefault)
        setattr(classtype, name, valueProperty(name))
    for name, method in vars(WrapperMethods).items():
        if callable(method) and (name == "__init__" or not name.startswith("__")):
            setattr(classtype, name, method)
    classtype.allParameters = fields  # type: ignore[attr-defined]  # added here
    classtype._is_parameter_node_wrapper = True  # type: ignore[attr-defined]
    return classtype


def parameterNodeWrapper(classtype: type | None = None) -> Any:
    """The class decorator, with or without parentheses."""
    return wrapClass if classtype is None else wrapClass(classtype)


def isParameterNodeWrapper(classOrObj: Any) -> bool:
    return getattr(classOrObj, "_is_parameter_node_wrapper", False)


def findChildWidgetForParameter(widget: QWidget, parameter: str) -> QWidget | None:
    """The widget below this one that carries the parameter's name."""
    for child in widget.findChildren(QWidget):
        if child.property(SlicerParameterNamePropertyName) == parameter:
            return child
    return None
