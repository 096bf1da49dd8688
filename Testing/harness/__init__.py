"""A Slicer-shaped bench: the panel's own files run here as they run in Slicer, on PySide6 and
slicer-core.

``start()`` once a process; after that ``import slicer, qt, ctk, vtk`` and
``from slicer.parameterNodeWrapper import ...`` work as in Slicer's Python. What is real and what
stands in:

- the MRML scene, nodes, storage, slice logic and subject hierarchy node, and slicer.util (its own
  file): slicer-core's, real;
- Qt: real, with PythonQt's manners (``pythonqt``); the .ui file goes through Qt's own loader;
- ``slicer.app``, layout manager, file input and output, ctk and qMRML widgets,
  parameterNodeWrapper, ScriptedLoadableModule:
  written here, only as much as the panel uses, checked against Slicer's source and by a test
  against a list of its API.

Without a desktop set QT_QPA_PLATFORM=offscreen first.
"""

from __future__ import annotations

from typing import Any

_application: Any = None  # kept: Qt has one application a process


def start(testing: bool = True) -> Any:
    """Make ``slicer``, ``qt`` and ``ctk`` importable, with an application and an empty scene; gives
    ``slicer.app``.

    testing: as Slicer's --testing: message boxes are logged and answered with their default.
    """
    global _application  # noqa: PLW0603  # one a process, as Qt has it
    if _application is None:
        from harness.bootstrap import startApplication

        _application = startApplication(testing)
    return _application
