"""One synthetic head from one seed: contrasts, brain mask and true lesions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
from scipy import ndimage

from PETAnomalyLib.engine.phantom.brain.anatomy import (
    Anatomy,
    paint_anatomy,
    scan_grid,
    stays_in_skull,
)
from PETAnomalyLib.engine.phantom.brain.deformation import exponential
from PETAnomalyLib.engine.phantom.brain.diseases import DISEASES, draw_disease
from PETAnomalyLib.engine.phantom.brain.grid import TEMPLATE, Grid
from PETAnomalyLib.engine.phantom.brain.imaging import Scan
from PETAnomalyLib.engine.phantom.brain.lesion import LABELS, OUTSIDE, Disease
from PETAnomalyLib.engine.phantom.brain.painting import Picture, paint_head
from PETAnomalyLib.engine.phantom.brain.places import place_name
from PETAnomalyLib.engine.phantom.brain.sequences import ALWAYS, CONTRASTS, draw_protocol
from PETAnomalyLib.engine.phantom.brain.subject import draw_subject
from PETAnomalyLib.engine.phantom.brain.tissue import WHITE
from PETAnomalyLib.engine.runtime.errors import InputError

FINEST_MM, COARSEST_MM = 0.8, 4.0
CSF, GREY, WHITE_MATTER, VENTRICLE = range(1, 5)
"""Values of `BrainStudy.tissue`; 0 is not brain."""
SMALLEST_LESION_ML = 0.01
"""What is smaller is an edge of something else, and not in the mask."""

Labels = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class BrainStudy:
    """A synthetic head; all images share one grid (LPS mm, identity direction).

    Attributes:
        images: by contrast (T1w, T2w, FLAIR, T1c), int16, arbitrary units.
        mask: uint8, 1 in the brain and its CSF.
        lesions: uint8, 0 or a value of `lesion.LABELS`.
        tissue: uint8, what each voxel mostly is, lesions aside.
        description: JSON-able: seed, subject, protocol, volumes, disease, lesions.
    """

    images: dict[str, sitk.Image]
    mask: sitk.Image
    lesions: sitk.Image
    tissue: sitk.Image
    description: dict[str, Any]


def generate_brain(
    seed: int,
    healthy: bool = False,
    disease: str | None = None,
    contrasts: Sequence[str] = ALWAYS,
    voxel_mm: float = 1.0,
    skull_stripped: bool = False,
) -> BrainStudy:
    """A random head: the same seed and options give the same bytes.

    Args:
        seed: whole number >= 0; names the head. Its anatomy, its scanner and its noise depend on
            the seed alone, its disease on the seed and the kind.
        healthy: leave the disease out.
        disease: one of `DISEASES`; None: the seed's own.
        contrasts: of `CONTRASTS`.
        voxel_mm: the edge of the voxels, 0.8 to 4 mm.
        skull_stripped: 0 outside the brain.

    Raises:
        MissingPackageError: nilearn is not installed.
        InputError: an argument is not one of the above.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise InputError(f"The phantom's seed is {seed!r}.", "Give a whole number of 0 or more.")
    check_options(healthy, disease, contrasts, voxel_mm)
    subject = draw_subject(int(seed))
    rng = subject.stream("couch position")
    x, y, z = (round(float(rng.normal(0, spread)), 2) for spread in (3, 6, 12))
    centre = (x, y, z)
    grid = scan_grid(voxel_mm, centre)
    found = Disease() if healthy else draw_disease(subject, disease)
    mass = None if found.velocity is None else exponential(stays_in_skull(found.velocity))
    anatomy = paint_anatomy(subject, grid, centre, mass)
    protocol = draw_protocol(subject.stream("protocol"))
    picture = Picture(grid.shape, protocol, list(contrasts))
    paint_head(picture, subject, anatomy)
    labels = _paint_lesions(picture, found, anatomy)
    mask = np.zeros(grid.shape, bool)
    mask[anatomy.box] = anatomy.brain > 0.5
    scans, images = {}, {}
    for name, signal in picture.signals.items():
        scan = scans[name] = Scan(subject.stream(f"scan {name}"), name, protocol.field_tesla)
        white = protocol.signal(name, WHITE)
        image = scan.measure(subject.stream(f"noise {name}"), signal, white, voxel_mm)
        if skull_stripped:
            image *= mask
        images[name] = _image(np.clip(np.rint(image), 0, 32767).astype(np.int16), grid)
    tissue = _tissue(anatomy)
    description: dict[str, Any] = {
        "kind": "brain",
        "seed": int(seed),
        "sex": subject.sex,
        "age": subject.age,
        "voxel_mm": voxel_mm,
        "skull_stripped": skull_stripped,
        "protocol": {name: round(value, 2) for name, value in vars(protocol).items()},
        "scans": {
            name: {
                "fwhm_mm": round(scan.fwhm_mm, 2),
                "slice_mm": round(scan.slice_mm, 2),
                "noise": round(scan.noise, 4),
            }
            for name, scan in scans.items()
        },
        "volumes_ml": _volumes(anatomy, tissue),
        "disease": found.facts or None,
        "lesions": _describe(labels, tissue, anatomy),
    }
    return BrainStudy(
        images=images,
        mask=_image(mask.astype(np.uint8), grid),
        lesions=_image(_whole(labels, anatomy), grid),
        tissue=_image(_whole(tissue, anatomy), grid),
        description=description,
    )


def check_options(
    healthy: bool, disease: str | None, contrasts: Sequence[str], voxel_mm: float
) -> None:
    """Raises:
    InputError: see `generate_brain`.
    """
    if disease is not None and disease not in DISEASES:
        raise InputError(
            f"There is no disease {disease!r} of the brain phantom.",
            f"There are {', '.join(DISEASES)}.",
        )
    if healthy and disease is not None:
        raise InputError(
            f"A healthy brain phantom has no disease, and {disease} is asked for.",
            "Leave one of them out.",
        )
    unknown = [name for name in contrasts if name not in CONTRASTS]
    if unknown or not contrasts or len(set(contrasts)) < len(contrasts):
        raise InputError(
            f"The contrasts of the brain phantom are {', '.join(contrasts) or 'none'}.",
            f"Give one or more of {', '.join(CONTRASTS)}, each once.",
        )
    if not FINEST_MM <= voxel_mm <= COARSEST_MM:
        raise InputError(
            f"The brain phantom's voxels are {voxel_mm} mm.",
            f"Give {FINEST_MM:g} to {COARSEST_MM:g} mm.",
        )


def _paint_lesions(picture: Picture, disease: Disease, anatomy: Anatomy) -> Labels:
    """Paint the layers over what is there; a voxel's label is the layer that fills half of it."""
    voxel_mm = anatomy.grid.step_mm
    labels = np.zeros(anatomy.csf.shape, np.uint8)
    side = np.float32(1)
    if disease.one_sided:
        side = np.clip(0.5 + disease.one_sided * anatomy.right_mm, 0, 1)
    for layer in disease.layers:
        level = TEMPLATE.at(layer.level, anatomy.place, float(OUTSIDE))
        part = np.clip(0.5 + level / np.float32(max(layer.edge_mm, voxel_mm)), 0, 1) * side
        part *= (
            layer.in_white * anatomy.white
            + layer.in_grey * anatomy.grey
            + layer.in_csf * anatomy.csf
        )
        picture.paint(anatomy.box, part, layer.tissue)
        labels[part > 0.5] = layer.label
    pieces, number = ndimage.label(labels, np.ones((3, 3, 3)))
    volumes_ml = np.bincount(pieces.ravel(), minlength=number + 1) * voxel_mm**3 / 1000
    labels[(volumes_ml < SMALLEST_LESION_ML)[pieces]] = 0
    return labels


def _tissue(anatomy: Anatomy) -> Labels:
    parts = np.stack([anatomy.csf, anatomy.grey, anatomy.white])
    tissue = (parts.argmax(axis=0) + CSF).astype(np.uint8)
    tissue[(tissue == CSF) & (anatomy.ventricle_mm < 1.5)] = VENTRICLE
    tissue[anatomy.brain <= 0.5] = 0
    return tissue


def _volumes(anatomy: Anatomy, tissue: Labels) -> dict[str, float]:
    voxel_ml = anatomy.grid.step_mm**3 / 1000
    parts = {
        "intracranial": anatomy.brain,
        "csf": anatomy.csf,
        "grey": anatomy.grey,
        "white": anatomy.white,
        "ventricles": tissue == VENTRICLE,
    }
    return {name: round(float(part.sum(dtype=np.float64)) * voxel_ml, 1)
            for name, part in parts.items()}  # fmt: skip


def _describe(labels: Labels, tissue: Labels, anatomy: Anatomy) -> list[dict[str, Any]]:
    """Every connected lesion: what it is, where, and how large."""
    if not labels.any():
        return []
    grid, voxel_ml = anatomy.grid, anatomy.grid.step_mm**3 / 1000
    pieces, _ = ndimage.label(labels, np.ones((3, 3, 3)))
    ventricle_mm = ndimage.distance_transform_edt(tissue != VENTRICLE, sampling=grid.step_mm)
    axes = [np.broadcast_to(axis, pieces.shape) for axis in grid.axes(anatomy.box)[::-1]]
    described = []
    for number, box in enumerate(ndimage.find_objects(pieces), 1):
        inside = pieces[box] == number
        centre = [float(axis[box][inside].mean(dtype=np.float64)) for axis in axes]
        x, y, z = (float(p[box][inside].mean(dtype=np.float64)) for p in anatomy.place)
        found = np.bincount(labels[box][inside], minlength=max(LABELS) + 1)
        described.append(
            {
                "label": number,
                "site": place_name((x, y, z)),
                "kinds_ml": {
                    name: round(int(found[value]) * voxel_ml, 3)
                    for value, name in LABELS.items()
                    if found[value]
                },
                "volume_ml": round(int(inside.sum()) * voxel_ml, 3),
                "centre_lps_mm": [round(value, 2) for value in centre],
                "ventricle_mm": round(float(ventricle_mm[box][inside].min()), 1),
            }
        )
    return described


def _whole(part: Labels, anatomy: Anatomy) -> Labels:
    whole = np.zeros(anatomy.grid.shape, part.dtype)
    whole[anatomy.box] = part
    return whole


def _image(array: npt.NDArray[Any], grid: Grid) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetOrigin(grid.first_mm)
    image.SetSpacing((grid.step_mm,) * 3)
    return image
