"""The sample study: a synthetic whole-body PET/CT with known lesions, made on this computer.

Offered by the panel's own button (in the background) and by Slicer's Sample Data module
(`sample_source.py`). The true lesions come along as a hidden segmentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.background import Work
from PETAnomalyLib.panel.jobs.sample_source import SAMPLE_NAME
from PETAnomalyLib.panel.jobs.task import Job
from PETAnomalyLib.panel.parameters import Parameters
from PETAnomalyLib.panel.scene.inputs import markAsSuv
from PETAnomalyLib.panel.scene.slice_views import showLayers
from PETAnomalyLib.panel.scene.volume_nodes import addVolume, putBeside
from PETAnomalyLib.panel.scene.windows import showInput

SAMPLE_SEED = 2_000_049  # the patient of `make demo`; no model was trained on such a seed
LESION_COLOUR = (0.2, 0.9, 0.3)


def sampleJob(parameters: Parameters) -> Job:
    """Make the study with the engine's `phantom` command, load it and choose it."""

    def prepare(folder: Path, _work: Work) -> list[str]:
        out = str(folder / "sample")
        return ["phantom", "--out", out, "--count", "1", "--seed", str(SAMPLE_SEED), "--events"]

    def collect(folder: Path, work: Work) -> dict[str, sitk.Image]:
        study = next((folder / "sample").rglob("SUV.nii.gz")).parent
        images = {}
        for name in ("SUV", "CTres", "SEG"):
            images[name] = sitk.ReadImage(str(study / f"{name}.nii.gz"))
            work.check()
        return images

    def place(images: dict[str, sitk.Image]) -> Iterator[str]:
        yield _("PET")
        pet = addPet(images["SUV"], autoWindow=False)
        yield _("CT")
        ct = addVolume(images["CTres"], f"CT, {SAMPLE_NAME}", pet, autoWindow=False)
        yield _("lesions")
        addTruth(images["SEG"], pet)
        yield _("views")
        parameters.pet = pet
        parameters.ct = ct
        showInput(parameters)
        showLayers(parameters, fit=True)

    return Job(prepare, collect, place, _("Making the sample study"), _("Loading the sample study"))


def addPet(image: sitk.Image, autoWindow: bool = True) -> Any:
    """The sample's PET node, marked as SUVbw; `autoWindow` as of `addVolume`."""
    node = addVolume(image, f"PET, {SAMPLE_NAME}", None, autoWindow=autoWindow)
    markAsSuv(node)
    return node


def addTruth(lesions: sitk.Image, pet: Any, name: str = SAMPLE_NAME) -> Any:
    """The lesions that the phantom was made with, as a hidden segmentation.

    Args:
        lesions: not 0 where they are.
        pet: the node of the PET, or MR, that they are in.
        name: of the sample.
    """
    node = slicer.mrmlScene.AddNewNodeByClass(
        "vtkMRMLSegmentationNode",
        slicer.mrmlScene.GenerateUniqueName(f"True lesions, {name}"),
    )
    node.CreateDefaultDisplayNodes()
    node.SetReferenceImageGeometryParameterFromVolumeNode(pet)
    labels = sitk.GetArrayViewFromImage(lesions)
    drawLesions(node, pet, labels)
    node.GetDisplayNode().SetVisibility(False)
    putBeside(node, pet)
    return node


def drawLesions(node: Any, pet: Any, labels: np.ndarray) -> None:
    """One segment, `True lesions`."""
    node.GetSegmentation().AddEmptySegment("True_lesions", "True lesions", LESION_COLOUR)
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        (labels > 0).astype(np.uint8), node, "True_lesions", pet
    )


def makeNow() -> list:
    """Make and load the study in this process, for the Sample Data module, which has to wait."""
    from PETAnomalyLib.engine.phantom import generate

    with slicer.util.WaitCursor():
        study = generate(SAMPLE_SEED)
        pet = addPet(study.suv)
        ct = addVolume(study.ct, f"CT, {SAMPLE_NAME}", pet)
        truth = addTruth(study.lesions, pet)
    slicer.util.setSliceViewerLayers(background=ct, foreground=pet, foregroundOpacity=0.5, fit=True)
    return [pet, ct, truth]
