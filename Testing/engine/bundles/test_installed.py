"""Which models are installed, and which of a name is meant."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dotted_keys import changed
from PETAnomalyLib.engine.bundles.installed import damaged_bundles, find_bundle, installed_bundles
from tiny_models import autoencoder_manifest, manifest, refusal, write_model


def test_installed_models_are_found_by_name_and_the_first_folder_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    write_model(first / "a", manifest())
    write_model(second / "a", changed(manifest(), "petanomaly.title", "The other"))
    write_model(second / "b", autoencoder_manifest())
    monkeypatch.setenv("PETANOMALY_MODELS", os.pathsep.join([str(first), str(second)]))
    found = {bundle.name: bundle for bundle in installed_bundles()}
    assert found["tiny"].path == first / "a"
    assert found["tiny-ae"].path == second / "b"
    assert find_bundle("tiny").path == first / "a"
    assert find_bundle(second / "a").title == "The other"


def test_a_damaged_model_hides_no_other_and_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path / "models" / "good", manifest())
    bad = write_model(tmp_path / "models" / "bad", manifest())
    (bad / "configs" / "metadata.json").write_text("{")
    monkeypatch.setenv("PETANOMALY_MODELS", str(tmp_path / "models"))
    assert "tiny" in [bundle.name for bundle in installed_bundles()]
    assert [str(bad) in error.message for error in damaged_bundles()] == [True]
    assert "not valid JSON" in refusal(find_bundle, "bad")


def test_an_unknown_model_is_refused_with_the_names_there_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(tmp_path / "models" / "a", manifest())
    monkeypatch.setenv("PETANOMALY_MODELS", str(tmp_path / "models"))
    message = refusal(find_bundle, "petct-unknown")
    assert "petct-unknown" in message
    assert "tiny" in message


def test_a_found_model_is_verified_file_by_file(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PETANOMALY_MODELS", str(model.parent))
    (model / "docs" / "README.md").write_text("changed")
    assert "docs/README.md was changed" in refusal(find_bundle, "tiny")


def test_listing_models_imports_neither_torch_nor_simpleitk() -> None:
    code = (
        "import sys; from PETAnomalyLib.engine.bundles.installed import installed_bundles; "
        "installed_bundles(); print([m for m in ('torch', 'monai', 'SimpleITK', 'scipy') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"
