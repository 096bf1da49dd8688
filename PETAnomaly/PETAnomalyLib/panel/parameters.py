"""The typed parameter node: everything about a study's run that a saved scene has to bring back.

What belongs to the machine rather than to the study (interpreter, device, last model) is in
`settings.py`; what belongs to the model (thresholds, number of samples) is a default here until the
radiologist changes it.
"""

# No `from __future__ import annotations`: parameterNodeWrapper reads the types of the class.
import math
from pathlib import Path
from typing import Annotated, Any, Optional

from slicer import (
    vtkMRMLMarkupsFiducialNode,
    vtkMRMLScalarVolumeNode,
    vtkMRMLSegmentationNode,
    vtkMRMLTableNode,
)
from slicer.parameterNodeWrapper import Choice, WithinRange, parameterNodeWrapper

SCORERS = ("kde", "zscore", "residual")
DEFAULT_GROWTH = 0.4  # of a finding's own SUVmax (paper 1)
NO_THRESHOLD = -1e9  # "the model's own": no map reaches this low
DEFAULT_TIME_BUDGET = 600  # seconds: a radiologist has gone on to the next patient by then
LAYERS = ("ct", "pet", "map")
PET, MR = "PT", "MR"  # what a model looks at, in DICOM's words (`Bundle.modality`)
SEXES = ("", "F", "M")
CONTOURS: dict[str, tuple[float, Optional[float]]] = {
    "40 % of its SUVmax": (0.4, None),
    "41 % of its SUVmax": (0.41, None),
    "50 % of its SUVmax": (0.5, None),
    "SUV 2.5": (0.0, 2.5),
    "SUV 4": (0.0, 4.0),
}
"""What an added finding is drawn at: a share of its SUVmax, or a fixed SUV (g/ml)."""


@parameterNodeWrapper
class PETAnomalyParameterNode:
    """One study, its settings and its results.

    Attributes:
        modality: `PET` or `MR`: what the model looks at, and so which inputs and results are shown.
        pet, ct: what a model of PET looks at.
        mr, brainMask: what a model of brain MR looks at, and the mask of its brain.
        model: the bundle's name; empty until one is chosen.
        scorer: whose map the findings are drawn from.
        samples, decodes: 0 for the model's own numbers.
        seed: of the random draws.
        elevatedOnly: score only uptake above what the healed versions show; of an MR what is
            brighter.
        timeBudget: seconds; where a run would take longer samples are left out; 0 for no limit.
        anyway: go on where the study does not fit the model.
        kdeThreshold, zscoreThreshold, residualThreshold: in the map's unit; `NO_THRESHOLD` for the
            model's own.
        minimumVolume: ml.
        growth: share of a finding's SUVmax, 0 for no growing.
        kdeMap, zscoreMap, residualMap, scoredMask, segmentation, table: the last run's results.
        foreign: where the study is unlike what the model knows, hatched; None where it is not.
        resultPet: the PET, or MR, whose results they are; those of another one than the chosen one
            are not shown.
        contour: of findings that are added, one of `CONTOURS`.
        handEdited: the findings were changed by hand since they were drawn.
        organs: somebody's segmentation of the organs.
        liverPoint, bloodPoolPoint: where the reference uptake is measured.
        liverDiameter: of the liver's sphere, mm.
        heightCm, weightKg, sex: of the patient, for SUL; 0 and empty where not known.
        referencePet: whose points and patient these are; another PET has its own.
        layer, opacity, preset, outlines, colourBars, hatching, view3D: how the study is shown.
        mipTop: SUV from which the 3-D view is black; 0 for the top of the PET's window.
    """

    modality: Annotated[str, Choice([PET, MR])] = PET
    pet: vtkMRMLScalarVolumeNode
    ct: vtkMRMLScalarVolumeNode
    mr: vtkMRMLScalarVolumeNode
    brainMask: vtkMRMLScalarVolumeNode
    model: str
    scorer: Annotated[str, Choice(list(SCORERS))] = "kde"
    samples: Annotated[int, WithinRange(0, 64)] = 0
    decodes: Annotated[int, WithinRange(0, 64)] = 0
    seed: Annotated[int, WithinRange(0, 2147483647)] = 0
    elevatedOnly: bool = True
    timeBudget: Annotated[int, WithinRange(0, 86400)] = DEFAULT_TIME_BUDGET
    anyway: bool = False
    kdeThreshold: float = NO_THRESHOLD
    zscoreThreshold: float = NO_THRESHOLD
    residualThreshold: float = NO_THRESHOLD
    minimumVolume: Annotated[float, WithinRange(0.0, 1000.0)] = 0.5
    growth: Annotated[float, WithinRange(0.0, 1.0)] = DEFAULT_GROWTH
    replaceResults: bool = False
    kdeMap: vtkMRMLScalarVolumeNode
    zscoreMap: vtkMRMLScalarVolumeNode
    residualMap: vtkMRMLScalarVolumeNode
    scoredMask: vtkMRMLScalarVolumeNode
    foreign: vtkMRMLSegmentationNode
    segmentation: vtkMRMLSegmentationNode
    table: vtkMRMLTableNode
    resultPet: vtkMRMLScalarVolumeNode
    handEdited: bool = False
    contour: Annotated[str, Choice(list(CONTOURS))] = "40 % of its SUVmax"
    organs: vtkMRMLSegmentationNode
    liverPoint: vtkMRMLMarkupsFiducialNode
    bloodPoolPoint: vtkMRMLMarkupsFiducialNode
    liverDiameter: Annotated[float, WithinRange(5.0, 60.0)] = 30.0
    referencePet: vtkMRMLScalarVolumeNode
    heightCm: Annotated[float, WithinRange(0.0, 250.0)] = 0.0
    weightKg: Annotated[float, WithinRange(0.0, 400.0)] = 0.0
    sex: Annotated[str, Choice(list(SEXES))] = ""
    layer: Annotated[str, Choice(list(LAYERS))] = "map"
    opacity: Annotated[float, WithinRange(0.0, 1.0)] = 0.5
    preset: str = ""
    outlines: bool = True
    colourBars: bool = True
    hatching: bool = True
    mipTop: Annotated[float, WithinRange(0.0, 40.0)] = 0.0
    view3D: bool = False


# What functions take: the decorator adds members that a type checker can't see.
Parameters = Any


def live(node: Any) -> Any:
    """The node if it is still in a scene, else None: a cached reference outlives a deleted node."""
    return node if node is not None and node.GetScene() is not None else None


def isOfMr(parameters: Parameters) -> bool:
    """Is an MR looked at, not a PET?"""
    return bool(parameters.modality == MR)


def studyImage(parameters: Parameters) -> Any:
    """The volume that is looked at, the PET or the MR, on whose grid the results lie; or None."""
    return live(parameters.mr if isOfMr(parameters) else parameters.pet)


def threshold(parameters: Parameters, scorer: str) -> Optional[float]:
    """What the radiologist set for a scorer; None for the model's own."""
    value = parameters.getValue(f"{scorer}Threshold")
    return None if value <= NO_THRESHOLD else value


def setThreshold(parameters: Parameters, scorer: str, value: Optional[float]) -> None:
    """Set it; None for the model's own."""
    parameters.setValue(f"{scorer}Threshold", NO_THRESHOLD if value is None else float(value))


def scoreMap(parameters: Parameters, scorer: str) -> Any:
    """The last run's map of a scorer, or None."""
    return _result(parameters, f"{scorer}Map")


def findingsSegmentation(parameters: Parameters) -> Any:
    """The last run's segmentation, or None."""
    return _result(parameters, "segmentation")


def findingsTable(parameters: Parameters) -> Any:
    """The last run's table node, or None."""
    return _result(parameters, "table")


def foreignRegions(parameters: Parameters) -> Any:
    """The last run's hatching of what is foreign, or None."""
    return _result(parameters, "foreign")


def _result(parameters: Parameters, name: str) -> Any:
    """A result of the chosen volume; another patient's findings must not stand beside it."""
    lookedAt = live(parameters.resultPet)
    if lookedAt is None or lookedAt is not studyImage(parameters):
        return None
    return live(parameters.getValue(name))


def validate(parameters: Parameters) -> tuple[bool, str]:
    """Are the numbers usable? (True, "") or (False, a reason for the radiologist)."""
    limit = threshold(parameters, parameters.scorer)
    if limit is not None and not math.isfinite(limit):
        return False, "The threshold is not a number."
    if not 0.0 <= parameters.growth <= 1.0:
        return False, "The growth fraction lies between 0 and 100 %."
    if parameters.minimumVolume < 0.0:
        return False, "The smallest volume can't be negative."
    return True, ""


def detectArguments(
    parameters: Parameters,
    imageFile: Path,
    secondFile: Optional[Path],
    outFolder: Path,
    device: str,
) -> list[str]:
    """The engine's command line for these settings (DESIGN section 4), without the interpreter.

    Args:
        parameters: of the study.
        imageFile: the PET, or the MR.
        secondFile: the PET's CT, or the mask of the brain; or None.
        outFolder: for the results.
        device: `auto`, `cpu`, `cuda:0`, ...
    """
    ofMr = isOfMr(parameters)
    image, second = ("--mr", "--mask") if ofMr else ("--pet", "--ct")
    arguments = ["detect", image, str(imageFile), "--out", str(outFolder), "--events"]
    if secondFile is not None:
        arguments += [second, str(secondFile)]
    arguments += ["--model", parameters.model, "--scorer", parameters.scorer]
    arguments += ["--seed", str(parameters.seed), "--device", device]
    if not ofMr:  # an MR has no unit that a share of would mean something
        arguments += ["--grow", repr(parameters.growth)]
    arguments += ["--min-volume", repr(parameters.minimumVolume)]
    if parameters.samples > 0:
        arguments += ["--samples", str(parameters.samples)]
    if parameters.decodes > 0:
        arguments += ["--decodes", str(parameters.decodes)]
    limit = threshold(parameters, parameters.scorer)
    if limit is not None:
        # One word: argparse takes "-2.5" on its own for an option.
        arguments.append(f"--threshold={limit!r}")
    if not parameters.elevatedOnly:
        arguments.append("--all-uptake")
    if parameters.timeBudget > 0:
        arguments += ["--time-budget", str(parameters.timeBudget)]
    if parameters.anyway:
        arguments.append("--anyway")
    return arguments
