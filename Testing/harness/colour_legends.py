"""Colour legends in the slice views, as Slicer draws them.

Which are seen, where, with which colours and numbers: Slicer,
Modules/Loadable/Colors/MRMLDM/vtkMRMLColorLegendDisplayableManager.cxx. Only vertical ones with
numbers are drawn, in letters of Qt's.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter

BAR_RATIO = 0.2  # of a legend's width
LINE = 14  # pixels


def shownLegends(sliceLogic: Any) -> list[Any]:
    """The legends that a slice view shows: visible there, of a volume that is in a layer of it."""
    composite, view = sliceLogic.GetSliceCompositeNode(), sliceLogic.GetSliceNode().GetID()
    layers = {
        composite.GetBackgroundVolumeID(),
        composite.GetForegroundVolumeID(),
        composite.GetLabelVolumeID(),
    }
    return [
        legend
        for legend in slicer.util.getNodesByClass("vtkMRMLColorLegendDisplayNode")
        if legend.GetVisibility(view)
        and legend.GetPrimaryDisplayNode() is not None
        and legend.GetPrimaryDisplayNode().GetDisplayableNode().GetID() in layers
    ]


def drawLegends(image: np.ndarray, sliceLogic: Any) -> np.ndarray:
    """The image (height, width, 3; first row on top) with the view's legends."""
    legends = shownLegends(sliceLogic)
    if not legends:
        return image
    image = np.ascontiguousarray(image)
    height, width, _colours = image.shape
    picture = QImage(image.data, width, height, 3 * width, QImage.Format.Format_RGB888).copy()
    painter = QPainter(picture)
    for legend in legends:
        _draw(painter, legend, width, height)
    painter.end()
    bits = np.frombuffer(picture.constBits(), np.uint8).reshape(height, picture.bytesPerLine())
    return bits[:, : 3 * width].reshape(height, width, 3).copy()


def _draw(painter: QPainter, legend: Any, width: int, height: int) -> None:
    size, position = legend.GetSize(), legend.GetPosition()
    left = position[0] * (1 - size[0]) * width
    bottom = height - position[1] * (1 - size[1]) * height
    top = bottom - size[1] * height + LINE  # the title is above
    bar = BAR_RATIO * size[0] * width
    onTheLeft = position[0] < 0.5  # text stands on the inner side
    start = left if onTheLeft else left + size[0] * width - bar
    display = legend.GetPrimaryDisplayNode()
    low = display.GetLevel() - display.GetWindow() / 2
    colours = display.GetColorNode().CreateLookupTableCopy()
    colours.SetTableRange(0.0, 1.0)
    for row in range(round(top), round(bottom)):
        share = (bottom - row) / (bottom - top)
        colour = [0.0, 0.0, 0.0]
        colours.GetColor(min(max(share, 0.0), 1.0), colour)
        painter.setPen(QColor.fromRgbF(*colour))
        painter.drawLine(round(start), row, round(start + bar), row)
    side = Qt.AlignmentFlag.AlignLeft if onTheLeft else Qt.AlignmentFlag.AlignRight
    edge = round(left + bar + 2) if onTheLeft else round(start - 2 - width)
    for index in range(legend.GetNumberOfLabels()):
        share = index / (legend.GetNumberOfLabels() - 1)
        text = legend.GetLabelFormat() % (low + share * display.GetWindow())
        line = round(bottom - share * (bottom - top) - LINE / 2)
        _write(painter, legend.GetLabelTextProperty(), QRect(edge, line, width, LINE), side, text)
    edge = round(left) if onTheLeft else round(left + size[0] * width - width)
    place = QRect(edge, round(top - 2 * LINE), width, LINE)
    _write(painter, legend.GetTitleTextProperty(), place, side, legend.GetTitleText())


def _write(painter: QPainter, look: Any, place: QRect, side: Qt.AlignmentFlag, text: str) -> None:
    flags = side | Qt.AlignmentFlag.AlignVCenter
    ground = QColor.fromRgbF(*look.GetBackgroundColor())
    ground.setAlphaF(look.GetBackgroundOpacity())
    painter.fillRect(painter.boundingRect(place, flags, text), ground)
    painter.setPen(QColor.fromRgbF(*look.GetColor()))
    painter.drawText(place, flags, text)
