"""A segmentation node of the organs, carried over to the PET's grid away from the GUI."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer  # slicer.util looks for qt
import vtk
from slicer.i18n import tr as _
from vtk.util.numpy_support import vtk_to_numpy

from PETAnomalyLib.engine.findings.organs import Locator, Organs, painted
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.background import Background, Work, WorkerThread
from PETAnomalyLib.panel.scene.findings_segmentation import LABELMAP, segmentIds
from PETAnomalyLib.panel.scene.volume_files import ijkToRas, physicalImage


class SceneOrgans:
    """The organs of the chosen node on the chosen PET's grid.

    `follow` may be called at any rate; `onChanged()` comes when `locator` or `problem` is another.

    Args:
        worker: where the work is done.
    """

    def __init__(self, worker: Background | None = None) -> None:
        self.onChanged: Callable[[], None] = lambda: None
        self.locator: Locator | None = None
        self.problem = ""
        self._worker = worker if worker is not None else WorkerThread()
        self._followed: tuple | None = None

    @property
    def isBusy(self) -> bool:
        """Still being carried over."""
        return self._worker.isBusy

    def mask(self, *names: str) -> np.ndarray | None:
        """Voxels (k, j, i) of the first organ that is called so; None without it."""
        return None if self.locator is None else self.locator.organs.mask(*names)

    def follow(self, node: Any, pet: Any) -> None:
        """Another segmentation, another PET, or other voxels in them; None for none."""
        key = _version(node, pet)
        if key == self._followed:
            return
        self._followed = key
        self._worker.stop()
        self.locator, self.problem = None, ""
        if key is None:
            self.onChanged()
            return
        try:
            layers = _layers(node)
        except InputError as error:
            self._onFailed(error)
            return
        matrix, shape = ijkToRas(pet), slicer.util.arrayFromVolume(pet).shape
        self._worker.start(
            lambda work: _carriedOver(layers, matrix, shape, work), self._onDone, self._onFailed
        )
        self.onChanged()

    def stop(self) -> None:
        """End what is under way."""
        self._worker.stop()
        self._followed = None
        self.locator, self.problem = None, ""

    def _onDone(self, locator: Locator) -> None:
        self.locator = locator
        self.onChanged()

    def _onFailed(self, error: Exception) -> None:
        self.problem = error.message if isinstance(error, InputError) else str(error)
        self.onChanged()


class _Layer:
    """A labelmap that segments share: its voxels (k, j, i), where they lie, its organs' names."""

    def __init__(self, image: Any) -> None:
        extent = image.GetExtent()
        shape = tuple(extent[2 * axis + 1] - extent[2 * axis] + 1 for axis in (2, 1, 0))
        # It keeps the array alive: the worker may read on while the node goes.
        self.voxels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(shape)
        matrix = vtk.vtkMatrix4x4()
        image.GetImageToWorldMatrix(matrix)
        self.matrix = slicer.util.arrayFromVTKMatrix(matrix)
        self.matrix[:3, 3] = (self.matrix @ [extent[0], extent[2], extent[4], 1.0])[:3]
        self.names: dict[int, str] = {}


def _layers(node: Any) -> list[_Layer]:
    if node.GetParentTransformNode() is not None:
        raise InputError(_("The organs are under a transform: harden it."))
    segmentation = node.GetSegmentation()
    layers: dict[str, _Layer] = {}
    for identifier in segmentIds(node):
        segment = segmentation.GetSegment(identifier)
        image = segment.GetRepresentation(LABELMAP)
        if image is None or image.IsEmpty():
            continue
        address = image.GetAddressAsString("vtkObject")
        if address not in layers:
            layers[address] = _Layer(image)
        layers[address].names[segment.GetLabelValue()] = segment.GetName() or identifier
    if not layers:
        raise InputError(_("The organs have no voxels."))
    return list(layers.values())


def _carriedOver(
    layers: Sequence[_Layer], matrix: np.ndarray, shape: tuple[int, int, int], work: Work
) -> Locator:
    """Runs on a worker thread: each voxel of the PET has the organ at its centre."""
    grid = physicalImage(np.zeros(shape, np.uint8), matrix)
    masks = []
    for layer in layers:
        image = physicalImage(layer.voxels, layer.matrix)
        carried = sitk.GetArrayFromImage(
            sitk.Resample(image, grid, sitk.Transform(), sitk.sitkNearestNeighbor, 0)
        )
        for value, name in layer.names.items():
            work.check()
            masks.append((name, np.flatnonzero(carried == value)))
    if not any(len(voxels) for _name, voxels in masks):
        raise InputError(_("The organs lie nowhere on the PET."))
    organs: Organs = painted(shape, masks)
    return Locator(organs, grid.GetSpacing()[::-1])


def _version(node: Any, pet: Any) -> tuple | None:
    if node is None or pet is None or pet.GetImageData() is None:
        return None
    return (
        node.GetID(),
        node.GetSegmentation().GetMTime(),
        node.GetParentTransformNode() is not None,
        pet.GetID(),
        pet.GetImageData().GetDimensions(),
        ijkToRas(pet).tobytes(),
    )
