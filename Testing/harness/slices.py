"""Slice views as pictures, without a window or OpenGL: what slicer-core's own slice logic blends,
and the segments' outlines on top, and the colour legends.

The layers (background, foreground with its opacity, label), windows, colour tables and the slice's
place all come from the scene's nodes through vtkMRMLSliceLogic: what is seen is what the panel set
up. Segments are drawn as Slicer's 2-D displayable manager draws them, from the segmentation's
display node: visibility, outline or fill, opacity and each segment's colour.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import slicer
import vtk
from scipy import ndimage
from vtk.util.numpy_support import vtk_to_numpy

from harness.colour_legends import drawLegends

BACKGROUND = 0  # black, as Slicer's slice views are
OUTLINE_PIXELS = 2


def sliceImage(viewName: str) -> np.ndarray:
    """One slice view of the application as it is now.

    Returns:
        (height, width, 3) uint8, first row on top.
    """
    logic = slicer.app.layoutManager().sliceWidget(viewName).sliceLogic()
    image = blendedLayers(logic)
    sliceNode = logic.GetSliceNode()
    for segmentation in slicer.util.getNodesByClass("vtkMRMLSegmentationNode"):
        drawSegments(image, sliceNode, segmentation)
    upright = np.ascontiguousarray(image[::-1])  # VTK's first row is at the bottom
    return drawLegends(upright, logic)


def blendedLayers(logic: Any) -> np.ndarray:
    """The slice logic's blended layers on black: (height, width, 3) uint8, bottom row first."""
    width, height, _depth = logic.GetSliceNode().GetDimensions()
    connection = logic.GetImageDataConnection()
    if connection is None:
        return np.full((height, width, 3), BACKGROUND, np.uint8)
    connection.GetProducer().Update()
    blended = connection.GetProducer().GetOutputDataObject(connection.GetIndex())
    columns, rows, _slices = blended.GetDimensions()
    pixels = vtk_to_numpy(blended.GetPointData().GetScalars()).reshape(rows, columns, -1)
    if pixels.shape[2] < 4:
        return pixels[..., :3].copy()
    alpha = pixels[..., 3:].astype(float) / 255.0
    return (pixels[..., :3] * alpha + BACKGROUND * (1.0 - alpha)).astype(np.uint8)


def drawSegments(image: np.ndarray, sliceNode: Any, segmentation: Any) -> None:
    """Draw the visible segments of a segmentation into an image of `blendedLayers`, in place."""
    display = segmentation.GetDisplayNode()
    if display is None or not display.GetVisibility() or not display.GetVisibility2D():
        return
    segmentIDs = vtk.vtkStringArray()
    display.GetVisibleSegmentIDs(segmentIDs)
    for index in range(segmentIDs.GetNumberOfValues()):
        segmentID = segmentIDs.GetValue(index)
        inside = segmentInSlice(image.shape[:2], sliceNode, segmentation, segmentID)
        if not inside.any():
            continue
        colour = np.array(segmentation.GetSegmentation().GetSegment(segmentID).GetColor()) * 255.0
        border = inside & ~ndimage.binary_erosion(inside, iterations=OUTLINE_PIXELS)
        for drawn, visible, opacity in (
            (
                inside,
                display.GetVisibility2DFill() and display.GetSegmentVisibility2DFill(segmentID),
                display.GetOpacity2DFill() * display.GetSegmentOpacity2DFill(segmentID),
            ),
            (
                border,
                display.GetVisibility2DOutline()
                and display.GetSegmentVisibility2DOutline(segmentID),
                display.GetOpacity2DOutline() * display.GetSegmentOpacity2DOutline(segmentID),
            ),
        ):
            if visible:
                share = opacity * display.GetOpacity()
                image[drawn] = (image[drawn] * (1.0 - share) + colour * share).astype(np.uint8)


def segmentInSlice(
    shape: tuple[int, int], sliceNode: Any, segmentation: Any, segmentID: str
) -> np.ndarray:
    """Where a segment is cut by a slice: (height, width) bool, first row at the bottom; nearest
    neighbour.
    """
    segment = segmentation.GetSegmentation().GetSegment(segmentID)
    labelmap = segment.GetRepresentation("Binary labelmap")
    inside = np.zeros(shape, bool)
    if labelmap is None or labelmap.GetPointData().GetScalars() is None:
        return inside
    columns, rows, slices = labelmap.GetDimensions()
    voxels = vtk_to_numpy(labelmap.GetPointData().GetScalars()).reshape(slices, rows, columns)
    imageToWorld = vtk.vtkMatrix4x4()
    labelmap.GetImageToWorldMatrix(imageToWorld)
    toVoxel = np.linalg.inv(slicer.util.arrayFromVTKMatrix(imageToWorld))
    toVoxel = toVoxel @ slicer.util.arrayFromVTKMatrix(sliceNode.GetXYToRAS())
    y, x = np.indices(shape)
    pixels = np.stack([x.ravel(), y.ravel(), np.zeros(x.size), np.ones(x.size)])
    first = np.array(labelmap.GetExtent()[::2])[:, None]
    i, j, k = np.rint((toVoxel @ pixels)[:3]).astype(int) - first
    there = (i >= 0) & (i < columns) & (j >= 0) & (j < rows) & (k >= 0) & (k < slices)
    hit = np.zeros(x.size, bool)
    hit[there] = voxels[k[there], j[there], i[there]] == segment.GetLabelValue()
    return hit.reshape(shape)
