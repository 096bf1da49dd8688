"""Files through a connection: whole and as they were, or not at all."""

from __future__ import annotations

import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.remote.frames import JSON, MARK, Frames, RemoteError
from PETAnomalyLib.engine.remote.transfer import (
    MOST_BYTES,
    checked_index,
    index_of,
    receive_files,
    send_files,
)
from PETAnomalyLib.engine.runtime.errors import InputError

PARTS = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=20
).filter(lambda part: part not in (".", ".."))
FILES = st.dictionaries(PARTS, st.binary(max_size=2000), min_size=1, max_size=6)


def receiving(content: bytes) -> Frames:
    return Frames(cast(Any, BytesIO(content)), cast(Any, BytesIO()))


def sent(contents: dict[str, bytes]) -> tuple[Any, bytes]:
    """The index, as JSON has it, and what goes through the connection."""
    wire = BytesIO()
    with tempfile.TemporaryDirectory() as place:
        files = {}
        for number, (name, content) in enumerate(contents.items()):
            files[name] = Path(place, str(number))
            files[name].write_bytes(content)
        index = index_of(files)
        told: list[int] = []
        send_files(Frames(cast(Any, BytesIO()), cast(Any, wire)), files, index, told.append)
    assert told[-1:] in ([], [sum(map(len, contents.values()))])
    return [list(entry) for entry in index], wire.getvalue()


@settings(deadline=None, max_examples=60)
@given(FILES)
def test_what_arrives_is_what_was_sent(contents: dict[str, bytes]) -> None:
    index, wire = sent(contents)
    with tempfile.TemporaryDirectory() as place:
        receive_files(receiving(wire), checked_index(index), Path(place))
        assert {path.name: path.read_bytes() for path in Path(place).iterdir()} == contents


@settings(deadline=None, max_examples=100)
@given(FILES.filter(lambda files: any(files.values())), st.data())
def test_a_changed_byte_or_an_early_end_is_noticed(
    contents: dict[str, bytes], data: st.DataObject
) -> None:
    index, wire = sent(contents)
    at = data.draw(st.integers(0, len(wire) - 1))
    change = data.draw(st.integers(1, 255))
    cut = data.draw(st.booleans())
    damaged = wire[:at] if cut else wire[:at] + bytes([wire[at] ^ change]) + wire[at + 1 :]
    with tempfile.TemporaryDirectory() as place, pytest.raises(RemoteError):
        receive_files(receiving(damaged), checked_index(index), Path(place))


@pytest.mark.parametrize(
    "found",
    [
        None, {}, "a", [["a"]], [["a", 1, 2]], [["a", -1]], [["a", True]], [["a", 1.0]], [[1, 1]],
        [["/etc/passwd", 1]], [["..", 1]], [["a/../../b", 1]], [["a//b", 1]], [["a/", 1]],
        [["", 1]], [[".", 1]], [["a\0b", 1]], [["\ud800", 1]], [["ä" * 128, 1]],
        [["a", 1], ["a", 2]],
    ],
)  # fmt: skip
def test_an_index_that_leads_elsewhere_is_refused(found: Any) -> None:
    with pytest.raises(RemoteError):
        checked_index(found)


def test_more_than_is_allowed_is_refused_before_the_first_byte() -> None:
    with pytest.raises(InputError, match="too much"):
        checked_index([["a", MOST_BYTES], ["b", 1]])
    with pytest.raises(RemoteError, match="has no place"):
        checked_index([["report.json", 1], ["other", 1]], {"report.json"}.__contains__)


def test_a_greeting_before_the_mark_is_skipped_and_silence_is_no_mark() -> None:
    frames = receiving(b"Welcome to the cluster!\n" + MARK + JSON + b"\0\0\0\2{}")
    assert frames.wait_for_mark()
    assert frames.receive_json() == {}
    assert frames.receive() is None
    assert not receiving(b"No shell for you.\n").wait_for_mark()


@pytest.mark.parametrize(
    "piece", [b"X\0\0\0\0", b"J\xff\xff\xff\xff", b"H\0\0\0\1x", b"B\x10\0\0\0"]
)
def test_pieces_without_a_kind_or_without_end_are_refused(piece: bytes) -> None:
    with pytest.raises(RemoteError):
        receiving(piece).receive()
