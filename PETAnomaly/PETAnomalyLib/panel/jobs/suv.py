"""A PET in Bq/ml made SUVbw from its own DICOM files, as an errand for the engine."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import SimpleITK as sitk
from slicer.i18n import tr as _

from PETAnomalyLib.panel.background import Work
from PETAnomalyLib.panel.jobs.dicom_files import linkOrCopy
from PETAnomalyLib.panel.jobs.task import Job
from PETAnomalyLib.panel.parameters import Parameters, live
from PETAnomalyLib.panel.scene.inputs import keepDicomSource, markAsSuv
from PETAnomalyLib.panel.scene.volume_nodes import addVolume


def suvJob(parameters: Parameters, files: Sequence[Path]) -> Job:
    """Convert the chosen PET; the new volume becomes the chosen one.

    Args:
        parameters: of the study.
        files: the PET's DICOM files (`inputs.dicomFiles`).
    """
    original = parameters.pet
    name = original.GetName()

    def prepare(folder: Path, work: Work) -> list[str]:
        series = folder / "dicom"
        series.mkdir()
        for number, file in enumerate(files):
            work.check()
            linkOrCopy(file, series / f"{number:05d}.dcm")
        return ["suv", str(series), "--out", str(folder / "suv.nii.gz"), "--events"]

    def collect(folder: Path, _work: Work) -> sitk.Image:
        return sitk.ReadImage(str(folder / "suv.nii.gz"))

    def place(image: sitk.Image) -> Iterator[str]:
        yield _("SUV volume")
        node = addVolume(image, f"SUVbw, {name}", live(original))
        markAsSuv(node)
        if live(original) is not None:
            keepDicomSource(node, original)
        parameters.pet = node

    return Job(
        prepare, collect, place, _("Collecting the DICOM files"), _("Loading the SUV volume")
    )
