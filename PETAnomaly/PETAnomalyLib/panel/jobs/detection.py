"""Detect as an errand for the engine: PET and CT, or MR and mask, out, maps and findings in."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.background import Work
from PETAnomalyLib.panel.jobs.task import Job
from PETAnomalyLib.panel.parameters import (
    MR,
    Parameters,
    detectArguments,
    isOfMr,
    live,
    setThreshold,
    studyImage,
)
from PETAnomalyLib.panel.scene.result_files import Results, readResults
from PETAnomalyLib.panel.scene.result_nodes import forgetResults, resultSteps
from PETAnomalyLib.panel.scene.volume_files import VolumeSnapshot


def detectionJob(
    parameters: Parameters,
    model: Any,
    device: str,
    onPlaced: Callable[[Results], None],
    elsewhere: Sequence[str] = (),
) -> Job:
    """A run with the settings of this moment; the volumes may be deleted while it goes on.

    Args:
        parameters: of the study; gets the results.
        model: the bundle.
        device: `auto`, `cpu`, `cuda:0`, ...
        onPlaced: called with the results once they are in the scene.
        elsewhere: words for the engine that name another computer.

    Raises:
        InputError: a volume without voxels.
    """
    image = studyImage(parameters)
    first = VolumeSnapshot(image)
    names = ("mr.nrrd", "mask.nrrd") if isOfMr(parameters) else ("pet.nrrd", "ct.nrrd")
    # A model without CT gets none: the engine refuses what it would not use.
    beside = live(parameters.brainMask) if isOfMr(parameters) else live(parameters.ct)
    wanted = beside is not None and (model.modality == MR or model.ct == "required")
    second = VolumeSnapshot(beside) if wanted else None
    imageId = image.GetID()
    wasEdited = parameters.handEdited  # then the radiologist was asked
    template = detectArguments(
        parameters, Path(names[0]), Path(names[1]) if second else None, Path("result"), device
    )

    def prepare(folder: Path, work: Work) -> list[str]:
        for name, snapshot in zip(names, (first, second)):
            if snapshot is not None:
                snapshot.write(folder / name, work)
        inFolder = {name: str(folder / name) for name in (*names, "result")}
        return [*(inFolder.get(argument, argument) for argument in template), *elsewhere]

    def collect(folder: Path, work: Work) -> Results:
        return readResults(folder / "result", work)

    def place(results: Results) -> Iterator[str]:
        if parameters.modality != model.modality:  # another model was chosen meanwhile
            forgetResults(parameters)
            parameters.modality = model.modality
        looked = slicer.mrmlScene.GetNodeByID(imageId)
        showSettings(parameters, results)
        # Nobody was asked about what was changed by hand while the run went on: it stays.
        replace = parameters.replaceResults and (wasEdited or not parameters.handEdited)
        yield from resultSteps(parameters, looked, results, model, replace)
        onPlaced(results)

    return Job(prepare, collect, place, _("Writing the study"), _("Loading the results"))


def showSettings(parameters: Parameters, results: Results) -> None:
    """The controls say what the findings were drawn with, wherever they were moved meanwhile."""
    with slicer.util.NodeModify(parameters):
        parameters.scorer = str(results.setting("scorer", parameters.scorer))
        limit = results.setting("threshold")
        if limit is not None:
            setThreshold(parameters, parameters.scorer, float(limit))
        if not isOfMr(parameters):
            parameters.growth = float(results.setting("grow", parameters.growth))
        parameters.minimumVolume = float(results.setting("min_volume_ml", parameters.minimumVolume))
