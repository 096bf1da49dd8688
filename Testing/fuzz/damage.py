"""Harm that any file can come to, and what may lie in its place or beside it."""

from __future__ import annotations

import functools
import gzip

from hypothesis import strategies as st

from fuzz.case import Content, Special

SIZES = (0, -1, 1, 2, 7, 99, 255, 1300, 32767, 65535, 2**31 - 1, 2**31, 2**32, 2**63 - 1, 10**20)
FLOATS = (0.0, -1.0, 1.0, 0.5, 1e-30, 1e30, -1e30, 1e308, 1e-308, 60.0, float("nan"),
          float("inf"), float("-inf"))  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, content: bytes) -> tuple[bytes, str]:
    """A file that a bad disk, a broken transfer or a careless program has changed."""
    harm = draw(st.sampled_from(("flip", "flip", "flip", "cut", "cut", "more", "blank", "swap")))
    if harm == "flip":
        harmed = bytearray(content)
        count = draw(st.integers(1, 3))
        for _ in range(count if content else 0):
            bit = draw(st.integers(0, 8 * len(content) - 1))
            harmed[bit // 8] ^= 1 << bit % 8
        return bytes(harmed), f"{count} bits flipped"
    if harm == "cut":
        left = draw(
            st.one_of(
                st.integers(0, len(content)), st.integers(max(0, len(content) - 9), len(content))
            )
        )
        return content[:left], f"cut after {left} of {len(content)} bytes"
    if harm == "more":
        tail = draw(
            st.one_of(
                st.binary(min_size=1, max_size=24),
                st.sampled_from((b"\0" * 512, content, gzip.compress(b"more", mtime=0))),
            )
        )
        return content + tail, f"{len(tail)} bytes behind it"
    start = draw(st.integers(0, len(content)))
    length = draw(st.integers(1, 64))
    if harm == "blank":
        blank = b"\0" * len(content[start : start + length])
        return content[:start] + blank + content[start + length :], f"{len(blank)} bytes blank"
    middle, rest = content[start : start + length], content[start + length :]
    return content[:start] + rest[:length] + middle + rest[length:], "two blocks swapped"


@st.composite
def no_file(draw: st.DrawFn) -> tuple[Content, str]:
    """What stands where a file should."""
    content: Content = draw(
        st.sampled_from(
            (
                Special("fifo"),
                Special("folder"),
                Special("link", "/dev/zero"),
                Special("link", "/dev/tty"),
                Special("link", "nowhere"),
                b"",
            )
        )
    )
    return content, f"in its place {content!r}"


@functools.cache
def gzip_of_zeros(megabytes: int) -> bytes:
    """A thousandth of what it unpacks to."""
    return gzip.compress(bytes(megabytes << 20), mtime=0)
