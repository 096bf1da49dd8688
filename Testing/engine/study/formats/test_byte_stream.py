"""Packed or not, the bytes are all those that the header announces, and exactly those."""

from __future__ import annotations

import gzip
import tracemalloc
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.formats.byte_stream import GZIP, GZIP_OR_ZLIB, ByteStream

NOISE = np.random.default_rng(1).integers(0, 256, 3_000_000, np.uint8).tobytes()


def read(path: Path, packing: int | None, *counts: int) -> list[bytes]:
    """Pieces of these lengths, of a file that ends with the last."""
    with path.open("rb") as file:
        stream = ByteStream(file, "the file", packing)
        pieces = [stream.exactly(count).tobytes() for count in counts]
        stream.finish()
    return pieces


@given(st.lists(st.binary(max_size=3000), max_size=6), st.integers(0, 2000), st.booleans())
def test_members_behind_one_another_are_one_stream(
    tmp_path_factory: pytest.TempPathFactory, members: list[bytes], padding: int, split: bool
) -> None:
    path = tmp_path_factory.mktemp("members") / "data.gz"
    path.write_bytes(b"".join(gzip.compress(member) for member in members) + b"\0" * padding)
    whole = b"".join(members)
    cut = len(whole) // 3 if split else 0
    if not members:
        path.write_bytes(gzip.compress(b""))
    assert b"".join(read(path, GZIP, cut, len(whole) - cut)) == whole


@pytest.mark.parametrize("data", [NOISE, bytes(30_000_000), NOISE[:1000] * 9000])
@pytest.mark.parametrize("level", [1, 9])
def test_large_pieces_are_unpacked_whole(tmp_path: Path, data: bytes, level: int) -> None:
    for name, packed, packing in (
        ("gzip", gzip.compress(data, level), GZIP),
        ("zlib", zlib.compress(data, level), GZIP_OR_ZLIB),
        ("plain", data, None),
    ):
        (tmp_path / name).write_bytes(packed)
        assert read(tmp_path / name, packing, 10, len(data) - 10) == [data[:10], data[10:]]


@pytest.mark.parametrize("cut", [1, 4, 7, 8, 9, 500])
def test_a_trailer_or_more_that_is_missing_is_said(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "data.gz"
    path.write_bytes(gzip.compress(NOISE[:50_000])[:-cut])
    with pytest.raises(InputError, match="is truncated"):
        read(path, GZIP, 50_000)


@pytest.mark.parametrize("rest", [b"x", b"\0" * 20 + b"x", gzip.compress(b"more"), b"\x1f\x8b"])
def test_bytes_behind_the_end_are_refused(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "data.gz"
    path.write_bytes(gzip.compress(NOISE[:50_000]) + rest)
    with pytest.raises(InputError, match=r"holds more|is damaged|is truncated"):
        read(path, GZIP, 50_000)
    path.write_bytes(NOISE[:50_000] + rest)
    with pytest.raises(InputError, match="holds more bytes than its header announces"):
        read(path, None, 50_000)


def test_zeros_without_end_behind_the_data_are_not_read_through(tmp_path: Path) -> None:
    path = tmp_path / "data.gz"
    path.write_bytes(gzip.compress(b"abc"))
    with path.open("r+b") as file:
        file.truncate(1 << 40)  # a terabyte that takes no space
    with pytest.raises(InputError, match="holds more"):
        read(path, GZIP, 3)


@pytest.mark.parametrize("packing", [None, GZIP])
def test_no_memory_is_taken_for_bytes_that_cannot_be_there(
    tmp_path: Path, packing: int | None
) -> None:
    path = tmp_path / "data"
    path.write_bytes(gzip.compress(NOISE[:1000]) if packing else NOISE[:1000])
    tracemalloc.start()
    with pytest.raises(InputError, match="cannot hold them"):
        read(path, packing, 4 * 1300**3)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()
