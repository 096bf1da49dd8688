"""How well a study lies on the template, and when that is refused or doubted."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray
from scipy import ndimage

from PETAnomalyLib.engine.frame.coarse_pet import NOT_MEASURED, body_of
from PETAnomalyLib.engine.frame.doubt import Doubt

# Measured: phantoms on a template of others 0.77 to 0.89, a real scan (arms up, head bent), well
# placed on that template, 0.64; noise at most 0.13, a ball 0.37, a CT 0.24, a plain cylinder 0.60.
_QUALITY_REFUSED, _QUALITY_DOUBTED = 0.5, 0.62
_COVERAGE_REFUSED, _COVERAGE_DOUBTED = 0.10, 0.5


def fit_quality(study: sitk.Image, template: sitk.Image, transform: sitk.Euler3DTransform) -> float:
    """Pearson correlation of two compressed PETs in and around their bodies, 0 to 1.

    Args:
        study, template: see `compressed_pet`.
        transform: maps points of the template to points of the study (LPS, mm).
    """
    s, t = _side_by_side(study, template, transform)
    compared = (s >= 0) & ndimage.binary_dilation(body_of(s) | body_of(t), iterations=2)
    if np.count_nonzero(compared) < 2 or np.ptp(s[compared]) == 0 or np.ptp(t[compared]) == 0:
        return 0.0
    return max(0.0, float(np.corrcoef(s[compared], t[compared])[0, 1]))


def body_coverage(
    study: sitk.Image, template: sitk.Image, transform: sitk.Euler3DTransform
) -> float:
    """The share of the template's body that the study shows, 0 to 1."""
    s, t = _side_by_side(study, template, transform)
    body = body_of(t)
    return int(np.count_nonzero(body & (s >= 0))) / max(1, int(np.count_nonzero(body)))


def fit_doubts(quality: float, coverage: float, study: sitk.Image) -> tuple[Doubt, ...]:
    """What speaks against the fit: refused where it can only be none.

    Args:
        quality, coverage: 0 to 1.
        study: see `compressed_pet`.
    """
    hint = (
        "Use a whole-body PET in SUV (neck to upper thigh); check its orientation, voxel size and "
        "units, and that the model was made for this part of the body."
    )
    doubts = []
    if quality < _QUALITY_REFUSED:
        words = (
            "The PET could not be aligned with the model's template: their correlation is "
            f"{quality:.2f}, at least {_QUALITY_REFUSED:g} is needed.{_turned(study)}"
        )
        doubts.append(Doubt(words, hint, True))
    elif quality < _QUALITY_DOUBTED:
        words = (
            f"The alignment with the model's template is poor (correlation {quality:.2f}): look at "
            "the overview before trusting the findings."
        )
        doubts.append(Doubt(words, "", False))
    if coverage < _COVERAGE_REFUSED:
        words = (
            f"The PET shows only {100 * coverage:.0f} % of the body that the model expects; at "
            f"least {100 * _COVERAGE_REFUSED:.0f} % are needed to find its place."
        )
        doubts.append(Doubt(words, hint, True))
    elif coverage < _COVERAGE_DOUBTED:
        words = (
            f"The PET shows only {100 * coverage:.0f} % of the body that the model expects: its "
            "place along the body, and with it the scores, are less certain."
        )
        doubts.append(Doubt(words, "", False))
    return tuple(doubts)


def _turned(study: sitk.Image) -> str:
    """A guess at why, where the body is not longest head to feet and next left to right."""
    body = np.argwhere(body_of(sitk.GetArrayViewFromImage(study)))
    along_z, along_y, along_x = body.std(axis=0) if len(body) else (1.0, 0.0, 0.0)
    if along_z < max(along_x, along_y):
        axis = "left to right" if along_x > along_y else "front to back"
        return f" It looks turned: its long axis lies {axis}."
    return " It looks turned: it lies on its side." if along_y > along_x else ""


def _side_by_side(
    study: sitk.Image, template: sitk.Image, transform: sitk.Euler3DTransform
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    seen = sitk.Resample(study, template, transform, sitk.sitkLinear, NOT_MEASURED)
    return sitk.GetArrayFromImage(seen), sitk.GetArrayFromImage(template)
