"""NIfTI files: honest, with a header that lies, damaged, and with another file of the same stem."""

from __future__ import annotations

import gzip
from typing import Any

import nibabel
import numpy as np
from hypothesis import strategies as st

from fuzz.case import Array, Case, Content, Special
from fuzz.damage import FLOATS, SIZES, damaged, gzip_of_zeros, no_file
from fuzz.nifti_truth import nifti_truth
from fuzz.volumes import affines, values

_UNITS = {"mm": 1.0, "unknown": 1.0, "meter": 1e-3, "micron": 1e3}
_FIELDS = ("dim", "dim", "dim", "datatype", "bitpix", "pixdim", "pixdim", "vox_offset", "scl_slope",
           "scl_inter", "xyzt_units", "qform_code", "sform_code", "quatern_b", "quatern_c",
           "quatern_d", "qoffset_x", "qoffset_z", "srow_x", "srow_y", "srow_z", "magic",
           "sizeof_hdr", "intent_code", "descrip")  # fmt: skip
_CHANGES = ("honest", "header", "header", "header", "damage", "damage", "damage of the plain bytes",
            "sibling", "no file", "bomb", "not finite")  # fmt: skip


@st.composite
def nifti_cases(draw: st.DrawFn) -> Case:
    """One case; see `_CHANGES`."""
    made, way = draw(values())
    matrix = draw(affines())
    header, plain, story = draw(_written(made, matrix))
    change = draw(st.sampled_from(_CHANGES))
    packed = draw(st.booleans())
    name = draw(_names(packed))
    files: dict[str, Content] = {}
    if way == "lesions" and change == "header":
        way = "image"
    if change == "header":
        lies = [draw(_lies(header)) for _ in range(draw(_FEW))]
        if draw(st.integers(0, 9)) == 0:
            lies = [("dim", place, draw(st.sampled_from((1300, 32767)))) for place in (1, 2, 3)]
        plain, told = _with(header, plain, lies)
        story += told
    elif change == "damage of the plain bytes":
        plain, told_once = draw(damaged(plain))
        story.append(f"before packing {told_once}")
    elif change == "not finite" and made.dtype.kind == "f":
        stored = made.dtype.newbyteorder(header.endianness)
        plain = plain[: -made.itemsize] + np.array(np.nan, stored).tobytes()
        story.append("its last voxel is NaN")
    content: Content = gzip.compress(plain, draw(st.sampled_from((0, 1, 9))), mtime=0)
    content = content if packed else plain
    if change == "damage":
        content, told_once = draw(damaged(bytes(content)))
        story.append(told_once)
    elif change == "no file":
        content, told_once = draw(no_file())
        story.append(told_once)
    elif change == "bomb" and packed:
        content = bytes(content) + gzip_of_zeros(400)
        story.append("400 MB of zeros behind it, packed")
    elif change == "sibling":
        files, told_once = draw(_siblings(name, plain, made))
        story.append(told_once)
    files[name] = content
    return Case(
        story=("NIfTI", change, *story),
        files=files,
        target=name,
        way=way,
        truth=lambda: nifti_truth(content),
        honest=change in ("honest", "sibling"),
        grid=(matrix, made.shape[::-1]),
    )


_FEW = st.sampled_from((1, 1, 1, 2, 3))


@st.composite
def _written(draw: st.DrawFn, made: Array, matrix: Array) -> tuple[Any, bytes, list[str]]:
    """nibabel's header of a volume, the file, and what it is."""
    kind = draw(st.sampled_from((nibabel.Nifti1Header, nibabel.Nifti2Header)))
    header = kind(endianness=draw(st.sampled_from("<>")))
    header.set_data_shape(made.shape[::-1])
    header.set_data_dtype(made.dtype)
    unit = draw(st.sampled_from(("mm", "mm", "mm", *_UNITS)))
    header.set_xyzt_units(unit, "sec")
    in_unit = np.diag([-1.0, -1.0, 1.0, 1.0]) @ matrix
    in_unit[:3] *= _UNITS[unit]
    sform, qform = draw(st.sampled_from(((1, 1), (1, 0), (2, 0), (0, 1), (2, 1), (4, 3))))
    header.set_qform(in_unit, qform)
    header.set_sform(in_unit, sform)
    if draw(st.booleans()) and made.dtype.kind != "f":
        header["scl_slope"], header["scl_inter"] = 0.5, draw(st.sampled_from((0, 1)))
    else:
        header["scl_slope"], header["scl_inter"] = draw(st.sampled_from(((1, 0), (0, 0))))
    extension = draw(st.sampled_from((b"", b"\x10\0\0\0\x06\0\0\0comment\0")))
    header["vox_offset"] = header["sizeof_hdr"] + 4 + len(extension)
    header["magic"] = b"n+1" if kind is nibabel.Nifti1Header else b"n+2"
    voxels = made.astype(made.dtype.newbyteorder(header.endianness)).tobytes()
    flag = bytes([bool(extension), 0, 0, 0])
    told = [f"{kind.__name__} {header.endianness} {made.dtype} {unit} sform {sform} qform {qform}"]
    return header, header.binaryblock + flag + extension + voxels, told


@st.composite
def _names(draw: st.DrawFn, packed: bool) -> str:
    stem = draw(st.sampled_from(("x", "x", "x", "a b", "ü", "\udcff", "%s%n", "x.nii")))
    suffix = ".nii.gz" if packed else draw(st.sampled_from((".nii", ".nii", ".nii.gz")))
    return stem + (suffix.upper() if draw(st.integers(0, 9)) == 0 else suffix)


@st.composite
def _lies(draw: st.DrawFn, header: Any) -> tuple[str, int, Any]:
    """A field, where in it, and what it says."""
    field = draw(st.sampled_from(_FIELDS))
    stored = header.structarr[field]
    place = draw(st.integers(0, min(stored.size - 1, 4))) if stored.ndim else 0
    if stored.dtype.kind == "S":
        return field, 0, draw(st.sampled_from((b"ni1", b"", b"n+1", b"n+2", b"%s%n", b"Bq/ml")))
    known = stored.reshape(-1)[place]
    if stored.dtype.kind == "f":
        near = (known + 60, -known, known * 1.01, known * 2, known + 0.5)
        drawn = draw(st.one_of(st.sampled_from((*FLOATS, *map(float, near))), st.floats()))
        return field, place, drawn
    number = int(known)
    codes = (16, 64, 128, 1792, 2304, 512, number + 1, number - 1, -number, 2 * number)
    return field, place, draw(st.sampled_from((*SIZES, *codes)))


def _with(header: Any, plain: bytes, lies: list[tuple[str, int, Any]]) -> tuple[bytes, list[str]]:
    told = []
    for field, place, value in lies:
        stored = header.structarr[field]
        if stored.dtype.kind in "iu":
            limits = np.iinfo(stored.dtype)
            value = min(max(value, limits.min), limits.max)  # noqa: PLW2901 - what fits
        with np.errstate(all="ignore"):
            if stored.ndim:
                stored.reshape(-1)[place] = value
            else:
                header.structarr[field] = value
        told.append(f"{field}[{place}] = {value!r}")
    block = header.binaryblock
    return block + plain[len(block) :], told


@st.composite
def _siblings(
    draw: st.DrawFn, name: str, plain: bytes, made: Array
) -> tuple[dict[str, Content], str]:
    """Another patient's file, or nonsense, under names that a reader might prefer."""
    lower = name.lower()
    stem = name[: -len(".nii.gz" if lower.endswith(".nii.gz") else ".nii")]
    other = plain[: -made.nbytes] + bytes(made.nbytes)
    contents: dict[str, Content] = {
        ".nii": other,
        ".nii.gz": gzip.compress(other, mtime=0),
        ".hdr": other[:348],
        ".img": bytes(made.nbytes),
        ".json": draw(
            st.sampled_from(
                (b"[" * 100_000, b'{"Units": "SUV"}', b'{"Units": [1]}', b"\xff", b"NaN", b"[]")
            )
        ),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(contents)), min_size=1, max_size=3, unique=True))
    files = {
        stem + ending: Special("fifo") if draw(st.integers(0, 4)) == 0 else contents[ending]
        for ending in chosen
        if (stem + ending).lower() != lower
    }
    return files, f"beside it {', '.join(sorted(files))}"
