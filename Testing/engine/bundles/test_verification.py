"""How much there is, and of what kind, is looked at before a byte is read."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest
from PETAnomalyLib.engine.bundles.adding import add_bundle
from PETAnomalyLib.engine.bundles.bundle import verify_bundle
from PETAnomalyLib.engine.bundles.installed import damaged_bundles, installed_bundles
from PETAnomalyLib.engine.bundles.verification import list_files
from PETAnomalyLib.engine.runtime.errors import BundleError
from tiny_models import autoencoder_manifest, write_model, write_sums

needs_pipes = pytest.mark.skipif(sys.platform == "win32", reason="no named pipes in folders there")


def sparse(path: Path, size: int) -> None:
    """A file of that many zero bytes that takes no room."""
    with path.open("wb") as file:
        file.truncate(size)


def refusal(folder: Path) -> str:
    begin = time.monotonic()
    with pytest.raises(BundleError) as error:
        verify_bundle(folder)
    assert time.monotonic() - begin < 2.0
    return error.value.message


def test_a_huge_file_is_refused_before_it_is_hashed(model: Path) -> None:
    write_sums(model)
    sparse(model / "models" / "pet_vqgan.safetensors", 1 << 40)
    assert "models/pet_vqgan.safetensors is 1099511627776 bytes" in refusal(model)


def test_many_large_files_are_refused_before_they_are_hashed(model: Path) -> None:
    for number in range(8):
        sparse(model / "models" / f"{number}.safetensors", 1 << 30)
    assert "more than 4 GB" in refusal(model)


def test_more_files_than_a_model_has_are_refused(model: Path) -> None:
    for number in range(1001):
        (model / "docs" / f"{number}.md").touch()
    assert "more than 1000 entries" in refusal(model)


def test_folders_and_litter_count_as_well(model: Path) -> None:
    for number in range(1001):
        (model / f"folder{number}").mkdir()
        (model / f"folder{number}" / ".DS_Store").touch()
    assert "more than 1000 entries" in refusal(model)


def test_a_folder_in_a_folder_has_no_place(model: Path) -> None:
    deep = model / "docs" / "deep"
    deep.mkdir()
    assert "docs/deep has no place" in refusal(model)


def test_a_long_hash_list_is_not_read_to_its_end(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sparse(model / "SHA256SUMS", 3 << 30)
    assert "SHA256SUMS is missing or unreadable: it is larger" in refusal(model)
    monkeypatch.setenv("PETANOMALY_MODELS", str(model.parent))
    assert "tiny" not in [bundle.name for bundle in installed_bundles()]


@needs_pipes
@pytest.mark.parametrize("name", ["SHA256SUMS", "configs/metadata.json"])
def test_a_named_pipe_keeps_no_command_waiting(
    model: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_model(model.parent / "good", autoencoder_manifest())
    (model / name).unlink()
    os.mkfifo(model / name)
    refusal(model)
    monkeypatch.setenv("PETANOMALY_MODELS", str(model.parent))
    assert "tiny-ae" in [bundle.name for bundle in installed_bundles()]
    [error] = damaged_bundles()
    assert str(model) in error.message
    assert "no regular file" in error.message
    with pytest.raises(BundleError):
        add_bundle(model)


@needs_pipes
def test_a_device_behind_a_link_is_not_read(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (model / "SHA256SUMS").unlink()
    (model / "SHA256SUMS").symlink_to("/dev/zero")
    monkeypatch.setenv("PETANOMALY_MODELS", str(model.parent))
    [error] = damaged_bundles()
    assert "no regular file" in error.message
    assert "SHA256SUMS is a link" in refusal(model)


def test_a_name_that_is_too_long_for_a_file_is_refused_in_words() -> None:
    for action in (verify_bundle, add_bundle, list_files):
        with pytest.raises(BundleError):
            action(Path("m" * 300))
