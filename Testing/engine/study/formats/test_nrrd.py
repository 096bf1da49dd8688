"""NRRD headers: what they say is done, or refused with the reason."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from image_files import same_image, write_nrrd
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.image_file import read_image_file

VALUES = np.arange(24, dtype="<i2")
DATA = VALUES.tobytes()


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as raised:
        read_image_file(path)
    assert raised.value.hint
    return raised.value.message


@pytest.mark.parametrize(
    "directions",
    ["(2,0,0) (1,3,0) (0,0,4)", "(2,0,0) (2,0,0) (0,0,4)", "(2,0,0) (0,3,0) (0.1,0,4)",
     "(2,0,0) (0,3,0) (1,1,1)"],
)  # fmt: skip
def test_skewed_directions_are_refused(tmp_path: Path, directions: str) -> None:
    path = write_nrrd(tmp_path / "p.nrrd", DATA, space_directions=directions)
    assert "not perpendicular" in refusal(path)


@pytest.mark.parametrize(
    "directions",
    ["(nan,0,0) (0,3,0) (0,0,4)", "(2,0,0) (0,inf,0) (0,0,4)", "(0,0,0) (0,3,0) (0,0,4)",
     "(1e999,0,0) (0,3,0) (0,0,4)", "(1e-200,0,0) (0,3,0) (0,0,4)", "(1e200,0,0) (0,3,0) (0,0,4)"],
)  # fmt: skip
def test_directions_that_are_no_lengths_are_refused(tmp_path: Path, directions: str) -> None:
    refusal(write_nrrd(tmp_path / "p.nrrd", DATA, space_directions=directions))


def test_rounded_directions_are_read(tmp_path: Path) -> None:
    path = write_nrrd(tmp_path / "p.nrrd", DATA,
                      space_directions="(1.4142,1.4142,0) (-2.1213,2.1213,0) (0,0,4)")  # fmt: skip
    image, _, warnings = read_image_file(path)
    assert warnings == ()
    assert image.GetSpacing() == pytest.approx((2, 3, 4), rel=1e-4)


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({}, []),
        ({"space": "RAS"}, []),
        ({"space": "right-anterior-superior"}, ["a key:=a: value := x", "# remark"]),
        ({"space": "left-anterior-superior"}, []),
        ({"space": "scanner-xyz"}, []),
        ({"space": None, "space_dimension": 3}, []),
        ({"space_origin": None}, []),
        ({"space": None, "space_directions": None, "space_origin": None}, []),
        ({"space": None, "space_directions": None, "space_origin": None}, ["spacings: 2 3 4"]),
        ({"space": None, "space_directions": None, "space_origin": None},
         ["spacings: 2 3 4", "axis mins: 10 20 30"]),
        ({"space": None, "space_directions": None, "space_origin": None},
         ["spacings: 2 3 4", "axismins: 10 20 30", "centerings: node cell node"]),
        ({"type": "signed short int"}, ["kinds: domain domain domain", "content: a: b"]),
    ],
)  # fmt: skip
def test_geometry_is_itks(tmp_path: Path, fields: dict[str, Any], lines: list[str]) -> None:
    path = write_nrrd(tmp_path / "p.nrrd", DATA, *lines, **fields)
    image, _, warnings = read_image_file(path)
    assert same_image(image, sitk.ReadImage(str(path)))
    stated = fields.get("space", "LPS")
    anatomical = stated is not None and stated != "scanner-xyz"
    assert any("states no orientation" in warning for warning in warnings) == (not anatomical)
    no_spacing = "space_directions" in fields and not any("spacings" in line for line in lines)
    assert any("no voxel spacing: 1 mm is taken" in w for w in warnings) == no_spacing


@pytest.mark.parametrize(
    ("fields", "data"),
    [
        ({"byte_skip": 5}, b"12345" + DATA),
        ({"line_skip": 2}, b"one\ntwo\n" + DATA),
        ({"line_skip": 1, "byte_skip": 3}, b"one\nabc" + DATA),
        ({"byte_skip": -1}, b"anything" + DATA),
        ({"encoding": "gz"}, gzip.compress(DATA[:20]) + gzip.compress(DATA[20:])),
        ({"encoding": "ascii", "endian": None}, " ".join(map(str, VALUES)).encode()),
        ({"encoding": "text", "endian": None}, "\n".join(map(str, VALUES)).encode() + b"\n"),
    ],
)
def test_data_begin_where_the_header_says(
    tmp_path: Path, fields: dict[str, Any], data: bytes
) -> None:
    path = write_nrrd(tmp_path / "p.nrrd", data, **fields)
    assert np.array_equal(sitk.GetArrayFromImage(read_image_file(path)[0]).ravel(), VALUES)
    assert same_image(read_image_file(path)[0], sitk.ReadImage(str(path)))


@pytest.mark.parametrize(
    ("fields", "lines", "said"),
    [
        ({"type": "block"}, [], "'block' is missing or unknown"),
        ({"type": None}, [], "'type' is missing"),
        ({"sizes": None}, [], "'sizes' is missing"),
        ({"sizes": "2 3"}, [], "sizes are impossible"),
        ({"sizes": "2 3 -4"}, [], "sizes are impossible"),
        ({"sizes": "2 3 4.0"}, [], "no whole number"),
        ({"sizes": "0 3 4"}, [], "sizes are impossible"),
        ({"dimension": 4}, [], "sizes are impossible"),
        ({"endian": None}, [], "'endian' is missing"),
        ({"endian": "middle"}, [], "'middle'"),
        ({"encoding": "bzip2"}, [], "'bzip2'"),
        ({"encoding": "hex"}, [], "'hex'"),
        ({}, ["sizes: 2 3 4"], "twice"),
        ({}, ["no field"], "the line 'no field'"),
        ({}, ["byte skip: -2"], "byte skip is -2"),
        ({"encoding": "gzip"}, ["byte skip: -1"], "byte skip is -1"),
        ({}, ["space units: \"cm\" \"cm\" \"cm\""], "lengths are in cm"),
        ({"space_directions": "(2,0,0) (0,3,0)"}, [], "2 space directions for 3 axes"),
        ({"space_directions": "(2,0) (0,3) (0,0)"}, [], "three dimensions"),
        ({"space_directions": "2 3 4"}, [], "no vector"),
        ({"space_directions": "(a,0,0) (0,3,0) (0,0,4)"}, [], "could not convert"),
        ({"space_origin": "none"}, [], "three dimensions"),
        ({"space_origin": "(0,0)"}, [], "three dimensions"),
        ({"space_origin": ""}, [], "three dimensions"),
        ({"space_origin": "(0,0,0) (0,0,0)"}, [], "three dimensions"),
        ({"space_origin": "(0,0,1e300)"}, [], "1e+300 mm"),
        ({"space_directions": "(2,0,0) (0,3,0) (0,0,1e-30)"}, [], "voxel spacing"),
        ({"dimension": 2, "sizes": "6 4", "space": None, "space_directions": None,
          "space_origin": None}, [], "2-D picture"),
        ({"dimension": 4, "sizes": "2 3 2 2", "space_directions": "none (2,0,0) (0,3,0) (0,0,4)"},
         [], "2 values a voxel"),
        ({"dimension": 4, "sizes": "2 3 2 2", "space": None, "space_directions": None,
          "space_origin": None}, [], "is 4-D (2 x 3 x 2 x 2)"),
        ({"dimension": 5, "sizes": "2 2 3 2 1",
          "space_directions": "none none (2,0,0) (0,3,0) (0,0,4)"}, [], "none in space"),
        ({"space": None, "space_directions": None, "space_origin": None}, ["spacings: 2 3"],
         "fewer than its axes"),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_is_refused_with_its_reason(
    tmp_path: Path, fields: dict[str, Any], lines: list[str], said: str
) -> None:
    assert said in refusal(write_nrrd(tmp_path / "p.nrrd", DATA, *lines, **fields))


@pytest.mark.parametrize(
    "text", [b"1 2 x", b"1 2", b"1e9 " * 24, b"1.5 " * 24, b"1 " * 25, b"\xff"]
)
def test_text_that_is_not_these_numbers_is_refused(tmp_path: Path, text: bytes) -> None:
    refusal(write_nrrd(tmp_path / "p.nrrd", text, encoding="ascii", endian=None))


def test_a_header_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.nrrd").write_bytes(b"NRRD0004\ntype: short\ndimension: 3\n")
    assert "does not end" in refusal(tmp_path / "p.nrrd")


@pytest.mark.parametrize("seed", range(4))
def test_any_damage_to_a_header_is_refused_or_read_never_a_traceback(
    tmp_path: Path, seed: int
) -> None:
    whole = write_nrrd(tmp_path / "p.nrrd", DATA, "kinds: domain domain domain").read_bytes()
    chance = np.random.default_rng(seed)
    signs = np.frombuffer(b"0123456789 -+.e:=(),\n\r#nainf\0\xff%/", np.uint8)
    for _ in range(400):
        damaged = bytearray(whole)
        for place in chance.integers(0, len(whole) - len(DATA), chance.integers(1, 4)):
            damaged[place] = chance.choice(signs)
        (tmp_path / "p.nrrd").write_bytes(bytes(damaged))
        try:
            image = read_image_file(tmp_path / "p.nrrd")[0]
        except InputError:
            continue
        assert np.all(np.isfinite(image.GetDirection() + image.GetOrigin() + image.GetSpacing()))
        assert min(image.GetSpacing()) > 0
