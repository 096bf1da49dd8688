"""The manifest: every wrong key is named, and no JSON is a crash."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from dotted_keys import changed
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.bundles.bundle import verify_bundle
from PETAnomalyLib.engine.bundles.manifest import check_manifest
from PETAnomalyLib.engine.runtime.errors import BundleError
from tiny_models import SIZE, autoencoder_manifest, manifest, refusal, write_manifest, write_sums

WRONG_KEYS = [
    ("name", ...),
    ("name", "../tiny"),
    ("name", ".hidden"),
    ("version", ...),
    ("authors", 7),
    ("license", "  "),
    ("intended_use", ...),
    ("data_source", ...),
    ("description", "red \x1b[31m"),
    ("network_data_format", ...),
    ("petanomaly", ...),
    ("petanomaly", []),
    ("petanomaly.format", 2),
    ("petanomaly.format", True),
    ("petanomaly.title", ...),
    ("petanomaly.inputs.ct", "maybe"),
    ("petanomaly.inputs.pet", "unused"),
    ("petanomaly.healer.family", "diffusion"),
    ("petanomaly.healer.family", ["vqgan-performer"]),
    ("petanomaly.healer.pet_vqgan", ...),
    ("petanomaly.healer.pet_vqgan.channels", []),
    ("petanomaly.healer.pet_vqgan.channels", [2, 2.5]),
    ("petanomaly.healer.pet_vqgan.codebook", 10**9),
    ("petanomaly.healer.pet_vqgan.code_length", "$2**40"),
    ("petanomaly.healer.pet_vqgan.cells", 3),
    ("petanomaly.healer.transformer.width", 5),
    ("petanomaly.healer.transformer.grid", [6, 2]),
    ("petanomaly.healer.transformer.grid", [6, 2, 5]),
    ("petanomaly.healer.transformer.codebook", 5),
    ("petanomaly.healer.transformer.context_codebook", 0),
    ("petanomaly.healer.surplus", {}),
    ("petanomaly.weights.pet_vqgan", ...),
    ("petanomaly.weights.pet_vqgan", "models/../../secret.safetensors"),
    ("petanomaly.weights.pet_vqgan", "/etc/weights.safetensors"),
    ("petanomaly.weights.pet_vqgan", "C:\\models\\a.safetensors"),
    ("petanomaly.weights.pet_vqgan", "models/pet_vqgan.pt"),
    ("petanomaly.weights.surplus", "models/surplus.safetensors"),
    ("petanomaly.frame.orientation", "RAS"),
    ("petanomaly.frame.spacing_mm", [6, 6]),
    ("petanomaly.frame.spacing_mm", [6, 6, 0]),
    ("petanomaly.frame.size_voxels", [16, 8, 24.0]),
    ("petanomaly.frame.size_voxels", [1024, 1024, 1024]),
    ("petanomaly.frame.template", "models/template.exe"),
    ("petanomaly.intensity.pet.scaling", "log"),
    ("petanomaly.intensity.pet.max_suv", -1),
    ("petanomaly.intensity.ct", ...),
    ("petanomaly.thresholds.resampling", 1.5),
    ("petanomaly.thresholds.min_bandwidth", ...),
    ("petanomaly.thresholds.epsilon_percentile", 101),
    ("petanomaly.thresholds.scorers.kde", ...),
    ("petanomaly.thresholds.scorers.zscore", None),
    ("petanomaly.scorers", []),
    ("petanomaly.scorers", ["kde", "kde"]),
    ("petanomaly.scorers", ["entropy"]),
    ("petanomaly.sampling.samples", 0),
    ("petanomaly.sampling.decodes", 10**6),
    ("petanomaly.min_volume_ml", ...),
    ("petanomaly.min_volume_ml", "0.5"),
]


@pytest.mark.parametrize(("key", "value"), WRONG_KEYS)
def test_a_wrong_key_is_refused_with_folder_file_and_key(model: Path, key: str, value: Any) -> None:
    write_manifest(model, changed(manifest(), key, value))
    message = refusal(verify_bundle, model)
    assert str(model) in message
    assert "configs/metadata.json" in message
    assert key in message
    assert message.isprintable()


@pytest.mark.parametrize(
    ("tracer", "key"),
    [
        ("FDG", "tracer"),
        ({"half_life_s": 6586.2}, "tracer.name"),
        ({"name": "x" * 65, "half_life_s": 6586.2}, "tracer.name"),
        ({"name": "FDG"}, "tracer.half_life_s"),
        ({"name": "FDG", "half_life_s": 0.5}, "tracer.half_life_s"),
        ({"name": "FDG", "half_life_s": 1e8}, "tracer.half_life_s"),
        ({"name": "FDG", "half_life_s": 6586.2, "code": 35321007}, "tracer.code"),
        ({"name": "FDG", "half_life_s": 6586.2, "dose": 1}, "tracer.dose"),
    ],
)
def test_a_tracer_has_a_name_and_a_half_life(tracer: Any, key: str) -> None:
    whole = changed(manifest(), "petanomaly.tracer", tracer)
    assert f"petanomaly.{key}" in refusal(check_manifest, whole)


def a_familiarity() -> dict[str, Any]:
    return {
        "studies": 300,
        "borders_mm": {"shoulders": 311.0, "diaphragm": 111.0, "pelvis": -147.0, "midline": 0.0,
                       "trunk": 200.0, "head": 110.0},
        "measures": {"body/log_likelihood": [-3.0 + 0.01 * n for n in range(101)]},
        "strangeness": [0.02 * n for n in range(101)],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("studies", 0, "studies"),
        ("borders_mm.head", "wide", "borders_mm.head"),
        ("borders_mm.tail", 1.0, "borders_mm.tail"),
        ("measures", {"tail/log_likelihood": [0.0] * 101}, "measures.tail/log_likelihood"),
        ("measures", {"body/unlikely_share": [0.0] * 100}, "measures.body/unlikely_share"),
        ("measures", {"body/unlikely_share": [*[0.1] * 100, 0.0]}, "measures.body/unlikely_share"),
        ("strangeness", [1e9] * 101, "strangeness"),
        ("mood", 1, "mood"),
    ],
)
def test_familiarity_is_quantiles_that_never_fall(key: str, value: Any, named: str) -> None:
    whole = changed(manifest(), "petanomaly.familiarity", a_familiarity())
    check_manifest(whole)
    whole = changed(whole, f"petanomaly.familiarity.{key}", value)
    assert f"petanomaly.familiarity.{named}" in refusal(check_manifest, whole)


def test_a_scorer_that_needs_many_reconstructions_is_refused_with_the_reason() -> None:
    whole = changed(autoencoder_manifest(), "petanomaly.scorers", ["residual", "kde"])
    assert "several reconstructions" in refusal(check_manifest, whole)
    whole = changed(autoencoder_manifest(), "petanomaly.sampling.samples", 16)
    assert "petanomaly.sampling.samples" in refusal(check_manifest, whole)


def test_sizes_of_the_autoencoder_must_be_those_of_the_frame() -> None:
    whole = changed(autoencoder_manifest(), "petanomaly.healer.autoencoder.size", SIZE)
    assert "petanomaly.healer.autoencoder.size" in refusal(check_manifest, whole)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[" * 100_000,
        '{"name": NaN}',
        '{"name": 1' + "0" * 5000 + "}",
        '{"name": "a", "name": "b"}',
        "null",
        '"\\ud800"',
    ],
)
def test_a_manifest_that_is_not_plain_json_is_refused(model: Path, text: str) -> None:
    (model / "configs" / "metadata.json").write_text(text)
    write_sums(model)
    assert "configs/metadata.json" in refusal(verify_bundle, model)


def test_a_manifest_of_two_megabytes_is_not_parsed(model: Path) -> None:
    (model / "configs" / "metadata.json").write_text('"' + "a" * (2 << 20) + '"')
    write_sums(model)
    assert "larger than" in refusal(verify_bundle, model)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -1, 0, 2**63])
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["kde", "residual", "models/a.safetensors", "unused", "autoencoder-dense"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        for name, inner in value.items():
            found += places(inner, (*path, name))
    if isinstance(value, list):
        for number, inner in enumerate(value):
            found += places(inner, (*path, number))
    return found


@settings(max_examples=400, deadline=None)
@given(
    whole=st.sampled_from([manifest(), manifest(with_ct=False), autoencoder_manifest()]),
    number=st.integers(0, 10_000),
    value=JSON_VALUES,
)
def test_any_value_in_any_place_is_accepted_or_refused_but_never_a_crash(
    whole: dict[str, Any], number: int, value: Any
) -> None:
    whole = copy.deepcopy(whole)
    path = places(whole)[number % len(places(whole))]
    if path:
        place = whole
        for part in path[:-1]:
            place = place[part]
        place[path[-1]] = value
    else:
        whole = value
    try:
        check_manifest(whole)
    except BundleError as error:
        assert "configs/metadata.json" in error.message  # noqa: PT017 - either outcome is right
        assert error.message.isprintable()  # noqa: PT017
