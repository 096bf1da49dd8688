"""On honest files the reader gives what ITK and nibabel give, to the last bit."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import nibabel
import nrrd
import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from image_files import NIFTI_CODES, same_image, write_meta_image, write_nifti, write_nrrd
from PETAnomalyLib.engine.study.image_file import read_image_file

TO_LPS = np.diag([-1.0, -1.0, 1.0, 1.0])
HONEST = settings(max_examples=60, deadline=None,
                  suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip

numbers = st.floats(-1000, 1000, width=32)
spacings = st.lists(st.floats(0.5, 9, width=32), min_size=3, max_size=3)
turns = st.lists(st.floats(-3, 3, width=32), min_size=3, max_size=3)
sizes = st.lists(st.integers(1, 6), min_size=3, max_size=3)
kinds = st.sampled_from(sorted(NIFTI_CODES))


def rotation(angles: list[float]) -> Any:
    euler = sitk.Euler3DTransform()
    euler.SetRotation(*angles)
    return np.array(euler.GetMatrix()).reshape(3, 3)


def values_of(kind: str, size: list[int], seed: int = 0) -> Any:
    """(k, j, i), over all that the type can hold."""
    chance = np.random.default_rng(seed)
    if kind[0] == "f":
        return chance.normal(0, 1000, size[::-1]).astype(kind)
    limits = np.iinfo(kind)
    return chance.integers(limits.min, limits.max, size[::-1], kind, endpoint=True)


def affine_of(image: sitk.Image) -> Any:
    """Voxel to LPS, mm."""
    whole = np.eye(4)
    whole[:3, :3] = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
    whole[:3, 3] = image.GetOrigin()
    return whole


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".nhdr", ".mha", ".mhd"])
@pytest.mark.parametrize("packed", [True, False])
@HONEST
@given(kinds, sizes, spacings, turns, st.lists(numbers, min_size=3, max_size=3), st.booleans())
def test_what_itk_wrote_is_read_as_itk_reads_it(
    tmp_path: Path, suffix: str, packed: bool, kind: str, size: list[int],
    spacing: list[float], angles: list[float], origin: list[float], mirrored: bool,
) -> None:  # fmt: skip
    image = sitk.GetImageFromArray(values_of(kind, size))
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    image.SetDirection((rotation(angles) * (1, 1, -1 if mirrored else 1)).ravel().tolist())
    path = tmp_path / f"p{suffix}"
    sitk.WriteImage(image, str(path), packed)
    read, expected = read_image_file(path)[0], sitk.ReadImage(str(path))
    assert read.GetPixelID() == expected.GetPixelID()
    assert np.array_equal(sitk.GetArrayViewFromImage(read), sitk.GetArrayViewFromImage(expected))
    assert np.allclose(affine_of(read), affine_of(expected), rtol=0, atol=1e-12)
    if suffix.startswith(".nii"):
        assert same_image(read, expected)


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("code", [1, 2])
@HONEST
@given(kinds, sizes, spacings, turns, st.lists(numbers, min_size=3, max_size=3), st.booleans())
def test_what_nibabel_wrote_is_read_as_nibabel_and_itk_read_it(
    tmp_path: Path, order: str, code: int, kind: str, size: list[int],
    spacing: list[float], angles: list[float], origin: list[float], mirrored: bool,
) -> None:  # fmt: skip
    affine = np.eye(4)
    affine[:3, :3] = rotation(angles) * (1, 1, -1 if mirrored else 1) * spacing
    affine[:3, 3] = origin
    header = nibabel.Nifti1Header(endianness=order)
    header.set_data_dtype(kind)
    values = values_of(kind, size)
    for forms in (("q", "s"), ("q",), ("s",)):
        image = nibabel.Nifti1Image(values.T, affine, header, dtype=np.dtype(kind))
        image.set_qform(affine, code if "q" in forms else 0)
        image.set_sform(affine, code if "s" in forms else 0)
        nibabel.save(image, tmp_path / "p.nii.gz")
        read, _, warnings = read_image_file(tmp_path / "p.nii.gz")
        assert warnings == ()
        assert np.array_equal(sitk.GetArrayViewFromImage(read), values)
        # A quaternion in single precision is less exact near half a turn.
        assert affine_of(read) == pytest.approx(TO_LPS @ affine, abs=1e-3 * max(spacing))
        expected = sitk.ReadImage(str(tmp_path / "p.nii.gz"))
        assert affine_of(read) == pytest.approx(affine_of(expected), abs=1e-3 * max(spacing))
        if code == 1:  # else ITK takes whichever of the two is more exact
            assert same_image(read, expected)


@pytest.mark.parametrize("axes", itertools.permutations(range(3)))
@pytest.mark.parametrize("signs", itertools.product((1, -1), repeat=3))
def test_all_48_orientations_are_read_as_nibabel_and_itk_read_them(
    tmp_path: Path, axes: tuple[int, ...], signs: tuple[int, ...]
) -> None:
    affine = np.eye(4)
    affine[:3, :3] = (np.eye(3) * signs)[:, axes] * (2.5, 3.0, 4.5)
    affine[:3, 3] = (-100.5, 20.25, 313.0)
    values = values_of("i2", [3, 4, 5])
    nibabel.save(nibabel.Nifti1Image(values.T, affine), tmp_path / "p.nii")
    read = read_image_file(tmp_path / "p.nii")[0]
    assert same_image(read, sitk.ReadImage(str(tmp_path / "p.nii")))
    assert np.array_equal(affine_of(read), TO_LPS @ affine)


@HONEST
@given(
    kinds,
    st.sampled_from("<>"),
    st.floats(-8, 8, width=32).filter(lambda slope: slope == 0 or abs(slope) > 1e-30),
    st.floats(-2000, 2000, width=32),
)
def test_scaled_values_are_nibabels_and_itks(
    tmp_path: Path, kind: str, order: str, slope: float, inter: float
) -> None:
    values = values_of(kind, [3, 4, 5]) if kind not in ("i8", "u8") else np.arange(60).astype(kind)
    path = write_nifti(tmp_path / "p.nii", values.reshape(5, 4, 3), order=order, slope=slope,
                       inter=inter, sform=(1, np.eye(4)[:3].ravel() * 4))  # fmt: skip
    read = sitk.GetArrayFromImage(read_image_file(path)[0])
    loaded: Any = nibabel.load(path)
    expected = loaded.get_fdata().T
    # nibabel's own scaling is in double precision; ours is rounded to single at the end.
    largest = np.abs(expected).max() + abs(inter)
    assert read == pytest.approx(expected, rel=1e-6, abs=1e-6 * largest)
    itk = sitk.ReadImage(str(path))
    if abs(slope) > 1e-15 and kind in ("u1", "i1", "u2", "i2", "f4", "f8"):
        assert read_image_file(path)[0].GetPixelID() == itk.GetPixelID()
        assert np.array_equal(read, sitk.GetArrayFromImage(itk))


@HONEST
@given(
    st.sampled_from(["i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4", "f8"]),
    st.sampled_from(["raw", "gzip", "ascii"]),
    st.sampled_from(["LPS", "left-anterior-superior", "right-anterior-superior", "RAS", None]),
    sizes, spacings, turns, st.sampled_from(["<", ">"]), st.booleans(),
)  # fmt: skip
def test_what_pynrrd_wrote_is_read_as_itk_reads_it(
    tmp_path: Path, kind: str, encoding: str, space: str | None, size: list[int],
    spacing: list[float], angles: list[float], order: str, detached: bool,
) -> None:  # fmt: skip
    values = values_of(kind, size)
    if encoding == "ascii":
        values = np.arange(values.size).reshape(values.shape).astype(kind)
        order = "<"
    header: dict[str, Any] = {"encoding": encoding, "note": "a: b", "endian": "little"}
    if space is None:
        header["spacings"] = spacing
    else:
        header |= {"space": space, "space origin": [1.5, -2.5, 3.5],
                   "space directions": rotation(angles).T * np.array(spacing)[:, None]}  # fmt: skip
    if order == ">":
        header["endian"] = "big"
        values = values.astype(values.dtype.newbyteorder(">"))
    path = tmp_path / ("p.nhdr" if detached else "p.nrrd")
    nrrd.write(str(path), values.T, header)
    read, expected = read_image_file(path)[0], sitk.ReadImage(str(path))
    assert np.array_equal(sitk.GetArrayViewFromImage(read), values)
    assert read.GetPixelID() == expected.GetPixelID()
    assert np.allclose(affine_of(read), affine_of(expected), rtol=0, atol=1e-12)


@HONEST
@given(
    st.sampled_from(["CHAR", "UCHAR", "SHORT", "USHORT", "INT", "UINT", "LONG", "ULONG",
                     "LONG_LONG", "ULONG_LONG", "FLOAT", "DOUBLE"]),
    st.booleans(), sizes, spacings, turns, st.integers(0, 2), st.sampled_from([0, 7, -1]),
)  # fmt: skip
def test_meta_images_in_all_spellings_are_read_as_itk_reads_them(
    tmp_path: Path, kind: str, big: bool, size: list[int], spacing: list[float],
    angles: list[float], spelling: int, skip: int,
) -> None:  # fmt: skip
    codes = {"CHAR": "i1", "UCHAR": "u1", "SHORT": "i2", "USHORT": "u2", "INT": "i4", "UINT": "u4",
             "LONG": "i4", "ULONG": "u4", "LONG_LONG": "i8", "ULONG_LONG": "u8", "FLOAT": "f4",
             "DOUBLE": "f8"}  # fmt: skip
    values = values_of(codes[kind], size)
    stored = values.astype(values.dtype.newbyteorder(">" if big else "<")).tobytes()
    words = [" ".join(map(repr, map(float, part))) for part in
             (rotation(angles).ravel(), (1.5, 2.5, -3.5), spacing)]  # fmt: skip
    (tmp_path / "data with blanks.raw").write_bytes(b"x" * (3 if skip == -1 else skip) + stored)
    fields: dict[str, object] = dict.fromkeys(
        ["TransformMatrix", "Offset", "ElementSpacing", "BinaryDataByteOrderMSB"]
    )
    fields[("TransformMatrix", "Rotation", "Orientation")[spelling]] = words[0]
    fields[("Offset", "Position", "Origin")[spelling]] = words[1]
    fields[("ElementSpacing", "ElementSpacing", "ElementSize")[spelling]] = words[2]
    fields[("BinaryDataByteOrderMSB", "ElementByteOrderMSB")[spelling % 2]] = big
    fields |= {"DimSize": " ".join(map(str, size)), "ElementType": f"MET_{kind}"}
    fields |= {"HeaderSize": skip, "ElementDataFile": "data with blanks.raw"}
    path = write_meta_image(tmp_path / "p.mhd", b"", **fields)
    read = read_image_file(path)[0]
    assert np.array_equal(sitk.GetArrayViewFromImage(read), values)
    assert same_image(read, sitk.ReadImage(str(path)))


def test_layers_time_and_axes_of_one_are_told_apart(tmp_path: Path) -> None:
    data = np.arange(24, dtype="<i2").tobytes()
    path = write_nrrd(tmp_path / "t.nrrd", data, dimension=4, sizes="2 3 4 1",
                      kinds="domain domain domain time",
                      space_directions="(2,0,0) (0,3,0) (0,0,4) none")  # fmt: skip
    assert np.array_equal(sitk.GetArrayViewFromImage(read_image_file(path)[0]).ravel(),
                          np.arange(24))  # fmt: skip
    path = write_nrrd(tmp_path / "s.nrrd", data, dimension=4, sizes="1 2 3 4",
                      kinds="stub domain domain domain",
                      space_directions="none (2,0,0) (0,3,0) (0,0,4)")  # fmt: skip
    assert read_image_file(path)[0].GetSpacing() == (2, 3, 4)


def test_real_files_are_read_as_itk_reads_them(real_data: Path) -> None:
    paths = [path for path in sorted(real_data.rglob("*.nii.gz")) if path.stat().st_size < 5e6]
    assert len(paths) > 30
    for path in paths:
        read, _, warnings = read_image_file(path)
        assert same_image(read, sitk.ReadImage(str(path)))
        assert warnings == ()
