"""MetaImage headers: what they say is done, or refused with the reason."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from image_files import same_image, write_meta_image
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
    ("fields", "data"),
    [
        ({}, DATA),
        ({"ElementDataFile": "Local"}, DATA),
        ({"ObjectType": None, "BinaryData": None, "CompressedData": None}, DATA),
        ({"0010|0020": "a = b", "AnatomicalOrientation": "RAI", "a b c": ""}, DATA),
        ({"NDims": 4, "DimSize": "2 3 4 1", "ElementSpacing": "2 3 4 5", "Offset": "1 2 3 4",
          "TransformMatrix": "0 1 0 0 0 0 1 0 1 0 0 0 0 0 0 1"}, DATA),
        ({"HeaderSize": -1}, b"more" + DATA),
        ({"CompressedData": True, "CompressedDataSize": len(zlib.compress(DATA))},
         zlib.compress(DATA)),
        ({"ElementToIntensityFunctionSlope": 1, "ElementToIntensityFunctionOffset": 0}, DATA),
    ],
)  # fmt: skip
def test_a_header_in_order_is_read_as_itk_reads_it(
    tmp_path: Path, fields: dict[str, Any], data: bytes
) -> None:
    path = write_meta_image(tmp_path / "p.mha", data, **fields)
    image, _, warnings = read_image_file(path)
    assert warnings == ()
    expected = sitk.ReadImage(str(path))
    if expected.GetDimension() == 4:
        expected = sitk.Extract(expected, [2, 3, 4, 0])
    assert same_image(image, expected)


def test_gzip_in_the_place_of_zlib_and_windows_lines_are_read(tmp_path: Path) -> None:
    path = write_meta_image(tmp_path / "p.mha", gzip.compress(DATA), CompressedData=True)
    assert np.array_equal(sitk.GetArrayFromImage(read_image_file(path)[0]).ravel(), VALUES)
    header, _, _ = write_meta_image(path, b"").read_bytes().partition(b"LOCAL\n")
    path.write_bytes(header.replace(b"\n", b"\r\n").replace(b" =", b":") + b"LOCAL\r\n" + DATA)
    assert np.array_equal(sitk.GetArrayFromImage(read_image_file(path)[0]).ravel(), VALUES)


def test_a_spacing_that_is_not_stated_is_told(tmp_path: Path) -> None:
    path = write_meta_image(tmp_path / "p.mha", DATA, ElementSpacing=None)
    assert read_image_file(path)[2] == ("p.mha states no voxel spacing: 1 mm is taken.",)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"NDims": None}, "'NDims' is missing"),
        ({"NDims": 2}, "impossible"),
        ({"NDims": "x"}, "no whole number"),
        ({"NDims": 2, "DimSize": "6 4", "ElementSpacing": "1 1", "Offset": "0 0",
          "TransformMatrix": "1 0 0 1"}, "2-D picture"),
        ({"DimSize": "2 3"}, "impossible"),
        ({"DimSize": "2 3 -4"}, "impossible"),
        ({"DimSize": "0 3 4"}, "impossible"),
        ({"ElementType": "MET_OTHER"}, "'MET_OTHER'"),
        ({"ElementType": "MET_FLOAT"}, "truncated"),
        ({"ElementType": "MET_UCHAR"}, "more bytes"),
        ({"ElementNumberOfChannels": 2, "DimSize": "2 3 2"}, "2 values a voxel"),
        ({"ElementNumberOfChannels": 0}, "0 values a voxel"),
        ({"ObjectType": "Tube"}, "another kind, Tube"),
        ({"BinaryData": False}, "text"),
        ({"ElementToIntensityFunctionSlope": 2}, "rescaled"),
        ({"ElementToIntensityFunctionOffset": -1024}, "rescaled"),
        ({"HeaderSize": 4}, "HeaderSize is 4"),
        ({"HeaderSize": -2}, "HeaderSize is -2"),
        ({"ElementSpacing": "2 3 0"}, "voxel spacing"),
        ({"ElementSpacing": "2 -3 4"}, "voxel spacing"),
        ({"ElementSpacing": "2 3"}, "2 numbers, not 3"),
        ({"ElementSpacing": "2 3 1e308"}, "1e+308 mm"),
        ({"ElementSpacing": "2 3 nan"}, "NaN"),
        ({"Offset": "0 inf 0"}, "NaN or infinite"),
        ({"TransformMatrix": "1 0 0 0.2 1 0 0 0 1"}, "not perpendicular"),
        ({"TransformMatrix": "2 0 0 0 1 0 0 0 1"}, "no rotation"),
        ({"TransformMatrix": "0 0 0 0 0 0 0 0 0"}, "no rotation"),
        ({"TransformMatrix": "1 0 0 0 nan 0 0 0 1"}, "NaN"),
        ({"TransformMatrix": "1 0 0"}, "3 numbers, not 9"),
        ({"CompressedData": True}, "damaged"),
        ({"\xff": "x", "DimSize ": "2 3 3"}, "twice"),
    ],
)  # fmt: skip
def test_a_header_that_cannot_be_is_refused_with_its_reason(
    tmp_path: Path, fields: dict[str, Any], said: str
) -> None:
    assert said in refusal(write_meta_image(tmp_path / "p.mha", DATA, **fields))


@pytest.mark.parametrize("seed", range(4))
def test_any_damage_to_a_header_is_refused_or_read_never_a_traceback(
    tmp_path: Path, seed: int
) -> None:
    whole = write_meta_image(tmp_path / "p.mha", DATA, HeaderSize=0).read_bytes()
    chance = np.random.default_rng(seed)
    signs = np.frombuffer(b"0123456789 -+.e:=(),\n\r#nainf\0\xff%/", np.uint8)
    for _ in range(400):
        damaged = bytearray(whole)
        for place in chance.integers(0, len(whole) - len(DATA), chance.integers(1, 4)):
            damaged[place] = chance.choice(signs)
        (tmp_path / "p.mha").write_bytes(bytes(damaged))
        try:
            image = read_image_file(tmp_path / "p.mha")[0]
        except InputError:
            continue
        assert np.all(np.isfinite(image.GetDirection() + image.GetOrigin() + image.GetSpacing()))
        assert min(image.GetSpacing()) > 0
