"""Findings as a segmentation node: draw them, and read back what became of them by hand.

All findings share one labelmap (they never overlap when the engine drew them), cropped to what it
holds; the reference geometry is the PET's. The Segment Editor may put segments on layers of their
own: reading goes segment by segment.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt
import vtk
from scipy import ndimage
from vtk.util.numpy_support import vtk_to_numpy

from PETAnomalyLib.engine.findings.measures import PEAK_RADIUS_MM, Finding, FindingRow
from PETAnomalyLib.engine.findings.segmentation import TERMINOLOGY, colour, segment_id, segment_name
from PETAnomalyLib.panel.scene.finding_kinds import measureFindings
from PETAnomalyLib.panel.scene.finding_tags import setNumber
from PETAnomalyLib.panel.scene.label_block import LabelBlock, shared
from PETAnomalyLib.panel.scene.volume_files import ijkToRas, physicalImage

LABELMAP = "Binary labelmap"
SAME_GRID = 1e-2  # voxels
SAME_PLACE_MM = 0.0137  # a step of no scanner's grid: a matrix read from a file rounds as before
DRAWN_ATTRIBUTE = "PETAnomaly.Drawn"


def draw(node: Any, pet: Any, block: LabelBlock, findings: Sequence[FindingRow]) -> None:
    """Replace the node's segments by these findings.

    Args:
        node: vtkMRMLSegmentationNode.
        pet: the PET's node; its grid is that of the labels and the reference geometry.
        block: the labels, cut out of the PET's grid.
        findings: what the labels are called.
    """
    segmentation = node.GetSegmentation()
    with slicer.util.NodeModify(node):
        for identifier in segmentIds(node):
            # Removing a segment copies the labelmap that it shares with others: unshare it first.
            segmentation.GetSegment(identifier).RemoveAllRepresentations()
        segmentation.RemoveAllSegments()
        node.SetReferenceImageGeometryParameterFromVolumeNode(pet)
        highest = max((finding.number for finding in findings), default=0)
        image = orientedImage(block, ijkToRas(pet), highest)
        for finding in findings:
            _addSegment(node, finding.number, segment_name(finding), image)
    present = fingerprints(node)
    setDrawn(node, {f.number: present.get(segment_id(f.number), "") for f in findings})


def addSegment(
    node: Any, number: int, name: str, pet: Any, mask: np.ndarray, start: tuple[int, int, int]
) -> str:
    """A segment of its own for one more finding; its identifier.

    Args:
        node: vtkMRMLSegmentationNode.
        number: the finding's.
        name: the segment's.
        pet: the PET's node.
        mask: (k, j, i), where it is.
        start: the mask's first index on the PET's grid.
    """
    _addSegment(node, number, name, _maskImage(pet, mask, start, number))
    return segment_id(number)


def putVoxels(
    node: Any, identifier: str, pet: Any, mask: np.ndarray, start: tuple[int, int, int]
) -> None:
    """Replace a segment's voxels; arguments as of `addSegment`. Other segments keep theirs."""
    segment = node.GetSegmentation().GetSegment(identifier)
    image = _maskImage(pet, mask, start, segment.GetLabelValue())
    segment.AddRepresentation(LABELMAP, image)


def ownImage(node: Any, identifier: str) -> Any:
    """A segment's voxels alone, label 1, in a box of their own with air round it; None without
    voxels.
    """
    part = _parts(node, [identifier]).get(identifier)
    if part is None:
        return None
    k, j, i = part.start
    block = LabelBlock(np.pad(part.mask, 1).astype(np.uint8), (k - 1, j - 1, i - 1))
    return orientedImage(block, part.matrix, 1)


def _maskImage(pet: Any, mask: np.ndarray, start: tuple[int, int, int], label: int) -> Any:
    voxels = np.where(mask, label, 0).astype(np.uint16)
    return orientedImage(LabelBlock(voxels, start), ijkToRas(pet), label)


def _addSegment(node: Any, number: int, name: str, image: Any) -> None:
    segment = slicer.vtkSegment()
    segment.SetName(name)
    segment.SetColor(*(part / 255.0 for part in colour(number)))
    segment.SetTag(slicer.vtkSegment.GetTerminologyEntryTagName(), TERMINOLOGY)
    setNumber(segment, number)
    segment.SetLabelValue(number)
    segment.AddRepresentation(LABELMAP, image)
    node.GetSegmentation().AddSegment(segment, segment_id(number))


def setDrawn(node: Any, drawn: dict[int, str]) -> None:
    """Keep the fingerprint of each finding, by its number, as the software drew it."""
    node.SetAttribute(DRAWN_ATTRIBUTE, json.dumps(drawn))


def asDrawn(node: Any) -> dict[int, str] | None:
    """The fingerprint of each finding, by its number, as the software drew it; None when not said
    (a scene saved by an earlier version).
    """
    text = node.GetAttribute(DRAWN_ATTRIBUTE)
    if text is None:
        return None
    try:
        return {int(number): str(print_) for number, print_ in json.loads(text).items()}
    except (ValueError, AttributeError):
        return None  # somebody else's words


def rename(node: Any, identifier: str, finding: FindingRow) -> None:
    """Let a segment's name tell the finding's present SUVmax, or volume; one of the user's own
    stays.
    """
    segment = node.GetSegmentation().GetSegment(identifier)
    if segment is not None and (segment.GetName() or "").startswith("Finding "):
        segment.SetName(segment_name(finding))


def colourOf(node: Any, identifier: str) -> tuple[int, int, int]:
    """Red, green, blue (0..255) of a segment in the views; white for one that is not there."""
    segment = node.GetSegmentation().GetSegment(identifier) if node is not None else None
    red, green, blue = segment.GetColor() if segment is not None else (1.0, 1.0, 1.0)
    return round(255 * red), round(255 * green), round(255 * blue)


def segmentIds(node: Any) -> list[str]:
    """The segments' identifiers in their order."""
    segmentation = node.GetSegmentation()
    return [segmentation.GetNthSegmentID(i) for i in range(segmentation.GetNumberOfSegments())]


def fingerprints(node: Any) -> dict[str, str]:
    """For each segment that has voxels what tells these voxels, and their place, from any others;
    the same after the scene was saved and loaded.
    """
    return {
        identifier: _fingerprint(part)
        for identifier, part in _parts(node, segmentIds(node)).items()
    }


def _fingerprint(part: _Part) -> str:
    place = np.rint(np.append(part.matrix[:3].ravel(), part.start) / SAME_PLACE_MM)
    told = hashlib.blake2b(np.packbits(part.mask).tobytes(), digest_size=8)
    told.update(repr((part.mask.shape, place.astype(int).tolist())).encode())
    return told.hexdigest()


def measureSegment(
    node: Any,
    identifier: str,
    number: int,
    image: Any,
    score: Any,
    mask: Any = None,
    kind: type = Finding,
) -> Any:
    """Measure one segment on the voxels of the PET, or MR, and the map's, as the engine does.

    Args:
        node: vtkMRMLSegmentationNode.
        identifier: of the segment.
        number: the finding's number.
        image, score: scalar volume nodes on one grid; without a map its score is 0.
        mask: the scored mask's node on that grid, or None.
        kind: of finding.

    Returns:
        A finding of that kind; None when the segment is empty.
    """
    part = partOnGrid(node, identifier, image)
    if part is None:
        return None
    inside, start = part
    shape = slicer.util.arrayFromVolume(image).shape
    spacing = np.array(image.GetSpacing()[::-1])
    margin = np.ceil(PEAK_RADIUS_MM / spacing).astype(int) + 1
    low = np.maximum(np.array(start) - margin, 0)
    high = np.minimum(np.array(start) + inside.shape + margin, shape)
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high))
    labels = np.zeros([part.stop - part.start for part in box], np.uint8)
    inner = tuple(
        slice(s - part.start, s - part.start + n) for s, part, n in zip(start, box, inside.shape)
    )
    labels[inner] = inside
    matrix = ijkToRas(image)
    matrix[:3, 3] = (matrix @ [box[2].start, box[1].start, box[0].start, 1.0])[:3]

    def cut(volume: Any, kind: type) -> Any:
        voxels = slicer.util.arrayFromVolume(volume)[box].astype(kind)
        return physicalImage(voxels, matrix)

    found = measureFindings(
        kind,
        physicalImage(labels, matrix),
        cut(image, np.float32),
        cut(score, np.float32) if score is not None else physicalImage(0.0 * labels, matrix),
        scored=cut(mask, np.uint8) if mask is not None else None,
    )
    return replace(found[0], number=number) if found else None


def orientedImage(block: LabelBlock, matrix: np.ndarray, highest: int) -> Any:
    """A labelmap as segments keep it.

    Args:
        block: the labels, cut out of a grid.
        matrix: (4, 4), that grid's IJK to RAS.
        highest: of the labels.
    """
    depth, rows, columns = block.voxels.shape
    k, j, i = block.start
    image = slicer.vtkOrientedImageData()
    image.SetExtent(i, i + columns - 1, j, j + rows - 1, k, k + depth - 1)
    small = highest <= np.iinfo(np.uint8).max
    image.AllocateScalars(vtk.VTK_UNSIGNED_CHAR if small else vtk.VTK_UNSIGNED_SHORT, 1)
    vtk_to_numpy(image.GetPointData().GetScalars())[:] = block.voxels.reshape(-1)
    image.SetImageToWorldMatrix(slicer.util.vtkMatrixFromArray(matrix))
    return image


@dataclass(frozen=True)
class _Part:
    """A segment's voxels: bool (k, j, i), the first index on its labelmap's grid, that grid."""

    mask: np.ndarray
    start: tuple[int, int, int]
    matrix: np.ndarray


def _parts(node: Any, identifiers: Sequence[str]) -> dict[str, _Part]:
    """The segments that have voxels. Each labelmap is walked once, however many share it."""
    segmentation = node.GetSegmentation()
    boxes: dict[int, tuple] = {}
    parts = {}
    for identifier in identifiers:
        segment = segmentation.GetSegment(identifier)
        image = segment.GetRepresentation(LABELMAP)
        if image is None or image.IsEmpty():
            continue
        if id(image) not in boxes:
            boxes[id(image)] = (image, *_boxes(image))
        _image, voxels, first, matrix, found = boxes[id(image)]
        value = segment.GetLabelValue()
        box = found[value - 1] if 0 < value <= len(found) else None
        if box is None:
            continue
        start = tuple(piece.start + offset for piece, offset in zip(box, first))
        parts[identifier] = _Part(voxels[box] == value, start, matrix)
    return parts


def _boxes(image: Any) -> Any:
    """Voxels (k, j, i), first index (k, j, i), matrix, and a bounding box for each label."""
    extent = image.GetExtent()
    shape = tuple(extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in (2, 1, 0))
    voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    first = (extent[4], extent[2], extent[0])
    return voxels, first, slicer.util.arrayFromVTKMatrix(matrix), _walk(image, voxels)


# The labelmaps that were walked last, by address and time of their last change: a whole body's
# takes a tenth of a second, and several look at the same one in turn.
_walked: dict[tuple[str, int], list] = {}
MOST_WALKED = 64


def _walk(image: Any, voxels: np.ndarray) -> list:
    """A bounding box for each label, None for one without voxels."""
    key = (image.GetAddressAsString("vtkObject"), image.GetMTime())
    if key not in _walked:
        if len(_walked) >= MOST_WALKED:
            _walked.clear()
        _walked[key] = ndimage.find_objects(voxels)
    return _walked[key]


def partOnGrid(node: Any, identifier: str, pet: Any) -> Any:
    """A segment's mask and first index (k, j, i) on the PET's grid; None when it is empty."""
    part = _parts(node, [identifier]).get(identifier)
    if part is None:
        return None
    shift = _shift(part.matrix, ijkToRas(pet))
    if shift is not None:
        start = tuple(s + d for s, d in zip(part.start, shift))
        return _insideGrid(part.mask, start, pet)
    # Painted on another grid (the user chose another geometry): resampled by Slicer.
    voxels = slicer.util.arrayFromSegmentBinaryLabelmap(node, identifier, pet) != 0
    return _insideGrid(voxels, (0, 0, 0), pet)


def _shift(matrix: np.ndarray, gridMatrix: np.ndarray) -> Any:
    """Whole voxels (k, j, i) between two grids; None when they differ by more than a shift."""
    steps = np.linalg.inv(gridMatrix) @ matrix
    whole = np.round(steps[:3, 3])
    sameAxes = np.allclose(steps[:3, :3], np.eye(3), atol=SAME_GRID)
    if not sameAxes or not np.allclose(steps[:3, 3], whole, atol=SAME_GRID):
        return None
    return tuple(int(value) for value in reversed(whole))


def _insideGrid(mask: np.ndarray, start: tuple, pet: Any) -> Any:
    """Cut off what was painted outside the PET."""
    common = shared(start, mask.shape, (0, 0, 0), slicer.util.arrayFromVolume(pet).shape)
    if common is None:
        return None
    own, onGrid = common
    inside = mask[own]
    return (inside, tuple(piece.start for piece in onGrid)) if inside.any() else None
