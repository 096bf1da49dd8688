"""Pictures are read as they are, and those that say nothing reliable are refused in words."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.picture_file import (
    mask_size,
    picture_size,
    read_defect,
    read_picture,
)
from PIL import Image

COLOUR = np.random.default_rng(0).integers(0, 256, (32, 48, 3), np.uint8)


def saved(folder: Path, pixels: np.ndarray, name: str = "a.png", mode: str | None = None) -> Path:
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(folder / name)
    return folder / name


def test_a_colour_picture_is_its_bytes_over_255(tmp_path: Path) -> None:
    found = read_picture(saved(tmp_path, COLOUR), (32, 48), 3)
    assert np.allclose(found, COLOUR.transpose(2, 0, 1) / 255)
    assert picture_size(tmp_path / "a.png") == (32, 48)


def test_half_the_size_is_the_mean_of_four(tmp_path: Path) -> None:
    found = read_picture(saved(tmp_path, COLOUR), (16, 24), 3)
    means = COLOUR.reshape(16, 2, 24, 2, 3).mean((1, 3)).transpose(2, 0, 1) / 255
    assert np.abs(found - means).max() < 1.5 / 255  # bytes are rounded along each axis


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("mode", ["L", "1", "P", "RGBA", "LA"])
def test_every_kind_of_eight_bits_becomes_what_the_model_has(
    tmp_path: Path, mode: str, channels: int
) -> None:
    found = read_picture(saved(tmp_path, COLOUR, mode=mode), (32, 48), channels)
    assert found.shape == (channels, 32, 48)
    assert 0 <= found.min() < 0.2
    assert 0.8 < found.max() <= 1


def test_sixteen_bits_are_a_65535th(tmp_path: Path) -> None:
    pixels = np.random.default_rng(1).integers(0, 65536, (20, 20), np.uint16)
    found = read_picture(saved(tmp_path, pixels), (20, 20), 1)
    assert np.abs(found[0] - pixels / 65535).max() < 1e-5


def test_a_defects_pixel_is_half_white_and_a_thin_one_is_not_lost(tmp_path: Path) -> None:
    white = np.zeros((32, 32), np.uint8)
    white[4:12, 4:12] = 255
    found = read_defect(saved(tmp_path, white), (16, 16))
    assert (found == (white[::2, ::2] > 0)).all()
    thin = np.zeros((32, 32), np.uint8)
    thin[9, 9] = 255
    found = read_defect(saved(tmp_path, thin, "thin.png"), (16, 16))
    assert np.argwhere(found).tolist() == [[4, 4]]
    assert mask_size(tmp_path / "thin.png") == (32, 32)


def truncated(folder: Path) -> Path:
    whole = saved(folder, COLOUR).read_bytes()
    (folder / "a.png").write_bytes(whole[: len(whole) // 2])
    return folder / "a.png"


def bomb(folder: Path) -> Path:
    """A few bytes that declare 30,000 x 30,000 pixels."""
    header = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\0")), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    ]
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return folder / "a.png"


def no_picture(folder: Path) -> Path:
    (folder / "a.png").write_text("not a picture")
    return folder / "a.png"


def empty(folder: Path) -> Path:
    (folder / "a.png").write_bytes(b"")
    return folder / "a.png"


def pipe(folder: Path) -> Path:
    os.mkfifo(folder / "a.png")
    return folder / "a.png"


def tiny(folder: Path) -> Path:
    return saved(folder, COLOUR[:4, :4])


def four_inks(folder: Path) -> Path:
    return saved(folder, COLOUR, "a.tif", "CMYK")


def floats(folder: Path) -> Path:
    return saved(folder, np.random.default_rng(0).random((32, 32), np.float32), "a.tif")


def several(folder: Path) -> Path:
    image = Image.fromarray(COLOUR)
    image.save(folder / "a.tif", save_all=True, append_images=[image])
    return folder / "a.tif"


def gif(folder: Path) -> Path:
    return saved(folder, COLOUR, "a.gif")


def absent(folder: Path) -> Path:
    return folder / "a.png"


def flat(folder: Path) -> Path:
    return saved(folder, np.full((32, 32, 3), 7, np.uint8))


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (truncated, "cannot be read as a picture"),
        (bomb, "900000000 pixels"),
        (no_picture, "cannot be read as a picture"),
        (empty, "cannot be read as a picture"),
        (pipe, "is a pipe"),
        (tiny, "4 x 4 pixels"),
        (four_inks, "of the kind 'CMYK'"),
        (floats, "of the kind 'F'"),
        (several, "several pictures"),
        (gif, "cannot be read as a picture"),
        (absent, "does not exist"),
        (flat, "one colour only"),
    ],
)
def test_what_is_no_usable_picture_is_refused(
    tmp_path: Path, make: Callable[[Path], Path], words: str
) -> None:
    with pytest.raises(InputError, match=words) as refused:
        picture_size(make(tmp_path))
    assert refused.value.hint


def test_a_mask_without_a_white_pixel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="marks no defect"):
        read_defect(saved(tmp_path, np.zeros((32, 32), np.uint8)), (16, 16))
