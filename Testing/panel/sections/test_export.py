"""The table as a file."""

from __future__ import annotations

from typing import Any

import pytest
import slicer  # slicer.util looks for qt

pytestmark = pytest.mark.usefixtures("scene")


def test_the_csv_goes_where_it_may_and_says_so_where_it_may_not(
    detected: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    said: list[str] = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *_a, **_k: said.append(text))
    assert detected.findings.export.writeCsv(tmp_path / "ünd hier.csv")
    assert not detected.findings.export.writeCsv(tmp_path / "no such folder" / "a.csv")
    assert "no such folder" in said[0]
