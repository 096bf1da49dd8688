"""NRRD files: honest in every variant that programs write, with headers that lie, and damaged."""

from __future__ import annotations

import gzip

import numpy as np
from hypothesis import strategies as st

from fuzz.case import Array, Case, Content
from fuzz.damage import damaged, gzip_of_zeros, no_file
from fuzz.nrrd_truth import nrrd_truth
from fuzz.text_header import LINES, Lines, data_beside, encoded, lie
from fuzz.volumes import affines, values

_TYPES = {
    "u1": ("uchar", "unsigned char", "uint8", "uint8_t"),
    "i1": ("signed char", "int8", "int8_t"),
    "u2": ("ushort", "unsigned short", "unsigned short int", "uint16"),
    "i2": ("short", "short int", "signed short", "int16_t"),
    "u4": ("uint", "unsigned int", "uint32"),
    "i4": ("int", "signed int", "int32"),
    "u8": ("ulonglong", "unsigned long long", "uint64"),
    "i8": ("longlong", "long long int", "int64_t"),
    "f4": ("float",),
    "f8": ("double",),
}
_TO_LPS = {
    "left-posterior-superior": (1, 1, 1), "LPS": (1, 1, 1), "right-anterior-superior": (-1, -1, 1),
    "RAS": (-1, -1, 1), "left-anterior-superior": (1, -1, 1), "LAS": (1, -1, 1),
}  # fmt: skip
_CHANGES = ("honest", "header", "header", "header", "header", "damage", "damage of the plain bytes",
            "data", "no file", "bomb")  # fmt: skip


@st.composite
def nrrd_cases(draw: st.DrawFn) -> Case:
    """One case; see `_CHANGES`."""
    made, way = draw(values())
    matrix = draw(affines())
    encoding = draw(st.sampled_from(("raw", "raw", "gzip", "gz", "ascii")))
    detached = draw(st.booleans())
    change = draw(st.sampled_from(_CHANGES))
    lines, voxels, order = draw(_header(made, matrix, encoding))
    story = [f"NRRD, {change}, {made.dtype} {order} {encoding}{' detached' * detached}"]
    if change == "damage of the plain bytes":
        voxels, told = draw(damaged(voxels))
        story.append(told)
    data = gzip.compress(voxels, 1, mtime=0) if encoding in ("gzip", "gz") else voxels
    if change == "bomb" and encoding in ("gzip", "gz"):
        data += gzip_of_zeros(400)
        story.append("400 MB of zeros behind it, packed")
    files: dict[str, Content] = {"../outside.raw": data, "sub/x.raw": data}
    name, data_name = ("x.nhdr", "x.raw") if detached else ("x.nrrd", "")
    if detached:
        skips = draw(st.sampled_from((0, 0, 3)))
        files[data_name] = b"\n" * skips + data
        if skips:
            lines.append(("line skip", str(skips)))
        lines.append(("data file", draw(st.sampled_from(("x.raw", "./x.raw")))))
    if change == "header":
        for _ in range(draw(st.sampled_from((1, 1, 1, 2)))):
            lines, told = draw(lie(lines, "data file", ": "))
            story.append(told)
    content = _text(lines, draw(st.sampled_from(("\n", "\n", "\r\n"))))
    content += b"" if detached else data
    if change == "damage":
        harmed = draw(st.sampled_from((name, data_name or name)))
        before = content if harmed == name else files[harmed]
        assert isinstance(before, bytes)
        after, told = draw(damaged(before))
        story.append(f"{harmed}: {told}")
        if harmed == name:
            content = after
        else:
            files[harmed] = after
    elif change == "data" and detached:
        files[data_name], told = draw(data_beside(data))
        story.append(told)
    files[name] = content
    if change == "no file":
        files[name], told = draw(no_file())
        story.append(told)
    return Case(
        story=tuple(story),
        files=files,
        target=name,
        way="image" if way == "lesions" and change == "header" else way,
        truth=lambda: nrrd_truth(name, files),
        honest=change == "honest",
        grid=(matrix, made.shape[::-1]),
    )


@st.composite
def _header(draw: st.DrawFn, made: Array, matrix: Array, encoding: str) -> tuple[Lines, bytes, str]:
    space = draw(st.sampled_from(sorted(_TO_LPS)))
    signs = np.array(_TO_LPS[space])
    steps = (matrix[:3, :3] * signs[:, None]).T
    order = draw(st.sampled_from("<>"))
    code = made.dtype.newbyteorder("=").str[1:]
    lines: Lines = [
        ("type", draw(st.sampled_from(_TYPES[code]))),
        ("dimension", "3"),
        ("space", space),
        ("sizes", " ".join(map(str, made.shape[::-1]))),
        ("space directions", " ".join(map(_vector, steps))),
        ("kinds", "domain domain domain"),
        ("endian", {"<": "little", ">": "big"}[order]),
        ("encoding", encoding),
        ("space origin", _vector(matrix[:3, 3] * signs)),
    ]
    if draw(st.booleans()):
        lines.insert(0, ("# comment", "with a colon"))
        lines.append(("key:=", "value"))
    if encoding == "ascii":
        words = [str(word) for word in made.ravel().tolist()]
        return lines, " ".join(words).encode() + b"\n", order
    return lines, made.astype(made.dtype.newbyteorder(order)).tobytes(), order


def _vector(numbers: Array) -> str:
    return f"({','.join(f'{number:.17g}' for number in numbers)})"


def _text(lines: Lines, end: str) -> bytes:
    told = []
    for key, value in lines:
        separator = "" if key.endswith(":=") else ": "
        told.append(value if key == LINES else f"{key}{separator}{value}")
    return encoded(end.join(["NRRD0004", *told, "", ""]))
