"""What a person sees of a run: on a terminal and in a log file."""

from __future__ import annotations

import io
import re

import pytest
from PETAnomalyLib.engine.runtime.console import ConsoleReporter


def test_a_log_file_gets_plain_lines_and_no_carriage_returns() -> None:
    stream = io.StringIO()
    reporter = ConsoleReporter(stream=stream)
    reporter.stage("read", "Reading the study")
    for step in range(500):
        reporter.progress((step + 1) / 500)
    reporter.log("warning", "CT looks odd")
    text = stream.getvalue()
    assert "\r" not in text
    assert "Reading the study" in text
    assert "Warning: CT looks odd" in text
    assert re.search(r"100 %, 0:00 elapsed", text)
    assert len(text.splitlines()) < 20


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """Yes."""
        return True


def test_a_terminal_gets_one_redrawn_line_within_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    reporter = ConsoleReporter(stream=stream)
    reporter.stage("heal", "Healing what the model finds unlikely")
    reporter.progress(1.0)
    drawn = stream.getvalue()
    assert "\n" not in drawn
    assert "100 %" in drawn
    assert all(len(line) <= 59 for line in drawn.split("\r"))
