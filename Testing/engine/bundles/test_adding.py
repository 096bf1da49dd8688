"""A model is installed for this user whole, or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest
from dotted_keys import changed
from PETAnomalyLib.engine.bundles.adding import add_bundle
from PETAnomalyLib.engine.bundles.bundle import verify_bundle
from PETAnomalyLib.engine.bundles.installed import find_bundle
from PETAnomalyLib.engine.bundles.search import user_folder
from PETAnomalyLib.engine.runtime.errors import InputError
from tiny_models import manifest, refusal, write_manifest, zipped


@pytest.mark.parametrize("form", ["folder", "flat.zip", "wrapped.zip"])
def test_a_model_is_added_from_a_folder_or_a_zip_file(
    model: Path, tmp_path: Path, form: str
) -> None:
    source = model
    if form.endswith(".zip"):
        source = zipped(model, tmp_path / form, "tiny/" if form.startswith("wrapped") else "")
    bundle = add_bundle(source)
    assert bundle.path == user_folder() / "tiny"
    assert [p.name for p in user_folder().iterdir()] == ["tiny"]  # nothing half-done beside it
    assert find_bundle("tiny").sha256 == verify_bundle(model).sha256


def test_adding_the_same_again_is_fine_and_another_of_the_same_name_is_not(model: Path) -> None:
    first = add_bundle(model)
    assert add_bundle(model) == first
    write_manifest(model, changed(manifest(), "petanomaly.title", "Another"))
    assert "Another model named 'tiny' is installed" in refusal(add_bundle, model)
    assert find_bundle("tiny").title == "A tiny model"


def test_a_bad_model_is_not_installed_at_all(model: Path) -> None:
    (model / "docs" / "README.md").write_text("changed")
    assert str(model) in refusal(add_bundle, model)
    assert list(user_folder().iterdir()) == []


def test_a_place_where_no_model_is_leaves_nothing_behind(model: Path) -> None:
    assert "no such folder or zip file" in refusal(add_bundle, model / "nowhere")
    assert not user_folder().exists()


def test_where_nothing_can_be_written_the_folder_is_named(model: Path) -> None:
    user_folder().parent.parent.mkdir(parents=True)
    user_folder().parent.write_text("a file in the way")
    with pytest.raises(InputError, match="models"):
        add_bundle(model)
