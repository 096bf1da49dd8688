"""What a pipe cuts apart and what is no event."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.panel.jobs.events import LineSplitter, groupOf, parseEvent


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_are_the_same_wherever_the_pipe_cuts_them(size: int) -> None:
    text = 'eins\r\n{"event": "log"}\rdrei ä患\n\n\nvier'
    data = text.encode()
    splitter = LineSplitter()
    lines = [
        line for at in range(0, len(data), size) for line in splitter.feed(data[at : at + size])
    ]
    assert lines + splitter.finish() == ["eins", '{"event": "log"}', "drei ä患", "vier"]


def test_an_event_without_its_keys_is_no_event() -> None:
    assert parseEvent('{"event": "stage", "name": "x"}') is None
    assert parseEvent('{"event": "progress", "fraction": null}') is None
    assert parseEvent('{"event": ["list"]}') is None
    assert parseEvent('{"event": "stage", "name": "x", "label": "y"}') is not None


@pytest.mark.parametrize(
    "line",
    [
        '{"event": "progress", "fraction": NaN}',
        '{"event": "progress", "fraction": Infinity}',
        '{"event": "progress", "fraction": -0.1}',
        '{"event": "progress", "fraction": 1.5}',
        '{"event": "progress", "fraction": true}',
        '{"event": "progress", "fraction": 1' + "0" * 400 + "}",
        '{"event": "progress", "fraction": 1' + "0" * 9000 + "}",
        '{"event": "progress", "fraction": [0.5]}',
        '{"event": "stage", "name": 1, "label": "y"}',
        '{"event": "stage", "name": "x", "label": {}}',
        '{"event": "log", "level": null, "message": "x"}',
        '{"event": "error", "kind": [], "message": "x"}',
        '{"event": "result", "dir": 7}',
        '{"event": "process", "group": 1234}',
        '{"event": "shutdown"}',
        '{"event": {"a": 1}}',
        '{"event": ' + "[" * 100_000,
        "[]",
        "{}",
        "{",
        '{"event"}',
    ],
)
def test_an_event_that_is_wrong_in_any_key_is_no_event(line: str) -> None:
    assert parseEvent(line) is None


@pytest.mark.parametrize("rest", ["NaN", "-1", "Infinity", '"soon"', "[]", "1e300", "true"])
def test_a_remaining_time_that_is_none_is_not_told(rest: str) -> None:
    event = parseEvent(f'{{"event": "progress", "fraction": 0.5, "eta_s": {rest}}}')
    assert event == {"event": "progress", "fraction": 0.5, "eta_s": None}


@given(
    st.dictionaries(
        st.sampled_from(["event", "name", "label", "fraction", "eta_s", "level", "message", "dir",
                         "kind", "hint", "group"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text()
            | st.sampled_from(["stage", "progress", "log", "result", "error", "process"]),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=4,
        ),
    )
)  # fmt: skip
def test_whatever_an_event_holds_its_values_are_of_their_kind(said: dict[str, Any]) -> None:
    event = parseEvent(json.dumps(said))
    if event is None:
        return
    numbers = {"fraction": event.pop("fraction", 0.0), "eta_s": event.pop("eta_s", None)}
    assert all(isinstance(text, str) for text in event.values())
    assert 0.0 <= numbers["fraction"] <= 1.0
    assert numbers["eta_s"] is None or 0.0 <= numbers["eta_s"] < float("inf")


@pytest.mark.parametrize(
    ("line", "group"),
    [
        ('{"event": "process", "group": 4321}', 4321),
        ('{"event": "process", "group": 1}', None),
        ('{"event": "process", "group": 0}', None),
        ('{"event": "process", "group": -1}', None),
        ('{"event": "process", "group": true}', None),
        ('{"event": "process", "group": "4321"}', None),
        ('{"event": "process", "group": 4321.0}', None),
        ('{"event": "process", "group": 1e30}', None),
        ('{"event": "process"}', None),
        ('{"event": "log", "group": 4321}', None),
        ("4321", None),
    ],
)
def test_only_a_number_of_a_process_can_be_killed(line: str, group: int | None) -> None:
    assert groupOf(line) == group


def test_a_line_that_never_ends_is_cut() -> None:
    splitter = LineSplitter()
    lines = [line for _ in range(64) for line in splitter.feed(b"x" * 65536)]
    assert lines
    assert sum(map(len, lines)) + sum(map(len, splitter.finish())) == 64 * 65536
