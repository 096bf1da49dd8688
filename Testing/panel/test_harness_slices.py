"""What the bench draws of a slice view is what the scene's nodes say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
from harness.slices import sliceImage

SHAPE = (40, 50, 60)  # k, j, i
SPACING = (3.0, 3.0, 4.0)
CUBE = (slice(10, 20), slice(10, 20), slice(10, 40))


@pytest.fixture
def volumes(scene: Any) -> tuple[Any, Any]:
    """A background with a bright block (window 0 to 100) and an even foreground (grey 127)."""
    assert scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 0
    matrix = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])
    matrix[:3, 3] = (90.0, 75.0, -80.0)
    voxels = np.zeros(SHAPE, np.float32)
    voxels[CUBE] = 100.0
    background = slicer.util.addVolumeFromArray(voxels, ijkToRAS=matrix, name="CT")
    even = np.full(SHAPE, 5.0, np.float32)
    foreground = slicer.util.addVolumeFromArray(even, ijkToRAS=matrix, name="PET")
    for node, window in ((background, 100.0), (foreground, 10.0)):
        node.GetDisplayNode().SetAutoWindowLevel(False)
        node.GetDisplayNode().SetWindowLevel(window, window / 2)
    return background, foreground


def show(background: Any, foreground: Any, opacity: float, voxel: tuple[int, int, int]) -> None:
    """Both layers in all views, all views at a voxel (i, j, k)."""
    slicer.util.setSliceViewerLayers(
        background=background, foreground=foreground, foregroundOpacity=opacity, fit=True
    )
    matrix = slicer.util.vtkMatrixFromArray(np.eye(4))
    background.GetIJKToRASMatrix(matrix)
    ras = matrix.MultiplyPoint([*voxel, 1.0])[:3]
    for name in ("Red", "Green", "Yellow"):
        sliceNode = slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode()
        sliceNode.JumpSliceByCentering(*ras)


@pytest.mark.parametrize("name", ["Red", "Green", "Yellow"])
def test_the_layers_are_blended_by_the_foregrounds_opacity(
    volumes: tuple[Any, Any], name: str
) -> None:
    show(*volumes, opacity=0.25, voxel=(25, 15, 15))
    height, width, _colours = sliceImage(name).shape
    inside = sliceImage(name)[height // 2, width // 2]
    assert np.allclose(inside, 0.75 * 255 + 0.25 * 127, atol=2)
    show(*volumes, opacity=0.25, voxel=(25, 35, 30))
    outside = sliceImage(name)[height // 2, width // 2]
    assert np.allclose(outside, 0.25 * 127, atol=2)


def test_the_three_views_look_along_three_axes(volumes: tuple[Any, Any]) -> None:
    show(*volumes, opacity=0.0, voxel=(25, 15, 15))
    extents = {}
    for name in ("Red", "Green", "Yellow"):
        sliceNode = slicer.app.layoutManager().sliceWidget(name).mrmlSliceNode()
        bright = np.argwhere(sliceImage(name)[..., 0] > 127)
        pixel = sliceNode.GetFieldOfView()[0] / sliceNode.GetDimensions()[0]
        extents[name] = (np.ptp(bright, axis=0) + 1) * pixel  # mm down, mm across
    assert np.allclose(extents["Red"], (30, 90), atol=4)  # j, i
    assert np.allclose(extents["Green"], (40, 90), atol=4)  # k, i
    assert np.allclose(extents["Yellow"], (40, 30), atol=4)  # k, j


def test_a_segments_outline_runs_around_the_block_it_was_made_from(
    volumes: tuple[Any, Any],
) -> None:
    background, foreground = volumes
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(background)
    segment = node.GetSegmentation().AddEmptySegment("lesion", "lesion", (1.0, 0.0, 0.0))
    mask = np.zeros(SHAPE, np.uint8)
    mask[CUBE] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, node, segment, background)
    node.GetDisplayNode().SetVisibility2DFill(False)
    show(background, foreground, 0.0, voxel=(25, 15, 15))
    image = sliceImage("Red").astype(int)
    red = (image[..., 0] > 200) & (image[..., 1] < 50)
    bright = image[..., 1] > 127
    rows, columns = np.nonzero(red | bright)
    top, bottom, left, right = rows.min(), rows.max(), columns.min(), columns.max()
    middle = (top + bottom) // 2, (left + right) // 2
    assert red[middle[0], left + 1]
    assert red[middle[0], right - 1]
    assert red[top + 1, middle[1]]
    assert red[bottom - 1, middle[1]]
    assert not red[middle]  # an outline, not a fill
    node.GetDisplayNode().SetSegmentVisibility(segment, False)
    hidden = sliceImage("Red").astype(int)
    assert not ((hidden[..., 0] > 200) & (hidden[..., 1] < 50)).any()
