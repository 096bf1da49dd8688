"""What a chosen volume is, in the radiologist's words, and why it can't be used when it can't.

A PET is trusted when its node says so: voxel value units {SUVbw}g/ml, as the PET DICOM extension
and our own conversion set them. Without units its values must be plausible for SUV; the engine
checks again, on all voxels. Nothing is guessed from weight or dose: a volume in Bq/ml is converted
from its own DICOM files or refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.panel.scene.volume_files import ijkToRas

SUVBW_CODE = "{SUVbw}g/ml"  # UCUM, DICOM CID 84
BECQUEREL_CODES = ("bq/ml", "bqml", "kbq/ml")
SAMPLED_VOXELS = 200_000
# A patient's mean SUV is 1 by definition when all of the dose is in view; 30,000 Bq/ml is SUV 5.
HIGHEST_SUV = 500.0
LOWEST_SUV = -100.0  # reconstructions undershoot a little below zero; air in CT is -1000
HIGHEST_AIR_HU = -200.0
LEAST_OVERLAP = 0.3  # of the PET's box, per axis


@dataclass(frozen=True)
class InputState:
    """What the panel says about a selector.

    Attributes:
        usable: Detect may run with it.
        text: one or two sentences; what it is, or why not and what to do.
        warning: usable, but look at it.
        convertible: not SUV, and its own DICOM files are there to make it SUV.
    """

    usable: bool
    text: str
    warning: bool = False
    convertible: bool = False


def describePet(node: Any) -> InputState:
    """What the chosen PET is."""
    if node is None:
        return InputState(False, _("Choose a PET, or load the sample study."))
    reason = _unusableVolume(node)
    if reason:
        return InputState(False, reason)
    units = unitsCode(node)
    if units.lower() == SUVBW_CODE.lower():
        return InputState(True, _("SUVbw, {size}").format(size=describeGrid(node)))
    if units.lower().startswith("{suv"):
        text = _("SUV of another kind ({units}). PETAnomaly needs SUV by body weight (SUVbw).")
        return InputState(False, text.format(units=units))
    return _judgeByValues(node, units)


def describeCt(node: Any, pet: Any, required: bool) -> InputState:
    """What the chosen CT is, beside the chosen PET."""
    if node is None:
        if required:
            return InputState(False, _("This model needs the CT of the same examination."))
        return InputState(True, _("Optional: this model looks at the PET alone."))
    reason = _unusableVolume(node) or _notTheCt(node, pet)
    if reason:
        return InputState(False, reason)
    return InputState(True, _("HU, {size}").format(size=describeGrid(node)))


def describeGrid(node: Any) -> str:
    """`168 x 168 x 263, 4.07 x 4.07 x 3.00 mm`."""
    dimensions = " x ".join(str(count) for count in node.GetImageData().GetDimensions())
    spacing = " x ".join(f"{step:.2f}" for step in node.GetSpacing())
    return f"{dimensions}, {spacing} mm"


def unitsCode(node: Any) -> str:
    """The node's voxel value units as a code (UCUM), or an empty string."""
    units = node.GetVoxelValueUnits()
    return (units.GetCodeValue() or "") if units is not None else ""


def markAsSuv(node: Any) -> None:
    """Say on the node that its voxels are SUVbw; saved with the scene."""
    quantity = slicer.vtkCodedEntry()
    quantity.SetValueSchemeMeaning("126400", "DCM", "Standardized Uptake Value")
    units = slicer.vtkCodedEntry()
    units.SetValueSchemeMeaning(SUVBW_CODE, "UCUM", "Standardized Uptake Value body weight")
    node.SetVoxelValueQuantity(quantity)
    node.SetVoxelValueUnits(units)


def valueRange(node: Any) -> tuple[float, float]:
    """Lowest and highest of at most `SAMPLED_VOXELS` evenly spread finite voxels."""
    voxels = slicer.util.arrayFromVolume(node)
    step = max(1, round((voxels.size / SAMPLED_VOXELS) ** (1.0 / 3.0)))
    sample = voxels[::step, ::step, ::step]
    sample = sample[np.isfinite(sample)]
    if not sample.size:
        return 0.0, 0.0
    return float(sample.min()), float(sample.max())


def overlap(first: Any, second: Any) -> float:
    """The smallest share, over the three axes, of the second volume's box that the first covers."""
    a, b = [0.0] * 6, [0.0] * 6
    first.GetRASBounds(a)
    second.GetRASBounds(b)
    shares = []
    for low, high in ((0, 1), (2, 3), (4, 5)):
        length = b[high] - b[low]
        common = min(a[high], b[high]) - max(a[low], b[low])
        shares.append(common / length if length > 0 else 0.0)
    return max(0.0, min(shares))


def dicomFiles(node: Any) -> list[Path]:
    """The DICOM files that a volume was loaded from, as far as Slicer still knows them."""
    uids = (node.GetAttribute("DICOM.instanceUIDs") or "").split()
    database = getattr(slicer, "dicomDatabase", None)
    if uids and database is not None and database.isOpen:
        files = [Path(name) for name in map(database.fileForInstance, uids) if name]
        if len(files) == len(uids):
            return files
    storage = node.GetStorageNode()
    if storage is None:
        return []
    names = [storage.GetFullNameFromFileName()]
    names += [
        storage.GetFullNameFromNthFileName(index) for index in range(storage.GetNumberOfFileNames())
    ]
    files = [Path(name) for name in dict.fromkeys(names) if name]
    return [file for file in files if isDicom(file)]


def isDicom(file: Path) -> bool:
    """DICOM part 10: "DICM" after a preamble of 128 bytes."""
    try:
        with file.open("rb") as stream:
            return stream.read(132)[128:] == b"DICM"
    except OSError:
        return False


def _judgeByValues(node: Any, units: str) -> InputState:
    """A PET whose node doesn't say SUVbw."""
    low, high = valueRange(node)
    if low < LOWEST_SUV:
        text = _("This looks like a CT (values down to {low:.0f}), not like a PET in SUV.")
        return InputState(False, text.format(low=low))
    if units.lower() in BECQUEREL_CODES or high > HIGHEST_SUV:
        return _becquerel(node, units, high)
    if high <= 0.0 or high == low:
        return InputState(False, _("All voxels have the same value: there is nothing to look at."))
    text = _("Taken for SUVbw (the file doesn't say; values up to {high:.1f}), {size}")
    return InputState(True, text.format(high=high, size=describeGrid(node)), warning=True)


def _notTheCt(node: Any, pet: Any) -> str:
    """Why this volume can't be the PET's CT; empty when it can."""
    if pet is not None and node.GetID() == pet.GetID():
        return _("The same volume is chosen as PET and as CT.")
    low, high = valueRange(node)
    if low > HIGHEST_AIR_HU:
        text = _("This doesn't look like a CT: no air, values from {low:.0f} to {high:.0f}.")
        return text.format(low=low, high=high)
    if pet is not None and pet.GetImageData() is not None and overlap(node, pet) < LEAST_OVERLAP:
        return _("The CT lies elsewhere than the PET: are they of the same examination?")
    return ""


def _becquerel(node: Any, units: str, high: float) -> InputState:
    what = units if units else _("values up to {high:.0f}, too high for SUV").format(high=high)
    if dicomFiles(node):
        text = _("Not SUV ({what}). Its DICOM files are there: convert it.").format(what=what)
        return InputState(False, text, convertible=True)
    text = _(
        "Not SUV ({what}), and its DICOM files are not known here. Load the PET from DICOM, or as "
        "a volume in SUVbw."
    )
    return InputState(False, text.format(what=what))


def _unusableVolume(node: Any) -> str:
    """Why this is no volume that the engine could read; empty when it is one."""
    image = node.GetImageData()
    if image is None or not image.GetNumberOfPoints():
        return _("This volume has no voxels.")
    if image.GetNumberOfScalarComponents() != 1:
        return _("This volume has several values per voxel.")
    if min(image.GetDimensions()) < 2:
        return _("This is a single slice; a volume is needed.")
    if node.GetParentTransformNode() is not None:
        return _(
            "This volume is under a transform. In the Data module, right-click it and choose "
            '"Harden transform".'
        )
    axes = ijkToRas(node)[:3, :3]
    lengths = np.linalg.norm(axes, axis=0)
    if not np.allclose((axes / lengths).T @ (axes / lengths), np.eye(3), atol=1e-3):
        return _(
            "This volume's axes are not at right angles (a tilted gantry?): resample it first."
        )
    return ""
