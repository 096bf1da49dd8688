"""What a program that reads along is told, and that nothing else reaches it."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

from engine_process import start_python
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.events import JsonReporter


def events(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_every_event_is_one_line_with_exactly_the_fields_of_the_contract() -> None:
    stream = io.StringIO()
    reporter = JsonReporter(stream)
    reporter.stage("heal", "Healing\nstep")
    reporter.progress(0.25)
    reporter.log("warning", "CT: 3 Schichten fehlen – “ä”")
    reporter.result(Path("/tmp/Größe 患者"))
    reporter.error(InputError("wrong", "do this"))
    told = events(stream)
    assert [set(event) for event in told] == [
        {"event", "name", "label"},
        {"event", "fraction", "eta_s"},
        {"event", "level", "message"},
        {"event", "dir"},
        {"event", "kind", "message", "hint"},
    ]
    assert "Größe 患者" in stream.getvalue()
    assert told[-1] == {"event": "error", "kind": "input", "message": "wrong", "hint": "do this"}


@given(st.lists(st.floats(allow_nan=True, allow_infinity=True)))
def test_told_fractions_rise_strictly_within_0_and_1_whatever_the_run_says(
    fractions: list[float],
) -> None:
    stream = io.StringIO()
    reporter = JsonReporter(stream)
    for fraction in fractions:
        reporter.progress(fraction)
    told = [float(str(event["fraction"])) for event in events(stream)]
    assert all(0 < fraction <= 1 for fraction in told)
    assert told == sorted(set(told))


def test_the_last_fraction_is_told_even_right_after_another() -> None:
    stream = io.StringIO()
    reporter = JsonReporter(stream)
    for step in range(1000):
        reporter.progress((step + 1) / 1000)
    told = events(stream)
    assert told[-1]["fraction"] == 1
    assert told[-1]["eta_s"] == 0
    assert len(told) < 100, "a fast loop must not flood the pipe"


def test_what_libraries_print_never_mixes_with_the_events() -> None:
    script = """
import ctypes, os, sys
from PETAnomalyLib.engine.runtime.events import JsonReporter, events_on_stdout
with events_on_stdout() as stream:
    reporter = JsonReporter(stream)
    print("a Python library")
    os.write(1, b"a C library\\n")
    os.system("echo a program")
    reporter.log("info", "an event")
    print("the end", end="")
print("after")
"""
    out, err = start_python(["-c", script]).communicate(timeout=20)
    first, rest = out.split("\n", 1)
    assert json.loads(first)["message"] == "an event"
    assert rest == "after\n"
    assert {"a Python library", "a C library", "a program", "the end"} <= set(err.split("\n"))


def test_a_file_name_that_is_no_utf8_survives_the_event() -> None:
    script = """
from pathlib import Path
import os
from PETAnomalyLib.engine.runtime.events import JsonReporter, events_on_stdout
with events_on_stdout() as stream:
    JsonReporter(stream).result(Path(os.fsdecode(b"caf\\xe9")))
"""
    out, _ = start_python(["-c", script]).communicate(timeout=20)
    assert os.fsencode(json.loads(out)["dir"]) == b"caf\xe9"


def test_a_reader_that_went_away_cancels_the_run() -> None:
    script = """
import sys, time
from PETAnomalyLib.engine.runtime.cancellation import Cancellation
from PETAnomalyLib.engine.runtime.events import JsonReporter, events_on_stdout
from PETAnomalyLib.engine.runtime.errors import Cancelled
with events_on_stdout() as stream:
    reporter = JsonReporter(stream, Cancellation())
    try:
        for step in range(2000):
            reporter.log("info", "x" * 100)
            reporter.check_cancelled()
            time.sleep(0.005)
    except Cancelled:
        sys.exit(4)
"""
    process = start_python(["-c", script])
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(20) == 4
    assert process.stderr is not None
    assert process.stderr.read() == ""
