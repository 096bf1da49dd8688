"""The one who reads: the engine of this checkout, an older one, or ITK with nothing around it.

A way of reading takes a path and gives an image, LPS, and warnings:
    image    an image file as it is
    pet, ct  an image file or a DICOM folder as a study's PET or CT
    suv      a DICOM folder, converted to a file by what is behind `petanomaly suv`, read again
    lesions  a lesion mask on the grid of a PET
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import SimpleITK as sitk

Answer = tuple[sitk.Image, Sequence[str]]
Way = Callable[[Path, sitk.Image], Answer]
"""The second argument is the PET's grid, which only lesions need."""


class Reader(NamedTuple):
    """Ways by name, and the error by which it refuses."""

    ways: Mapping[str, Way]
    refusal: type[Exception]


def reader_of(checkout: Path | None) -> Reader:
    """The engine in a checkout of this repository; None: ITK.

    The engine's rooms were one flat folder up to commit d4fb807.
    """
    if checkout is None:
        ways = ("image", "pet", "ct", "suv", "lesions")
        return Reader(dict.fromkeys(ways, _by_itk), RuntimeError)
    sys.path.insert(0, str(checkout / "PETAnomaly"))
    engine = "PETAnomalyLib.engine."
    flat = not (checkout / "PETAnomaly/PETAnomalyLib/engine/study").is_dir()
    study_room, runtime_room = ("", "") if flat else ("study.", "runtime.")
    image_file = importlib.import_module(f"{engine}{study_room}image_file")
    study = importlib.import_module(f"{engine}{study_room}study")
    lesion_mask = importlib.import_module(f"{engine}{study_room}lesion_mask")
    suv = importlib.import_module(f"{engine}{'suv' if flat else 'study.dicom.suv_file'}")
    errors = importlib.import_module(f"{engine}{runtime_room}errors")

    def image(path: Path, _grid: sitk.Image) -> Answer:
        read, _, warnings = image_file.read_image_file(path)
        return read, warnings

    def pet(path: Path, _grid: sitk.Image) -> Answer:
        read, _, warnings = study.read_pet(path)
        return read, warnings

    def ct(path: Path, _grid: sitk.Image) -> Answer:
        read, _, warnings = study.read_ct(path)
        return read, warnings

    def converted(path: Path, _grid: sitk.Image) -> Answer:
        with tempfile.TemporaryDirectory() as folder:
            out = Path(folder) / "suv.nrrd"
            _, warnings = suv.write_suv(path, out)
            return sitk.ReadImage(str(out)), warnings

    def lesions(path: Path, grid: sitk.Image) -> Answer:
        answer: Any = lesion_mask.read_lesions(path, grid)
        drawn, warnings = answer if isinstance(answer, tuple) else (answer, ())
        read = sitk.GetImageFromArray(drawn.astype("uint8"))
        read.CopyInformation(grid)
        return read, warnings

    return Reader(
        {"image": image, "pet": pet, "ct": ct, "suv": converted, "lesions": lesions},
        errors.PETAnomalyError,
    )


def _by_itk(path: Path, _grid: sitk.Image) -> Answer:
    return sitk.ReadImage(str(path)), ()
