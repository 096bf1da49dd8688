"""Names that Windows takes for devices, or changes, are no names of models or of their files."""

from __future__ import annotations

from pathlib import Path

import pytest
from dotted_keys import changed
from PETAnomalyLib.engine.bundles.manifest import check_manifest
from PETAnomalyLib.engine.bundles.names import is_portable, safe_path
from PETAnomalyLib.engine.bundles.verification import list_files
from PETAnomalyLib.engine.runtime.errors import BundleError
from tiny_models import manifest

DEVICES = ["CON", "con", "Nul", "aux.txt", "PRN.tar.gz", "COM1", "com9.json", "LPT3", "com0"]


@pytest.mark.parametrize("name", [*DEVICES, "tiny.", "tiny..", "tiny ", "CON .txt", "com¹"])
def test_what_windows_calls_otherwise_is_no_name_of_a_model(name: str) -> None:
    assert not is_portable(name)
    with pytest.raises(BundleError, match="key name"):
        check_manifest(changed(manifest(), "name", name))
    assert safe_path(f"docs/{name}") is None


@pytest.mark.parametrize("name", ["console", "con-1", "nullify", "com10", "a.con", "lpt", "v1.2"])
def test_names_that_only_look_alike_are_names(name: str) -> None:
    assert is_portable(name)
    check_manifest(changed(manifest(), "name", name))


@pytest.mark.parametrize("name", ["docs/nul.md", "models/aux.safetensors", "configs/com1.json"])
def test_a_file_named_like_a_device_has_no_place_in_a_model(model: Path, name: str) -> None:
    (model / name).write_text("x")
    with pytest.raises(BundleError, match=f"{name} has no place"):
        list_files(model)


def test_weights_named_like_a_device_are_refused() -> None:
    whole = changed(manifest(), "petanomaly.weights.pet_vqgan", "models/nul.safetensors")
    with pytest.raises(BundleError, match=r"petanomaly\.weights\.pet_vqgan"):
        check_manifest(whole)


def test_files_that_only_case_tells_apart_are_refused(model: Path) -> None:
    (model / "docs" / "readme.md").write_text("another")
    if len(list((model / "docs").iterdir())) == 1:
        pytest.skip("this file system does not tell them apart either")
    with pytest.raises(BundleError, match=r"docs/README\.md and docs/readme\.md"):
        list_files(model)
