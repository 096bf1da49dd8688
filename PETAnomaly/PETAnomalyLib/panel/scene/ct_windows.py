"""The CT's grey values: radiology's usual windows, and the one that somebody set for this CT.

Which of them is shown is read from the display node: so a window dragged with the mouse, or set in
another module, is known for what it is.
"""

from __future__ import annotations

from typing import Any

# Width and level in HU.
CT_WINDOWS = {
    "lung": (1500.0, -600.0),
    "bone": (1800.0, 400.0),
    "abdomen": (400.0, 40.0),
    "brain": (80.0, 40.0),
}
FIRST = "abdomen"
OWN_ATTRIBUTE = "PETAnomaly.OwnWindow"  # of a CT: "width level", or "automatic"
AUTOMATIC = "automatic"
GREY = "vtkMRMLColorTableNodeGrey"
NEAR = 0.5  # HU


def showFirstWindow(ct: Any) -> None:
    """The abdomen's window for a CT that is chosen for the first time; what it had is kept."""
    if ct.GetDisplayNode() is None:
        ct.CreateDefaultDisplayNodes()
    if ct.GetAttribute(OWN_ATTRIBUTE) is not None:
        return
    _keepOwn(ct)
    ct.GetDisplayNode().SetAndObserveColorNodeID(GREY)
    _show(ct, *CT_WINDOWS[FIRST])


def shownWindow(ct: Any) -> str:
    """Which of the usual windows a CT is shown with; empty for none of them."""
    display = ct.GetDisplayNode() if ct is not None else None
    if display is None or display.GetAutoWindowLevel():
        return ""
    for name, (width, level) in CT_WINDOWS.items():
        if abs(display.GetWindow() - width) < NEAR and abs(display.GetLevel() - level) < NEAR:
            return name
    return ""


def showWindow(ct: Any, name: str) -> None:
    """One of the usual windows; one that is none of them is kept, to come back."""
    if not shownWindow(ct):
        _keepOwn(ct)
    _show(ct, *CT_WINDOWS[name])


def showOwnWindow(ct: Any) -> None:
    """What was shown before the first of the usual windows."""
    own = ct.GetAttribute(OWN_ATTRIBUTE) or AUTOMATIC
    if own == AUTOMATIC:
        ct.GetDisplayNode().AutoWindowLevelOn()
        return
    width, level = (float(part) for part in own.split())
    _show(ct, width, level)


def _keepOwn(ct: Any) -> None:
    display = ct.GetDisplayNode()
    own = f"{display.GetWindow()!r} {display.GetLevel()!r}"
    ct.SetAttribute(OWN_ATTRIBUTE, AUTOMATIC if display.GetAutoWindowLevel() else own)


def _show(ct: Any, width: float, level: float) -> None:
    display = ct.GetDisplayNode()
    display.AutoWindowLevelOff()
    display.SetWindowLevel(width, level)
