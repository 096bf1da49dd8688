"""Make the picture of whole-body phantoms that the documentation shows.

    python docs/tools/phantom_picture.py Resources/Screenshots/phantoms.png
        [--real SUVbw.nii.gz] [--first SEED]

Coronal maximum intensity projections of 24 phantoms' PET, 8 a row, all on one scale of mm, and of a
real one, framed, at the end of the last row. Black is SUV 8 and more. The patient's right side
is on the left.
"""

from __future__ import annotations

import argparse

import numpy as np
import SimpleITK as sitk
from PETAnomalyLib.engine.phantom import generate
from PIL import Image

COLUMNS, ROWS = 8, 3
PHANTOMS = COLUMNS * ROWS
PIXEL_MM = 5.0
WIDTH_MM, HEIGHT_MM = 640.0, 1120.0
BLACK_SUV = 8.0
GAMMA = 0.7  # livers are seen beside bladders
FRAME = 3  # pixels


def tile(suv: sitk.Image) -> np.ndarray:
    """The projection of a PET, white to black, in the middle of its place."""
    spacing = suv.GetSpacing()
    size = suv.GetSize()
    pixels = (round(WIDTH_MM / PIXEL_MM), round(HEIGHT_MM / PIXEL_MM))
    volume = sitk.GetArrayFromImage(sitk.DICOMOrient(suv, "LPS"))
    projection = sitk.GetImageFromArray(volume.max(axis=1)[::-1])  # head up
    projection.SetSpacing((spacing[0], spacing[2]))
    wide, high = size[0] * spacing[0], size[2] * spacing[2]
    shown = sitk.Resample(
        projection,
        pixels,
        sitk.Transform(2, sitk.sitkIdentity),
        sitk.sitkLinear,
        ((wide - WIDTH_MM) / 2, min(0.0, (high - HEIGHT_MM) / 2)),
        (PIXEL_MM, PIXEL_MM),
        (1.0, 0.0, 0.0, 1.0),
        0.0,
    )
    values = np.clip(sitk.GetArrayFromImage(shown) / BLACK_SUV, 0, 1) ** GAMMA
    return (255 * (1 - values)).astype(np.uint8)


def framed(picture: np.ndarray) -> np.ndarray:
    """With a dark frame."""
    picture = picture.copy()
    picture[:FRAME] = picture[-FRAME:] = 60
    picture[:, :FRAME] = picture[:, -FRAME:] = 60
    return picture


def main() -> None:
    """Write the picture."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0], allow_abbrev=False)
    parser.add_argument("file")
    parser.add_argument("--real", metavar="FILE", help="a real PET, SUVbw")
    parser.add_argument("--first", type=int, default=1, help="seed of the first phantom")
    options = parser.parse_args()
    tiles = [tile(generate(options.first + number).suv) for number in range(PHANTOMS)]
    rows = [np.concatenate(tiles[r * COLUMNS : (r + 1) * COLUMNS], axis=1) for r in range(ROWS)]
    if options.real:
        real = framed(tile(sitk.ReadImage(options.real, sitk.sitkFloat32)))
        beside = [np.full_like(real, 255)] * (ROWS - 1) + [real]
        rows = [np.concatenate(pair, axis=1) for pair in zip(rows, beside, strict=True)]
    picture = Image.fromarray(np.concatenate(rows)).quantize(64)
    picture.save(options.file, optimize=True)


if __name__ == "__main__":
    main()
