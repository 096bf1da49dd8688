"""MetaImage files: honest, with headers that lie, damaged, in one file or with data beside them."""

from __future__ import annotations

import zlib

import numpy as np
from hypothesis import strategies as st

from fuzz.case import Array, Case, Content
from fuzz.damage import damaged, no_file
from fuzz.meta_image_truth import TYPES, meta_image_truth
from fuzz.text_header import LINES, Lines, data_beside, encoded, lie
from fuzz.volumes import affines, oblong, values

_CHANGES = ("honest", "header", "header", "header", "header", "damage", "damage of the plain bytes",
            "data", "no file")  # fmt: skip


@st.composite
def meta_image_cases(draw: st.DrawFn) -> Case:
    """One case; see `_CHANGES`."""
    made, way = draw(values())
    matrix = draw(affines())
    packed, detached, msb = draw(st.booleans()), draw(st.booleans()), draw(st.booleans())
    change = draw(st.sampled_from(_CHANGES))
    voxels = made.astype(made.dtype.newbyteorder(">" if msb else "<")).tobytes()
    story = [f"MetaImage, {change}, {made.dtype} MSB {msb} packed {packed} detached {detached}"]
    if change == "damage of the plain bytes":
        voxels, told = draw(damaged(voxels))
        story.append(told)
    data = zlib.compress(voxels, 1) if packed else voxels
    lines = draw(_header(made, matrix, packed, msb))
    if packed and draw(st.booleans()):
        lines.append(("CompressedDataSize", str(len(data))))
    lines.append(("ElementDataFile", "x.raw" if detached else "LOCAL"))
    files: dict[str, Content] = {"../outside.raw": data, "sub/x.raw": data}
    if detached:
        files["x.raw"] = data
    if change == "header":
        for _ in range(draw(st.sampled_from((1, 1, 1, 2)))):
            lines, told = draw(lie(lines, "ElementDataFile", " = "))
            story.append(told)
    end = draw(st.sampled_from(("\n", "\n", "\r\n")))
    content = encoded("".join(v if k == LINES else f"{k} = {v}{end}" for k, v in lines))
    content += b"" if detached else data
    name = "x.mhd" if detached else "x.mha"
    if change == "damage":
        harmed = draw(st.sampled_from((name, "x.raw" if detached else name)))
        before = content if harmed == name else data
        after, told = draw(damaged(before))
        story.append(f"{harmed}: {told}")
        if harmed == name:
            content = after
        else:
            files[harmed] = after
    elif change == "data" and detached:
        files["x.raw"], told = draw(data_beside(data))
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
        truth=lambda: meta_image_truth(name, files),
        honest=change == "honest",
        grid=(matrix, made.shape[::-1]),
    )


@st.composite
def _header(draw: st.DrawFn, made: Array, matrix: Array, packed: bool, msb: bool) -> Lines:
    directions, steps, origin = oblong(matrix)
    code = made.dtype.newbyteorder("=").str[1:]
    names = [name for name, type_of_it in TYPES.items() if type_of_it == code]
    lines: Lines = [
        ("ObjectType", "Image"),
        ("NDims", "3"),
        ("BinaryData", "True"),
        (draw(st.sampled_from(("BinaryDataByteOrderMSB", "ElementByteOrderMSB"))), str(msb)),
        ("CompressedData", str(packed)),
        (draw(st.sampled_from(("TransformMatrix", "Rotation", "Orientation"))),
         _words(directions.T.ravel())),
        (draw(st.sampled_from(("Offset", "Position", "Origin"))), _words(origin)),
        (draw(st.sampled_from(("ElementSpacing", "ElementSize"))), _words(steps)),
        ("DimSize", " ".join(map(str, made.shape[::-1]))),
        ("ElementType", draw(st.sampled_from(names))),
    ]  # fmt: skip
    if draw(st.booleans()):
        lines.insert(5, ("CenterOfRotation", "0 0 0"))
        lines.insert(6, ("AnatomicalOrientation", "RAI"))
    return lines


def _words(numbers: Array) -> str:
    return " ".join(f"{number:.17g}" for number in np.asarray(numbers))
