"""PySide6 classes, made to behave in Python as PythonQt (Slicer's Qt binding) makes them behave.

What differs between the two and is levelled here, once, on PySide6's own classes:

- a Qt property is an attribute: ``label.text``, ``spin.value = 3``, ``widget.visible``; so
  ``label.text()`` fails as it does in Slicer;
- ``name`` is another word for ``objectName``; ``className()`` and ``delete()`` exist;
- a bare Qt object takes no attribute that it does not have (a Python subclass does);
- ``object.connect("clicked(bool)", callable)`` and ``disconnect`` take the signal's signature as a
  string, and the callable gets no more arguments than that signature has;
- a keyword as a name gets an underscore: ``dialog.exec_()``;
- static getters with output parameters give their main value only:
  ``QFileDialog.getSaveFileName(...)`` is a str.

Sources: PythonQt's PythonQtInstanceWrapper.cpp and PythonQtSignal.cpp as CTK and Slicer build them;
Slicer's script repository.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import shiboken6
from PySide6 import QtCore, QtGui, QtPrintSupport, QtUiTools, QtWidgets

# A C++ virtual of the same name is called by Qt itself: replacing it in Python would look like an
# override to PySide6.
VIRTUAL_GETTERS = frozenset({"sizeHint", "minimumSizeHint"})


class PythonQtProperty:
    """One Qt property as a Python attribute, written through Qt's meta-object system (as a .ui
    file's properties are).

    Asked of the class, it gives what PySide6 has under that name: ``QTimer.singleShot(0, f)`` next
    to ``timer.singleShot = True``.
    """

    def __init__(self, cls: type, name: str) -> None:
        self.name = name
        self.ofClass = getattr(cls, name, None)
        self.getter: Callable[[Any], Any] | None = None
        for getter in ("is" + name[0].upper() + name[1:], name):
            found = inspect.getattr_static(cls, getter, None)
            if inspect.ismethoddescriptor(found) and not isinstance(found, staticmethod):
                self.getter = getattr(cls, getter)
                break

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        if instance is None:
            return self.ofClass
        return self.getter(instance) if self.getter else instance.property(self.name)

    def __set__(self, instance: Any, value: Any) -> None:
        if not instance.setProperty(self.name, value):
            raise ValueError(
                f"{type(instance).__name__}.{self.name} does not take {value!r} "
                f"(read-only, or of another type)"
            )


def qtClasses() -> Iterator[type]:
    """Every QObject class that PySide6's Core, Gui and Widgets offer."""
    for module in (QtCore, QtGui, QtWidgets):
        for name in dir(module):
            candidate = getattr(module, name)
            if inspect.isclass(candidate) and issubclass(candidate, QtCore.QObject):
                yield candidate


def addProperties(cls: type) -> None:
    """Turn cls's properties into attributes: those that it declares, and those inherited that a
    method of its own would hide.
    """
    metaObject = cls.staticMetaObject  # type: ignore[attr-defined]  # every QObject class has one
    for index in range(metaObject.propertyCount()):
        name = metaObject.property(index).name()
        declaredHere = index >= metaObject.propertyOffset()
        if name not in VIRTUAL_GETTERS and (declaredHere or name in vars(cls)):
            setattr(cls, name, PythonQtProperty(cls, name))


def setKnownAttribute(instance: Any, name: str, value: Any) -> None:
    """``__setattr__`` of every Qt class: on a bare one, what is no property can't be stored."""
    cls = type(instance)
    if cls.__module__.startswith("PySide6.") and not hasattr(cls, name):
        if UiLoader.loading:
            return  # PySide6's loader makes every child an attribute, PythonQt's does not
        raise AttributeError(
            f"Attribute '{name}' does not exist and creation of it is not allowed: {cls.__name__}"
        )
    declared = getattr(cls, name, None)
    if isinstance(declared, QtCore.Property):
        declared.fset(instance, value)  # PySide6's own __setattr__, replaced by this one, did that
    else:
        shiboken6.Object.__setattr__(instance, name, value)


def argumentCount(signature: str) -> int:
    """How many arguments a signal's signature has: 0 for ``clicked()``, 2 for
    ``finished(int,QProcess::ExitStatus)``.
    """
    inside = signature[signature.index("(") + 1 : signature.rindex(")")].strip()
    return inside.count(",") + 1 if inside else 0


# (id of the object, signature, callable) -> what was really connected, so that disconnect finds it.
_connected: dict[tuple[int, str, Any], Callable[..., None]] = {}


def connectBySignature(instance: Any, signature: str, slot: Callable[..., Any]) -> bool:
    """``object.connect("signal(type)", callable)`` of PythonQt; AttributeError when there is no
    such signal.
    """
    count = argumentCount(signature)
    signal = getattr(instance, signature.split("(", maxsplit=1)[0])

    def deliver(*arguments: Any) -> None:
        slot(*arguments[:count])

    _connected[id(instance), signature, slot] = deliver
    signal.connect(deliver)
    return True


def disconnectBySignature(instance: Any, signature: str, slot: Callable[..., Any]) -> bool:
    """``object.disconnect("signal(type)", callable)``; False when nothing was connected so."""
    deliver = _connected.pop((id(instance), signature, slot), None)
    if deliver is None:
        return False
    getattr(instance, signature.split("(", maxsplit=1)[0]).disconnect(deliver)
    return True


def signatureConnections(plain: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    """``__getattribute__`` that finds PythonQt's connect and disconnect.

    PySide6 answers for these two names ahead of the class's own dictionary, so that setting them on
    the class has no effect; it also calls its own connect from inside (``QTimer.singleShot``), told
    apart by the arguments.
    """
    adapted = {"connect": connectBySignature, "disconnect": disconnectBySignature}

    def get(instance: Any, name: str) -> Any:
        found = plain(instance, name)
        if name not in adapted:
            return found

        def call(*arguments: Any) -> Any:
            if len(arguments) == 2 and isinstance(arguments[0], str) and arguments[0][0].isalpha():
                return adapted[name](instance, *arguments)
            return found(*arguments)

        return call

    return get


def mainValue(getter: Callable[..., Any]) -> Callable[..., Any]:
    """A static getter that gives only what it was asked for, without the filter or the ok that
    PySide6 adds.
    """

    def call(*arguments: Any, **keywords: Any) -> Any:
        return getter(*arguments, **keywords)[0]

    return call


def adaptClasses() -> None:
    """Give PySide6's classes PythonQt's manners. Idempotent: a second call changes nothing."""
    if isinstance(QtCore.QObject.__dict__.get("objectName"), PythonQtProperty):
        return
    for cls in qtClasses():
        addProperties(cls)
        adapted: Any = cls  # to mypy a class's special methods are fixed
        adapted.__setattr__ = setKnownAttribute
        adapted.__getattribute__ = signatureConnections(adapted.__getattribute__)
    base: Any = QtCore.QObject
    base.name = vars(base)["objectName"]
    base.className = lambda self: self.metaObject().className()
    base.delete = lambda self: self.deleteLater()
    for executable in (
        QtWidgets.QDialog,
        QtWidgets.QMessageBox,
        QtWidgets.QMenu,
        QtCore.QEventLoop,
    ):
        setattr(executable, "exec_", executable.exec)  # noqa: B010  # no attribute to mypy
    for getter in ("getOpenFileName", "getOpenFileNames", "getSaveFileName"):
        plain = staticmethod(mainValue(getattr(QtWidgets.QFileDialog, getter)))
        setattr(QtWidgets.QFileDialog, getter, plain)


class UiLoader(QtUiTools.QUiLoader):
    """``qt.QUiLoader``: knows the harness's ctk and qMRML widgets, as Slicer's knows them from its
    designer plugins.
    """

    customWidgets: tuple[type, ...] = ()
    loading = False

    def __init__(self, parent: QtCore.QObject | None = None) -> None:
        super().__init__(parent)
        for widget in self.customWidgets:
            self.registerCustomWidget(widget)

    def load(self, *arguments: Any) -> Any:
        UiLoader.loading = True
        try:
            return super().load(*arguments)
        finally:
            UiLoader.loading = False


def qtModule() -> ModuleType:
    """The module ``qt``: all names of Qt in one, PythonQt's way."""
    adaptClasses()
    module = ModuleType("qt", "Slicer's qt, on PySide6")
    for source in (QtCore, QtGui, QtPrintSupport, QtWidgets):
        for name in dir(source):
            if not name.startswith("_"):
                setattr(module, name, getattr(source, name))
    module.QUiLoader = UiLoader  # type: ignore[attr-defined]
    return module
