"""Small studies and results for the panel's tests: two hot spheres in a lukewarm body."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer  # slicer.util looks for qt
from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.panel.scene import findings_segmentation
from PETAnomalyLib.panel.scene.inputs import markAsSuv
from PETAnomalyLib.panel.scene.label_block import cutOut

SIZE = (40, 36, 50)  # i, j, k
SPACING = (4.0, 4.0, 5.0)
ORIGIN_LPS = (-80.0, -70.0, -900.0)
SPHERES = (((14, 18, 20), 3, 9.0), ((28, 16, 36), 2, 6.0))  # centre (i, j, k), radius, SUV


def petArray() -> np.ndarray:
    """(k, j, i) SUV: air 0, body about 1, spheres 9 and 6."""
    k, j, i = np.indices(SIZE[::-1])
    body = ((i - 19.5) / 17.0) ** 2 + ((j - 17.5) / 14.0) ** 2 < 1
    suv = np.where(body, 1.0 + 0.2 * np.sin(i * 0.9 + j * 0.7 + k * 0.5), 0.0)
    for (ci, cj, ck), radius, value in SPHERES:
        distance = np.sqrt((i - ci) ** 2 + (j - cj) ** 2 + (k - ck) ** 2)
        suv = np.where(distance <= radius, value - 0.2 * distance, suv)
    return suv.astype(np.float32)


def image(array: np.ndarray) -> sitk.Image:
    """On the study's grid."""
    picture = sitk.GetImageFromArray(array)
    picture.SetSpacing(SPACING)
    picture.SetOrigin(ORIGIN_LPS)
    return picture


def addVolume(name: str, array: np.ndarray) -> Any:
    """A scalar volume node on the study's grid."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    slicer.util.updateVolumeFromArray(node, array)
    matrix = np.diag([-SPACING[0], -SPACING[1], SPACING[2], 1.0])
    matrix[:3, 3] = (-ORIGIN_LPS[0], -ORIGIN_LPS[1], ORIGIN_LPS[2])
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    node.CreateDefaultDisplayNodes()
    return node


def addStudy() -> tuple[Any, Any]:
    """PET (marked as SUVbw) and CT nodes."""
    pet = addVolume("Müller PET 1", petArray())
    markAsSuv(pet)
    hounsfield = np.where(petArray() > 0, 40, -1000).astype(np.int16)
    return pet, addVolume("Müller CT 1", hounsfield)


def addHead(name: str = "Müller FLAIR 1") -> tuple[Any, Any]:
    """The nodes of an MR, the PET's voxels in no unit, and of the mask of its brain."""
    inside = (petArray() > 0).astype(np.uint8)
    inside[:6] = inside[-6:] = 0  # else more than any brain
    return addVolume(name, petArray()), addVolume("brain", inside)


def addSegmentation(pet: Any, labels: np.ndarray, findings: Sequence[Finding]) -> Any:
    """A segmentation node with these findings, drawn as a run's."""
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    node.CreateDefaultDisplayNodes()
    findings_segmentation.draw(node, pet, cutOut(labels), findings)
    return node


def waitUntil(condition: Callable[[], bool], seconds: float = 90.0) -> bool:
    """Let the event loop run until the condition holds; False when it does not in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        slicer.app.processEvents()
        if condition():
            return True
        time.sleep(0.005)
    return False
