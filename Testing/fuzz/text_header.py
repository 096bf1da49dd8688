"""Headers in words, NRRD's and MetaImage's: lines that lie, and data in another file."""

from __future__ import annotations

import re

from hypothesis import strategies as st

from fuzz.case import Content, Special
from fuzz.damage import FLOATS, SIZES

Lines = list[tuple[str, str]]
"""Keys and values, in the order of the file."""

LINES = "lines"
"""In the place of a key: the value is whole lines."""

_WORDS = ("", "%s%n%s%n%s%n", "%d", "\0", "nan", "inf", "1e308", "1e-308", "-0", "LOCAL", "LIST",
          "none", "(nan,nan,nan)", "True", "False", "é", "\udcff", "9" * 400, "x" * 70_000, "0x10",
          "1_000", "١٢", "block", "bzip2", "hex", "raw", "gzip", "ascii", "little", "big",
          "MET_CHAR", "MET_DOUBLE", "MET_OTHER", "short", "double", "unsigned char",
          "3D-right-handed", "right-anterior-superior")  # fmt: skip
_ELSEWHERE = ("/dev/zero", "/dev/tty", "/etc/passwd", "../outside.raw", "./../outside.raw",
             "sub/x.raw", "%s%n%s%n%s%n.raw", "x%03d.raw 1 3 1", "LIST", "~/x.raw", "..", ".",
             "file:x.raw", "|cat", "\\x.raw")  # fmt: skip
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


@st.composite
def lie(draw: st.DrawFn, lines: Lines, data_key: str, separator: str) -> tuple[Lines, str]:
    """A header with one of its lines changed, left out, doubled or in another place.

    Args:
        lines: the header's.
        data_key: where it names the file of its data.
        separator: between key and value.
    """
    at = draw(st.integers(0, len(lines) - 1))
    key, value = lines[at]
    kinds = ("number", "number", "number", "value", "value", "data", "drop", "twice", "move", "key",
             "long", "huge")  # fmt: skip
    kind = draw(st.sampled_from(kinds))
    changed = list(lines)
    if kind == "number" and _NUMBER.search(value):
        found = list(_NUMBER.finditer(value))
        place = draw(st.sampled_from(found))
        known = float(place.group())
        near = (known + 1, -known, 2 * known, known + 0.02, known + 60)
        new = draw(st.sampled_from((*SIZES, *FLOATS, *near)))
        text = f"{int(new)}" if float(new).is_integer() and abs(new) < 1e21 else f"{new}"
        changed[at] = (key, value[: place.start()] + text + value[place.end() :])
    elif kind == "data":
        elsewhere = draw(st.sampled_from(_ELSEWHERE))
        changed = [line for line in changed if line[0] != data_key] + [(data_key, elsewhere)]
        return changed, f"{data_key}{separator}{elsewhere!r}"
    elif kind == "huge":
        size = " ".join([str(draw(st.sampled_from((1300, 2**15, 2**31))))] * 3)
        changed = [(k, size if k in ("sizes", "DimSize") else v) for k, v in lines]
        return changed, f"{size} voxels"
    elif kind == "drop":
        del changed[at]
        return changed, f"without {key!r}"
    elif kind == "twice":
        changed.insert(at, (key, draw(st.sampled_from((value, value + " 1", "7", *_WORDS[:9])))))
    elif kind == "move":
        changed.insert(draw(st.integers(0, len(changed) - 1)), changed.pop(at))
    elif kind == "key":
        changed[at] = (draw(st.sampled_from((key.upper(), key.lower(), "é", "x" * 999))), value)
    elif kind == "long":
        megabytes = draw(st.sampled_from((1, 1, 1, 8, 32)))
        line = "x" * 43 + separator + "y" * 20 + "\n"
        changed.insert(0, (LINES, line * (megabytes * 16384)))
        return changed, f"{megabytes} MB of lines that mean nothing"
    else:
        changed[at] = (key, draw(st.sampled_from(_WORDS)))
    new_line = changed[min(at, len(changed) - 1)]
    return changed, f"{kind}: {new_line[0][:40]!r}{separator}{new_line[1][:80]!r}, was {value!r}"


@st.composite
def data_beside(draw: st.DrawFn, data: bytes) -> tuple[Content, str]:
    """What lies where the data of a detached header should."""
    contents: tuple[Content, ...] = (
        Special("fifo"), Special("folder"), Special("link", "/dev/zero"), Special("link", "absent"),
        b"", data[:-1], data + b"\0", data * 2,
    )  # fmt: skip
    content = draw(st.sampled_from(contents))
    told = repr(content) if not isinstance(content, bytes) else f"{len(content)} bytes"
    return content, f"its data: {told}"


def encoded(text: str) -> bytes:
    """A header's bytes; lone surrogates are bytes that are no UTF-8."""
    return text.encode("utf-8", "surrogateescape")
