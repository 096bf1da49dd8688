"""Export DICOM as an errand for the engine: findings as they stand out, DICOM objects in.

The engine's `dicom` command measures them anew on the PET's own DICOM files: what it writes is what
these files say, and a PET that is another one is refused.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import SimpleITK as sitk
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.engine.findings.segmentation import write_segmentation
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.background import Work
from PETAnomalyLib.panel.jobs.dicom_files import linkOrCopy
from PETAnomalyLib.panel.jobs.task import Job
from PETAnomalyLib.panel.parameters import Parameters, findingsSegmentation, live, scoreMap
from PETAnomalyLib.panel.scene import findings_table_node
from PETAnomalyLib.panel.scene.findings_segmentation import partOnGrid
from PETAnomalyLib.panel.scene.findings_table_node import Row
from PETAnomalyLib.panel.scene.run_record import detectorOf
from PETAnomalyLib.panel.scene.volume_files import VolumeSnapshot, physicalImage

OBJECTS = ("findings.seg.dcm", "findings.sr.dcm")


@dataclass(frozen=True)
class _Part:
    """A finding and its voxels: bool (k, j, i), the first index on the PET's grid."""

    finding: Finding
    mask: np.ndarray
    start: tuple[int, int, int]


def dicomJob(
    parameters: Parameters,
    rows: Sequence[Row],
    drawnWith: dict[str, Any],
    series: Path | Sequence[Path],
    destination: Path,
    offer: Callable[[Path], None],
) -> Job:
    """The findings of this moment as DICOM objects.

    Args:
        parameters: of the study.
        rows: the findings, with what was said of them.
        drawnWith: the settings that they are drawn with, by the names of report.json.
        series: the PET's DICOM files, or a folder that holds them.
        destination: folder for `findings.seg.dcm` and `findings.sr.dcm`; earlier ones are replaced.
        offer: called with a folder that holds the objects alone, and goes when it returns.

    Raises:
        InputError: findings without a map, or that do not say which model found them.
    """
    pet, segmentation = live(parameters.pet), findingsSegmentation(parameters)
    score = scoreMap(parameters, parameters.scorer)
    if score is None:
        raise InputError(
            _("The findings have no map any more, which their scores are measured on."),
            _("Run Detect again."),
        )
    grid, values = VolumeSnapshot(pet), VolumeSnapshot(score)
    scorer = parameters.scorer
    report = detectorOf(segmentation, drawnWith)
    parts = []
    for row in rows:
        found = partOnGrid(segmentation, row.segment, pet)
        if found is not None:
            parts.append(_Part(row.finding, *found))

    def prepare(folder: Path, work: Work) -> list[str]:
        result = folder / "result"
        result.mkdir()
        image = physicalImage(labelsOf(parts, grid.array.shape), grid.ijkToRas)
        write_segmentation(result / "segmentation.seg.nrrd", image, [p.finding for p in parts])
        work.check()
        findings_table_node.writeCsv(result / "findings.csv", rows)
        (result / "report.json").write_text(json.dumps(report), encoding="utf-8")
        scores = physicalImage(values.array.astype(np.float32, copy=False), values.ijkToRas)
        sitk.WriteImage(scores, str(result / f"{scorer}.nii.gz"))
        work.check()
        if isinstance(series, Path):
            return ["dicom", str(result), "--pet", str(series), "--events"]
        linked = folder / "pet"
        linked.mkdir()
        for number, file in enumerate(series):
            work.check()
            linkOrCopy(file, linked / f"{number:05d}.dcm")
        return ["dicom", str(result), "--pet", str(linked), "--events"]

    def collect(folder: Path, _work: Work) -> Path:
        objects = folder / "objects"
        objects.mkdir()
        for name in OBJECTS:
            if (folder / "result" / name).exists():
                (folder / "result" / name).rename(objects / name)
        deliver(objects, destination)
        return objects

    def place(objects: Path) -> Iterator[str]:
        yield _("objects")
        offer(objects)

    return Job(prepare, collect, place, _("Writing the findings"), _("Writing the DICOM objects"))


def labelsOf(parts: Sequence[_Part], shape: tuple[int, ...]) -> np.ndarray:
    """The findings' numbers on the PET's grid, uint16 (k, j, i).

    Raises:
        InputError: two findings share voxels.
    """
    labels = np.zeros(shape, np.uint16)
    for part in parts:
        box = tuple(slice(s, s + n) for s, n in zip(part.start, part.mask.shape))
        others = labels[box][part.mask]
        if others.any():
            raise InputError(
                _("Findings {one} and {other} share voxels, which would count twice.").format(
                    one=int(others.max()), other=part.finding.number
                ),
                _("Take these out of one of the two in the Segment Editor, or merge them."),
            )
        labels[box][part.mask] = part.finding.number
    return labels


def deliver(objects: Path, destination: Path) -> None:
    """Put the objects where they are wanted, whole or not at all; an earlier one that is not among
    them goes: it would be of other findings.

    Raises:
        OSError: nothing can be written there.
    """
    begun = []
    try:
        for name in OBJECTS:
            if (objects / name).exists():
                part = destination / f".{name}.part"
                begun.append((part, destination / name))
                shutil.copyfile(objects / name, part)
        for part, final in begun:
            part.replace(final)
    finally:
        for part, _final in begun:
            part.unlink(missing_ok=True)
    for name in OBJECTS:
        if not (objects / name).exists():
            (destination / name).unlink(missing_ok=True)


def offerToDatabase(objects: Path) -> None:
    """Ask whether Slicer's DICOM database is to have copies of them."""
    database = getattr(slicer, "dicomDatabase", None)
    if database is None or not database.isOpen:
        return
    question = _("The DICOM objects are written. Put them into Slicer's DICOM database, too?")
    if slicer.util.confirmYesNoDisplay(question, windowTitle=_("Export DICOM")):
        from DICOMLib import DICOMUtils

        DICOMUtils.importDicom(str(objects), copyFiles=True)
