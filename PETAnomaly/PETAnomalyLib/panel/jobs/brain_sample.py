"""The sample brain MR: a synthetic head with a known mass, made on this computer, in the contrast
that the chosen model is of. The true lesion comes along as a hidden segmentation.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import SimpleITK as sitk
from slicer.i18n import tr as _

from PETAnomalyLib.panel.background import Work
from PETAnomalyLib.panel.jobs.sample import addTruth
from PETAnomalyLib.panel.jobs.task import Job
from PETAnomalyLib.panel.parameters import Parameters
from PETAnomalyLib.panel.scene.slice_views import showLayers
from PETAnomalyLib.panel.scene.volume_nodes import addVolume
from PETAnomalyLib.panel.scene.windows import showInput

BRAIN_SEED = 2_000_036  # no model was trained on such a seed
VOXEL_MM = 2  # seconds to make; the models see no finer voxels
BRAIN_SAMPLE_NAME = "PETAnomaly sample head"


def brainSampleJob(parameters: Parameters, contrast: str) -> Job:
    """Make the head with the engine's `phantom` command, load it and choose it.

    Args:
        parameters: of the study.
        contrast: `T1w`, `T2w` or `FLAIR`.
    """

    def prepare(folder: Path, _work: Work) -> list[str]:
        arguments = ["phantom", "--kind", "brain", "--out", str(folder / "sample"), "--count", "1"]
        arguments += ["--seed", str(BRAIN_SEED), "--voxel", str(VOXEL_MM)]
        return [*arguments, "--contrast", contrast, "--disease", "mass", "--events"]

    def collect(folder: Path, work: Work) -> dict[str, sitk.Image]:
        head = next((folder / "sample").rglob("MASK.nii.gz")).parent
        images = {}
        for name in (contrast, "MASK", "SEG"):
            images[name] = sitk.ReadImage(str(head / f"{name}.nii.gz"))
            work.check()
        return images

    def place(images: dict[str, sitk.Image]) -> Iterator[str]:
        yield _("MR")
        mr = addVolume(images[contrast], f"{contrast}, {BRAIN_SAMPLE_NAME}", None)
        yield _("mask of the brain")
        mask = addVolume(images["MASK"], f"Brain mask, {BRAIN_SAMPLE_NAME}", mr)
        yield _("lesion")
        addTruth(images["SEG"], mr, BRAIN_SAMPLE_NAME)
        yield _("views")
        parameters.mr = mr
        parameters.brainMask = mask
        showInput(parameters)
        showLayers(parameters, fit=True)

    return Job(prepare, collect, place, _("Making the sample head"), _("Loading the sample head"))
