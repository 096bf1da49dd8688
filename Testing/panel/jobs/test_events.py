"""What a pipe cuts apart and what is no event."""

from __future__ import annotations

import pytest
from PETAnomalyLib.panel.jobs.events import LineSplitter, parseEvent


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
