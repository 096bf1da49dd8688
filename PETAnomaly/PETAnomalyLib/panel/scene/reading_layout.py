"""The layout for reading, a turning MIP on white beside the three planes; the way back as well."""

from __future__ import annotations

from typing import Any

import slicer  # slicer.util looks for qt

WHITE = (1.0, 1.0, 1.0)


class ReadingLayout:
    """`show` turns to it with one call, `leave` brings back the layout and the look of the 3-D
    views that there were.
    """

    def __init__(self) -> None:
        self._layout: int | None = None
        self._looks: dict[str, tuple] = {}  # of a view, by its node's ID

    def show(self) -> None:
        """Three planes and a 3-D view."""
        layoutManager = slicer.app.layoutManager()
        if layoutManager is None or self._layout is not None:
            return
        self._layout = layoutManager.layout
        layoutManager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView)
        for view in slicer.util.getNodesByClass("vtkMRMLViewNode"):
            self._looks[view.GetID()] = _look(view)
            _give(view, (WHITE, WHITE, False, False, view.Spin))

    def leave(self) -> None:
        """What there was before; what the user has changed meanwhile stays."""
        layout, self._layout = self._layout, None
        looks, self._looks = self._looks, {}
        layoutManager = slicer.app.layoutManager()
        if layoutManager is None or layout is None:
            return
        for identifier, look in looks.items():
            view = slicer.mrmlScene.GetNodeByID(identifier)
            if view is not None:
                _give(view, look)
        if layoutManager.layout == slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpView:
            layoutManager.setLayout(layout)


def _look(view: Any) -> tuple:
    return (
        tuple(view.GetBackgroundColor()),
        tuple(view.GetBackgroundColor2()),
        bool(view.GetBoxVisible()),
        bool(view.GetAxisLabelsVisible()),
        view.GetAnimationMode(),
    )


def _give(view: Any, look: tuple) -> None:
    below, above, box, labels, animation = look
    view.SetBackgroundColor(*below)
    view.SetBackgroundColor2(*above)
    view.SetBoxVisible(box)
    view.SetAxisLabelsVisible(labels)
    view.SetAnimationMode(animation)
