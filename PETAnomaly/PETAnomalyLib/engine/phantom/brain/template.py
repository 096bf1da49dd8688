"""The ICBM 152 template as the package nilearn carries it, and what follows from it.

nilearn has three files of the ICBM 152 non-linear symmetric template 2009a (Fonov et al. 2011,
NeuroImage 54:313; doi:10.1016/j.neuroimage.2010.07.033): T1w without skull, grey and white matter,
197 x 233 x 189 voxels of 1 mm. It has no CSF, skull or scalp. CSF is what of the brain is neither
grey nor white; the ventricles are the connected CSF in the middle.
"""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from PETAnomalyLib.engine.phantom.brain.grid import HALF, TEMPLATE, Array, Mask
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.known_error import MissingPackageError

REMEDY = "pip install 'petanomaly[brain]'"
FILES = "mni_icbm152_{}_tal_nlin_sym_09a_converted.nii.gz"
CSF_T1, GREY_T1, WHITE_T1 = 0.27, 0.65, 0.87
"""The template's T1w where a tissue is pure (medians), of 1."""

_LATERAL, _TEMPORAL_HORN = (9.0, -10.0, 24.0), (31.0, -10.0, -21.0)


@dataclass(frozen=True)
class Template:
    """Maps on the grid `TEMPLATE` (k, j, i), each 0..1.

    Attributes:
        csf, grey, white: parts of each voxel; they add up to 1 in the brain, to 0 outside.
        detail: how much whiter a voxel is on T1w than its tissues explain, as a part of the step
            from grey to white matter, -0.6 .. 0.6, on the grid `HALF`: thalamus, motor cortex.
        brain: brain with its CSF.
        ventricles: lateral, third and fourth ventricle.
        ventricle_mm: distance to them, on the grid `HALF`.
        depth_mm: distance to the outside of the brain, on the grid `HALF`; 0 outside.
    """

    csf: Array
    grey: Array
    white: Array
    detail: Array
    brain: Mask
    ventricles: Mask
    ventricle_mm: Array
    depth_mm: Array


@lru_cache(maxsize=1)
def template() -> Template:
    """The template with all that is derived from it; read once a process.

    Raises:
        MissingPackageError: nilearn is not installed.
        InputError: this nilearn does not carry the template's files, or other ones.
    """
    t1, grey, white = (_read(name) for name in ("t1", "gm", "wm"))
    brain = t1 > 0
    grey, white = grey * brain, white * brain
    csf = np.clip(brain - grey - white, 0, 1)
    whole = np.maximum(csf + grey + white, 1)
    csf, grey, white = csf / whole, grey / whole, white / whole
    ventricles = _ventricles(csf)
    return Template(
        csf=csf,
        grey=grey,
        white=white,
        detail=_detail(t1, csf, grey, white),
        brain=brain,
        ventricles=ventricles,
        ventricle_mm=_distance(~ventricles),
        depth_mm=_distance(brain),
    )


def nilearn_folder() -> Path:
    """Where nilearn is installed. It is not imported: its files are enough.

    Raises:
        MissingPackageError: it is not installed.
    """
    try:
        package = importlib.util.find_spec("nilearn")
    except ModuleNotFoundError:
        package = None
    if package is None or not package.submodule_search_locations:
        raise MissingPackageError(
            f"The Python package nilearn, whose template brain phantoms are made of, is not "
            f"installed in {sys.executable}.",
            f"Install it there with: {REMEDY}",
        )
    return Path(package.submodule_search_locations[0])


def _detail(t1: Array, csf: Array, grey: Array, white: Array) -> Array:
    """Of regions, not of edges, whose mixtures no sum of three medians explains."""
    every = (slice(None, None, 2),) * 3
    csf, grey, white = csf[every], grey[every], white[every]
    step = WHITE_T1 - GREY_T1
    detail = (t1[every] - CSF_T1 * csf - GREY_T1 * grey - WHITE_T1 * white) / step
    weight = np.clip(1 - 3 * csf, 0, 1) * (grey + white)
    smooth = [ndimage.gaussian_filter(a, 1.2, truncate=3.0) for a in (detail * weight, weight)]
    regional = np.clip(smooth[0] / np.maximum(smooth[1], 0.05), -0.6, 0.6)
    return regional.astype(np.float32)


def _read(name: str) -> Array:
    path = nilearn_folder() / "datasets" / "data" / FILES.format(name)
    hint = f"Install nilearn 0.14 there: {REMEDY}."
    try:
        image = sitk.ReadImage(str(path))
    except RuntimeError as error:
        raise InputError(f"nilearn's template {path.name} cannot be read.", hint) from error
    # nilearn's files are RAS, ITK's points LPS: the signs of x and y differ.
    x, y, z = image.GetOrigin()
    if (-x, -y, z) != TEMPLATE.first_mm or image.GetSize() != TEMPLATE.shape[::-1]:
        raise InputError(f"nilearn's template {path.name} is not the one this was made for.", hint)
    return (sitk.GetArrayFromImage(image) / 255).astype(np.float32)


def _ventricles(csf: Array) -> Mask:
    z, y, x = TEMPLATE.axes()
    middle = (np.abs(x) < 48) & (y > -75) & (y < 42) & (z > -30) & (z < 40)
    # The third ventricle's roof and the cisterns behind it touch below this plane.
    middle &= (y > -36) | (np.abs(x) > 12) | (z > 12)
    named, _ = ndimage.label((csf > 0.5) & middle)
    seeds = [(side * a, b, c) for a, b, c in (_LATERAL, _TEMPORAL_HORN) for side in (-1, 1)]
    found = {int(named[_index(seed)]) for seed in seeds}
    fourth = (np.abs(x) < 13) & (y > -52) & (y < -34) & (z > -46) & (z < -20) & (csf > 0.5)
    third = (np.abs(x) < 5) & (y > -28) & (y < 7) & (z > -14) & (z < 13) & (csf > 0.45)
    return np.isin(named, sorted(found - {0})) | third | fourth


def _index(point: tuple[float, float, float]) -> tuple[int, int, int]:
    i, j, k = (round(p - first) for p, first in zip(point, TEMPLATE.first_mm))
    return k, j, i


def _distance(mask: Mask) -> Array:
    """Millimetres from each voxel of the mask to the nearest one outside it."""
    distance = ndimage.distance_transform_edt(mask[::2, ::2, ::2], sampling=HALF.step_mm)
    return distance.astype(np.float32)
