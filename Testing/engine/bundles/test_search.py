"""A name is one model's: that which is shipped, then the first that is found; never in silence."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from dotted_keys import changed
from PETAnomalyLib.engine.bundles.adding import add_bundle
from PETAnomalyLib.engine.bundles.bundle import verify_bundle
from PETAnomalyLib.engine.bundles.installed import (
    DEFAULT_MODEL,
    damaged_bundles,
    find_bundle,
    installed_bundles,
)
from PETAnomalyLib.engine.bundles.search import shipped_folders, user_folder
from PETAnomalyLib.engine.runtime.errors import BundleError
from repository import ROOT
from tiny_models import autoencoder_manifest, manifest, write_model

SHIPPED = ROOT / "Resources" / "Models"


def named(name: str) -> dict:
    return changed(manifest(), "name", name)


def paths() -> dict[str, Path]:
    return {bundle.name: bundle.path for bundle in installed_bundles()}


@pytest.mark.parametrize("name", ["petct-phantom", "pet-phantom", "PETCT-Phantom"])
def test_a_shipped_name_cannot_be_added(tmp_path: Path, name: str) -> None:
    with pytest.raises(BundleError, match="shipped with PETAnomaly"):
        add_bundle(write_model(tmp_path / "m", named(name)))
    assert list(user_folder().iterdir()) == []


@pytest.mark.parametrize("place", ["user", "variable"])
@pytest.mark.parametrize("name", [DEFAULT_MODEL, DEFAULT_MODEL.upper()])
def test_a_model_with_a_shipped_name_never_stands_for_the_shipped_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str, name: str
) -> None:
    folder = user_folder() if place == "user" else tmp_path / "models"
    monkeypatch.setenv("PETANOMALY_MODELS", str(folder))
    impostor = write_model(folder / "x", named(name))
    assert paths()[DEFAULT_MODEL] == SHIPPED / DEFAULT_MODEL
    assert impostor not in paths().values()
    assert find_bundle(DEFAULT_MODEL).path == SHIPPED / DEFAULT_MODEL
    message = damaged_bundles()[0].message
    assert str(impostor) in message
    assert "shipped with PETAnomaly" in message
    # By its folder it can be had; its hash tells the two apart.
    assert find_bundle(impostor).sha256 != find_bundle(DEFAULT_MODEL).sha256


def test_nothing_takes_the_place_of_a_shipped_model_that_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    for name in ("petct-phantom", "pet-phantom"):
        write_model(shipped / name, named(name))
        (shipped / name / "configs" / "metadata.json").write_text("{")
    monkeypatch.setattr("PETAnomalyLib.engine.bundles.search.shipped_folders", lambda: [shipped])
    for name in ("petct-phantom", "pet-phantom"):
        write_model(user_folder() / name, named(name))
    assert paths() == {}
    assert len(damaged_bundles()) == 4
    with pytest.raises(BundleError, match="not valid JSON"):
        find_bundle("petct-phantom")


def test_the_shipped_model_itself_may_be_added_and_is_there_already() -> None:
    assert add_bundle(SHIPPED / "pet-phantom").path == SHIPPED / "pet-phantom"
    assert list(user_folder().iterdir()) == []


def test_a_copy_of_a_model_is_no_other_model(
    tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(model, tmp_path / "models" / "copy")
    shutil.copytree(model, tmp_path / "models" / "tiny")
    monkeypatch.setenv("PETANOMALY_MODELS", str(tmp_path / "models"))
    assert damaged_bundles() == []
    assert paths()["tiny"] == tmp_path / "models" / "copy"


def test_the_second_of_a_name_is_named_with_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_model(tmp_path / "models" / "a", named("tiny"))
    second = write_model(tmp_path / "models" / "b", named("Tiny"))
    monkeypatch.setenv("PETANOMALY_MODELS", str(tmp_path / "models"))
    assert paths()["tiny"] == first
    assert "Tiny" not in paths()
    [error] = damaged_bundles()
    assert str(first) in error.message
    assert str(second) in error.message
    with pytest.raises(BundleError, match="Another model named 'tiny' is installed"):
        add_bundle(write_model(tmp_path / "c", changed(named("tiny"), "version", "2")))


def test_the_shipped_folders_hold_the_shipped_models() -> None:
    names = {
        path.name for folder in shipped_folders() if folder.is_dir() for path in folder.iterdir()
    }
    assert DEFAULT_MODEL in names
    assert names <= set(paths())


@contextmanager
def without_privileges() -> Iterator[None]:
    """As a user whom the permissions of files bind: root passes them all."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="other permissions there")
@pytest.mark.parametrize("closed", ["bad", "bad/configs", "bad/configs/metadata.json", "."])
def test_what_cannot_be_read_hides_no_other_model(
    closed: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        place.chmod(0o755)
        (place / "good").mkdir()
        write_model(place / "good" / "one", autoencoder_manifest())
        write_model(place / "closed" / "bad", manifest())
        monkeypatch.setenv(
            "PETANOMALY_MODELS", os.pathsep.join([str(place / "closed"), str(place / "good")])
        )
        monkeypatch.setenv("HOME", str(place / "nowhere"))
        (place / "closed" / closed).chmod(0)
        try:
            with without_privileges():
                found, damaged = paths(), damaged_bundles()
                with pytest.raises(BundleError):
                    verify_bundle(place / "closed" / "bad")
                with pytest.raises(BundleError):
                    find_bundle(str(place / "closed" / "bad"))
        finally:
            (place / "closed" / closed).chmod(0o755)
    assert found["tiny-ae"] == place / "good" / "one"
    # Without privileges the shipped models may be out of reach too, where the repository is.
    [error] = [each for each in damaged if str(place / "closed") in each.message]
    assert "ermission" in error.message


@pytest.mark.skipif(sys.platform == "win32", reason="other permissions there")
def test_a_file_that_cannot_be_read_is_named(model: Path) -> None:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name) / "tiny"
        shutil.copytree(model, place)
        for folder in (place.parent, *place.rglob("*")):
            folder.chmod(0o755)
        (place / "docs" / "README.md").chmod(0)
        for action in (verify_bundle, find_bundle):
            with without_privileges(), pytest.raises(BundleError, match="README") as error:
                action(place)
            assert "ermission" in error.value.message
