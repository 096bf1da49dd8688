"""What a chosen MR and the mask of its brain are, and why they can't be used when they can't.

What the engine would refuse before it aligns a head is refused here by the engine's own code. Of
which contrast an MR is, its DICOM headers say, else its name, as from the command line.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import slicer  # slicer.util looks for qt
from slicer.i18n import tr as _

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.contrast import contrast_of_header, contrast_of_name
from PETAnomalyLib.engine.study.head import check_head, is_brain_sized
from PETAnomalyLib.engine.study.validation import check_volume
from PETAnomalyLib.panel.scene.inputs import (
    BECQUEREL_CODES,
    InputState,
    describeGrid,
    dicomFiles,
    unitsCode,
    unusableVolume,
)
from PETAnomalyLib.panel.scene.volume_files import ijkToRas, physicalImage

SAME_GRID = 1e-3  # mm, as the engine has it


def describeMr(node: Any, wanted: str, anyway: bool = False) -> InputState:
    """What the chosen MR is.

    Args:
        node: the volume, or None.
        wanted: the model's contrast; empty where the model is not known.
        anyway: another contrast is a warning.
    """
    if node is None:
        return InputState(False, _("Choose an MR of the brain, or load the sample."))
    units = unitsCode(node).lower()
    reason = unusableVolume(node)
    if not reason and (units.startswith("{suv") or units in BECQUEREL_CODES):
        reason = _("This is a PET, and the model is of brain MR: choose an MR, or a model of PET.")
    if reason:
        return InputState(False, reason)
    try:
        suspicions = _suspicions(node)
    except InputError as error:
        return InputState(False, f"{error.message} {error.hint}")
    contrast = contrastOf(node)
    if contrast and wanted and contrast != wanted:
        text = _("{own} by its headers or its name; the model is of {wanted}.").format(
            own=contrast, wanted=wanted
        )
        return InputState(anyway, text, warning=True)
    said = contrast or _("Contrast not stated")
    if wanted and not contrast:
        said = _("Contrast not stated (the model is of {wanted})").format(wanted=wanted)
    text = " ".join([f"{said}, {describeGrid(node)}", *suspicions])
    return InputState(True, text, warning=bool(suspicions))


def describeMask(node: Any, mr: Any) -> InputState:
    """What the chosen mask of the brain is, beside the chosen MR."""
    if node is None:
        return InputState(
            True,
            _("Optional: a skull-stripped MR needs none; else the model's own is laid onto it."),
        )
    reason = unusableVolume(node)
    if not reason and mr is not None and node.GetID() == mr.GetID():
        reason = _("The same volume is chosen as MR and as mask.")
    if not reason and mr is not None and mr.GetImageData() is not None:
        reason = _notOfThisMr(node, mr)
    if reason:
        return InputState(False, reason)
    inside = slicer.util.arrayFromVolume(node) != 0
    ml = float(inside.sum()) * float(np.prod(node.GetSpacing())) / 1000.0
    if not is_brain_sized(ml):
        text = _("This mask marks {ml:.0f} ml, which is no brain's volume.").format(ml=ml)
        return InputState(False, text)
    return InputState(True, _("Brain of {ml:.0f} ml").format(ml=ml))


def contrastOf(node: Any) -> str:
    """T1w, T2w, FLAIR, T1c, or empty where neither headers nor name tell."""
    return _ofHeader(dicomFiles(node)) or contrast_of_name(node.GetName() or "")


def _ofHeader(files: Sequence[Path]) -> str:
    """What the first file says; nothing where it is gone or damaged."""
    try:
        header = pydicom.dcmread(files[0], stop_before_pixels=True) if files else pydicom.Dataset()
    except (OSError, pydicom.errors.InvalidDicomError):
        return ""
    return contrast_of_header(header)


def _suspicions(node: Any) -> list[str]:
    """What the engine would warn of.

    Raises:
        InputError: it would refuse this MR.
    """
    array = slicer.util.arrayFromVolume(node)
    image = physicalImage(array.astype(np.float32, copy=False), ijkToRas(node))
    name = _("This volume")
    return [*check_volume(image, name, small_part_of_body=False), *check_head(image, name)]


def _notOfThisMr(node: Any, mr: Any) -> str:
    """Why this is not the mask of this very image; empty when it is."""
    sameSize = node.GetImageData().GetDimensions() == mr.GetImageData().GetDimensions()
    if sameSize and np.allclose(ijkToRas(node), ijkToRas(mr), atol=SAME_GRID):
        return ""
    return _("This mask has another grid than the MR: give the mask of this very image.")
