"""A home of one's own for every test, and a good tiny model."""

from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import manifest, write_model


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that `add_bundle` takes for the user's home."""
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    monkeypatch.delenv("PETANOMALY_MODELS", raising=False)
    return home


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Its folder."""
    return write_model(tmp_path / "tiny", manifest())
