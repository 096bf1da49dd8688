"""A stage's configuration: what is wrong in it is named by file and key, and never a traceback."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import SimpleITK as sitk
from dotted_keys import changed
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.bundles.kinds import STAGES
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.training.configuration import load_what_lies_beside, read_stage
from repository import MODULE
from tiny_bundle import FRAME, INTENSITY
from tiny_training import SECTIONS, configuration

CONFIGS = sorted((MODULE / "PETAnomalyLib" / "engine" / "families").glob("*/configs/*.json"))


def whole(name: str) -> dict[str, Any]:
    """The configuration of a tiny stage."""
    stage, section = SECTIONS[name]
    return {"frame": FRAME, "intensity": INTENSITY, stage: section}


def written(folder: Path, values: Any) -> Path:
    path = folder / "stage.json"
    path.write_text(json.dumps(values))
    return path


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_what_comes_with_the_program_is_in_order(path: Path) -> None:
    [stage] = set(STAGES) & set(json.loads(path.read_text()))
    found = read_stage(path, stage)
    assert found.needs_ct == ("ct-" in path.name or "petct" in path.name)


@pytest.mark.parametrize(
    ("name", "key", "value", "wrong"),
    [
        ("pet-vqgan", "vqgan", [], "must be an object"),
        ("pet-vqgan", "frame", ..., "is missing"),
        ("pet-vqgan", "frame.size_voxels", ..., "is missing"),
        ("pet-vqgan", "frame.size_voxels", [23, 20, 36], "does not divide by 4"),
        ("pet-vqgan", "frame.spacing_mm", [6, 6], "must be a list of 3 values"),
        ("pet-vqgan", "frame.orientation", "RAS", "known here: LPS"),
        ("pet-vqgan", "intensity.pet", ..., "is missing"),
        ("pet-vqgan", "intensity.pet.unit_suv", 50, "is larger than max_suv, 30"),
        ("ct-vqgan", "intensity.ct", ..., "is missing"),
        ("pet-vqgan", "vqgan.modality", "mri", "known here: pet, ct"),
        ("pet-vqgan", "vqgan.steps", "many", "must be a number from 1"),
        ("pet-vqgan", "vqgan.steps", 1.5, "must be a whole number"),
        ("pet-vqgan", "vqgan.batch", 0, "must be a number from 1"),
        ("pet-vqgan", "vqgan.crop", 18, "does not divide by 4"),
        ("pet-vqgan", "vqgan.crop", 8, "must be a number from 16"),
        ("pet-vqgan", "vqgan.sizes.channels", [], "must be a list of 1 to 6 values"),
        ("pet-vqgan", "vqgan.sizes.codebook", 0, "must be a number from 2"),
        ("transformer", "transformer.pet_vqgan", ..., "must name the run"),
        ("transformer", "transformer.pet_vqgan", 3, "must be text"),
        ("transformer", "transformer.hidden_share", 2, "must be a number from 0 to 1"),
        ("transformer", "transformer.masking_rounds", [0.5, 0.2], "must rise"),
        ("transformer", "transformer.sizes.grid", [9, 5], "must be a list of 3 values"),
        ("transformer", "transformer.sizes.depth", 3, "is not a size of this network"),
        ("autoencoder", "autoencoder.stepps", 3, "is unknown; known here: sizes, steps, batch"),
        ("autoencoder", "autoencoder.steps", ..., "is missing"),
        ("autoencoder", "autoencoder.sizes.size", [36, 20, 32], r"the frame has \[36, 20, 24\]"),
    ],
)
def test_the_file_and_the_key_are_named(
    name: str, key: str, value: Any, wrong: str, tmp_path: Path
) -> None:
    path = written(tmp_path, changed(whole(name), key, value))
    with pytest.raises(InputError, match=f"stage.json, key {key}: .*{wrong}"):
        read_stage(path, SECTIONS[name][0])


def keys_of(values: Any, above: str = "") -> list[str]:
    """The dotted keys of nested objects."""
    found = []
    if isinstance(values, dict):
        for key, value in values.items():
            found += [above + key, *keys_of(value, f"{above}{key}.")]
    return found


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(st.sampled_from(sorted(SECTIONS)), st.data())
def test_whatever_stands_there_is_taken_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    key = data.draw(st.sampled_from(keys_of(whole(name))))
    values = changed(whole(name), key, data.draw(ANYTHING))
    path = written(tmp_path_factory.getbasetemp(), values)
    try:
        found = read_stage(path, SECTIONS[name][0])
    except InputError as error:
        assert str(path) in error.message  # noqa: PT017 - one of two outcomes
        return
    assert found.settings.steps >= 1
    assert found.settings.batch >= 1
    assert found.frame["size_voxels"] == values["frame"]["size_voxels"]


def beside(folder: Path, name: str, **changes: Any) -> None:
    """A run of that name with its configuration, as if it had been trained."""
    (folder / name).mkdir()
    configuration(folder, name, **changes).rename(folder / name / "config.json")


def refusal(folder: Path, name: str, **changes: Any) -> str:
    """Why a stage does not fit what lies in the folder."""
    found = read_stage(configuration(folder, name, **changes), SECTIONS[name][0])
    with pytest.raises(InputError) as caught:
        load_what_lies_beside(found, folder)
    return caught.value.message


def test_a_transformer_must_fit_the_runs_whose_tokens_it_learns(tmp_path: Path) -> None:
    sizes = SECTIONS["transformer"][1]["sizes"]
    assert "pet-vqgan holds no training run" in refusal(tmp_path, "transformer")
    beside(tmp_path, "pet-vqgan")
    beside(tmp_path, "ct-vqgan")
    beside(tmp_path, "autoencoder")
    # All fits; that the runs are not finished is the last thing said.
    assert "pet-vqgan has no weights" in refusal(tmp_path, "transformer")
    for changes, wrong in (
        ({"pet_vqgan": "ct-vqgan"}, "transformer.pet_vqgan: is no run of pet: ct-vqgan"),
        ({"pet_vqgan": "autoencoder"}, "key vqgan: is missing"),
        ({"sizes": {**sizes, "codebook": 4}}, "sizes.codebook: is 4, pet_vqgan has 16 codes"),
        ({"sizes": {**sizes, "context_codebook": 0}}, "sizes.context_codebook: is 0, ct_vqgan"),
        ({"sizes": {**sizes, "grid": [9, 5, 7]}}, "sizes.grid: is [9, 5, 7] tokens"),
        ({"sizes": {**sizes, "width": 15}}, "sizes.width: is not a multiple of heads"),
        ({"ct_vqgan": None}, "sizes.context_codebook: is 16, ct_vqgan has 0 codes"),
    ):
        assert wrong in refusal(tmp_path, "transformer", **changes)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("frame", "spacing_mm", [20.0, 24.0, 24.0]),
        ("intensity", "pet", {**INTENSITY["pet"], "max_suv": 20.0}),
    ],
)
def test_a_transformer_must_see_its_studies_as_its_vqgan_does(
    section: str, key: str, value: Any, tmp_path: Path
) -> None:
    beside(tmp_path, "pet-vqgan")
    beside(tmp_path, "ct-vqgan")
    place = tmp_path / "pet-vqgan" / "config.json"
    trained = json.loads(place.read_text())
    trained[section][key] = value
    place.write_text(json.dumps(trained))
    assert f"{section}.{key}: is not that of {place}" in refusal(tmp_path, "transformer")


@pytest.mark.parametrize(
    ("size", "spacing", "key"),
    [((24, 20, 40), 24.0, "frame.size_voxels"), ((24, 20, 36), 20.0, "frame.spacing_mm")],
)
def test_a_stage_must_have_the_frame_that_the_runs_beside_it_have(
    size: tuple[int, ...], spacing: float, key: str, tmp_path: Path
) -> None:
    template = sitk.Image(list(size), sitk.sitkFloat32)
    template.SetSpacing([spacing] * 3)
    sitk.WriteImage(template, str(tmp_path / "template.nii.gz"))
    said = refusal(tmp_path, "pet-vqgan")
    assert key in said
    assert "give a model with another frame a folder of its own" in said
