"""Pictures from files: PNG, JPEG, BMP, TIFF, grey or colour, to intensities from 0 to 1.

A file is judged by what it declares before its pixels are unpacked: a few kilobytes can ask for
gigabytes.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.input_path import open_input, shown

Array = npt.NDArray[np.float32]

FORMATS = ("PNG", "JPEG", "BMP", "TIFF")
SMALLEST, LARGEST = 16, 8192  # pixels along an edge
_EIGHT_BITS = {"1", "L", "LA", "P", "PA", "RGB", "RGBA"}
_SIXTEEN_BITS = {"I;16", "I;16L", "I;16B"}
# Pillow's decoders raise whatever their struct and zlib do.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, MemoryError, ArithmeticError,
               LookupError, TypeError, Image.DecompressionBombError)  # fmt: skip


def read_picture(path: Path, size: tuple[int, int], channels: int) -> Array:
    """A picture at a model's size, C x rows x columns, 0 to 1.

    Args:
        path: the file.
        size: rows and columns. Pixels are averaged, or interpolated where there are too few.
        channels: 1 for grey (ITU-R 601 luma of a colour picture), 3 for colour.

    Raises:
        InputError: it cannot be read, is no picture, or of a kind that says nothing about
            intensities from 0 to 1.
    """
    image = _opened(path)
    rows, columns = size
    if image.mode in _SIXTEEN_BITS:
        scaled = np.asarray(image, np.float32) / 65535.0
        image = Image.fromarray(scaled)
        whole = np.asarray(image.resize((columns, rows), Image.Resampling.BOX), np.float32)
        return np.repeat(whole[None], channels, axis=0).clip(0.0, 1.0)
    image = image.convert("L" if channels == 1 else "RGB")
    resampling = Image.Resampling.BOX
    if image.width < columns or image.height < rows:
        resampling = Image.Resampling.BICUBIC
    pixels = np.asarray(image.resize((columns, rows), resampling), np.float32) / 255.0
    return pixels[None] if channels == 1 else np.ascontiguousarray(pixels.transpose(2, 0, 1))


def read_defect(path: Path, size: tuple[int, int]) -> npt.NDArray[np.bool_]:
    """The pixels of a defect at a model's size, rows x columns; white in the file.

    A pixel counts where half of it is white, and at least the one that most of is.

    Raises:
        InputError: as of `read_picture`, or nothing is white.
    """
    rows, columns = size
    white = np.asarray(_opened(path).convert("L")) > 0
    if not white.any():
        raise InputError(f"{shown(path)} marks no defect.", "Leave such a picture in test/good.")
    share = Image.fromarray(white.astype(np.float32)).resize((columns, rows), Image.Resampling.BOX)
    values = np.asarray(share)
    return np.asarray(values >= min(0.5, float(values.max())))


def picture_size(path: Path) -> tuple[int, int]:
    """Rows and columns of a picture that shows something; every pixel was read.

    Raises:
        InputError: as of `read_picture`, or all pixels are the same.
    """
    image = _opened(path)
    pixels = np.asarray(image).reshape(image.height * image.width, -1)
    if (pixels == pixels[0]).all():
        raise InputError(f"{shown(path)} has one colour only.", "Leave it out.")
    return image.height, image.width


def mask_size(path: Path) -> tuple[int, int]:
    """Rows and columns of a mask, of which every pixel was read.

    Raises:
        InputError: as of `read_picture`.
    """
    image = _opened(path)
    return image.height, image.width


def _opened(path: Path) -> Image.Image:
    with open_input(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of metadata that nobody asks for
        try:
            image = Image.open(file, formats=FORMATS)
            _check(path, image)
            image.load()
        except _UNREADABLE as error:
            raise InputError(
                f"{shown(path)} cannot be read as a picture: {_reason(error)}.",
                f"Give a whole file of {', '.join(FORMATS)}.",
            ) from error
    return image


def _reason(error: Exception) -> str:
    text = "".join(c if c.isprintable() else "?" for c in str(error)).split("<_io")[0].strip()
    return text[:120].rstrip(" .") or type(error).__name__


def _check(path: Path, image: Image.Image) -> None:
    name, edges = shown(path), f"{image.width} x {image.height} pixels"
    if min(image.size) < SMALLEST or max(image.size) > LARGEST:
        raise InputError(
            f"{name} has {edges}.", f"A picture has {SMALLEST} to {LARGEST} along each edge."
        )
    if image.mode not in _EIGHT_BITS | _SIXTEEN_BITS:
        raise InputError(
            f"{name} has pixels of the kind '{image.mode}'.",
            "Save it as grey or RGB with 8 bits a channel, or as grey with 16.",
        )
    if getattr(image, "n_frames", 1) > 1:
        raise InputError(f"{name} holds several pictures.", "Save each in a file of its own.")
