"""What a chosen volume is, in the radiologist's words, and why it can't be used when it can't.

A PET in SUVbw says so in its voxel value units, {SUVbw}g/ml, as the PET DICOM extension and our own
conversion set them. One without units may be SUV by its values; then the radiologist is asked once,
and the answer stays with the volume. What the engine would refuse is refused here by the engine's
own code. Nothing is guessed from weight or dose: a volume in Bq/ml is converted from its own DICOM
files or refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.frame.coarse_pet import JUDGED_MM, compressed_pet, require_patient
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.validation import check_ct, check_pet, check_volume
from PETAnomalyLib.panel.scene.volume_files import ijkToRas, physicalImage

SUVBW_CODE = "{SUVbw}g/ml"  # UCUM, DICOM CID 84
BECQUEREL_CODES = ("bq/ml", "bqml", "kbq/ml")
SAMPLED_VOXELS = 200_000
CT_SLICES = 40  # of a CT, evenly spread: whether there is air and fat shows in any of them
CONFIRMED_ATTRIBUTE = "PETAnomaly.ConfirmedSUV"  # on a volume without units, by the radiologist
DICOM_SOURCE = "PETAnomaly.DicomSource"  # reference to the volume that a volume was made of
LEAST_OVERLAP = 0.3  # of the PET's box, per axis


@dataclass(frozen=True)
class InputState:
    """What the panel says about a selector.

    Attributes:
        usable: Detect may run with it.
        text: one or two sentences; what it is, or why not and what to do.
        warning: usable, but look at it.
        convertible: not SUV, and its own DICOM files are there to make it SUV.
        unconfirmed: usable once somebody has said that its values are SUVbw.
    """

    usable: bool
    text: str
    warning: bool = False
    convertible: bool = False
    unconfirmed: bool = False


def describePet(node: Any) -> InputState:
    """What the chosen PET is."""
    if node is None:
        return InputState(False, _("Choose a PET, or load the sample study."))
    units = unitsCode(node)
    isSuv = units.lower() == SUVBW_CODE.lower()
    reason = unusableVolume(node)
    if not reason and units.lower().startswith("{suv") and not isSuv:
        text = _("SUV of another kind ({units}). PETAnomaly needs SUV by body weight (SUVbw).")
        reason = text.format(units=units)
    if reason:
        return InputState(False, reason)
    isActivity = units.lower() in BECQUEREL_CODES
    refusal = _refusalOf(node, "Bq/ml" if isActivity else "")
    if refusal is not None:
        return _notSuv(node, refusal)
    if isSuv:
        return InputState(True, _("SUVbw, {size}").format(size=describeGrid(node)))
    if node.GetAttribute(CONFIRMED_ATTRIBUTE):
        text = _("Taken for SUVbw, as you said, {size}").format(size=describeGrid(node))
        return InputState(True, text, warning=True)
    text = _("May be SUVbw (the file doesn't say; values up to {high:.1f}), {size}")
    _low, high = valueRange(node)
    text = text.format(high=high, size=describeGrid(node))
    return InputState(True, text, warning=True, unconfirmed=True)


def confirmSuv(node: Any) -> None:
    """Somebody has said that a volume without units is SUVbw; saved with the scene."""
    node.SetAttribute(CONFIRMED_ATTRIBUTE, "true")


def describeCt(node: Any, pet: Any, required: bool) -> InputState:
    """What the chosen CT is, beside the chosen PET."""
    if node is None:
        if required:
            return InputState(False, _("This model needs the CT of the same examination."))
        return InputState(True, _("Optional: this model looks at the PET alone."))
    reason = unusableVolume(node) or _notTheCt(node, pet)
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


def keepDicomSource(node: Any, source: Any) -> None:
    """Keep with a volume the one that it was made of, which knows the DICOM files."""
    node.SetNodeReferenceID(DICOM_SOURCE, source.GetID())


def dicomFiles(node: Any) -> list[Path]:
    """The DICOM files that a volume was loaded from, or made of, as far as Slicer still knows
    them.
    """
    source = node.GetNodeReference(DICOM_SOURCE)
    if source is not None:
        return dicomFiles(source)
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


def _refusalOf(node: Any, units: str) -> InputError | None:
    """Why the engine would not take this PET; None when it would. Looked at once a volume.

    The engine gets the voxels without a statement of their units, whatever the node says.
    """
    array, matrix = slicer.util.arrayFromVolume(node), ijkToRas(node)
    key = (node.GetID(), node.GetImageData().GetMTime(), matrix.tobytes(), units)
    if _judged.get("key") != key:
        refusal = None
        try:
            image = physicalImage(array.astype(np.float32, copy=False), matrix)
            check_volume(image, _("This volume"))
            check_pet(image, _("This volume"), units)
            require_patient(compressed_pet(image, JUDGED_MM))
        except InputError as error:
            refusal = error
        _judged.update(key=key, refusal=refusal)
    return _judged["refusal"]


_judged: dict[str, Any] = {}  # the last PET: a whole body takes some tenths of a second


def _notSuv(node: Any, refusal: InputError) -> InputState:
    """What to do instead, where the engine's own hint is for the command line."""
    if "not in SUV" not in refusal.message and "not SUV" not in refusal.message:
        return InputState(False, f"{refusal.message} {refusal.hint}")
    if dicomFiles(node):
        text = _("{what} Its DICOM files are there: convert it.").format(what=refusal.message)
        return InputState(False, text, convertible=True)
    text = _(
        "{what} Its DICOM files are not known here: load the PET from DICOM, or as a volume in "
        "SUVbw."
    )
    return InputState(False, text.format(what=refusal.message))


def _notTheCt(node: Any, pet: Any) -> str:
    """Why this volume can't be the PET's CT; empty when it can."""
    if pet is not None and node.GetID() == pet.GetID():
        return _("The same volume is chosen as PET and as CT.")
    array = slicer.util.arrayFromVolume(node)
    sample = array[:: max(1, array.shape[0] // CT_SLICES)]
    try:
        check_ct(physicalImage(sample.astype(np.float32), ijkToRas(node)), _("This volume"))
    except InputError as error:
        return f"{error.message} {error.hint}"
    if pet is not None and pet.GetImageData() is not None and overlap(node, pet) < LEAST_OVERLAP:
        return _("The CT lies elsewhere than the PET: are they of the same examination?")
    return ""


def unusableVolume(node: Any) -> str:
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
