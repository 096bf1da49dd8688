from __future__ import annotations

import copy
import hashlib
import json
import os
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dotted_keys import changed
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.bundles.bundle import (
    Bundle,
    add_bundle,
    damaged_bundles,
    find_bundle,
    installed_bundles,
    user_folder,
    verify_bundle,
    write_bundle,
)
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.bundles.manifest import check_manifest
from PETAnomalyLib.engine.runtime.errors import BundleError, InputError, PETAnomalyError
from safetensors.numpy import save_file
from tiny_models import (
    SIZE,
    autoencoder_manifest,
    manifest,
    write_manifest,
    write_model,
    write_sums,
    write_template,
)


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.delenv("PETANOMALY_MODELS", raising=False)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "tiny", manifest())


def refusal(action: Any, *arguments: Any) -> str:
    with pytest.raises(BundleError) as error:
        action(*arguments)
    assert error.value.hint
    return error.value.message


# --- a good model -----------------------------------------------------------------------------


def test_a_good_model_gives_its_facts(model: Path) -> None:
    bundle = verify_bundle(model)
    assert (bundle.name, bundle.title, bundle.ct) == ("tiny", "A tiny model", "required")
    assert bundle.size_voxels == tuple(SIZE)
    assert bundle.spacing_mm == (6.0, 6.0, 6.0)
    assert bundle.scorers == ("kde", "zscore", "residual")
    assert (bundle.samples, bundle.decodes, bundle.min_volume_ml) == (4, 2, 0.5)
    assert bundle.weights["ct_vqgan"] == model / "models" / "ct_vqgan.safetensors"
    assert bundle.template.is_file()
    assert bundle.sha256 == hashlib.sha256((model / "SHA256SUMS").read_bytes()).hexdigest()


@pytest.mark.parametrize("whole", [manifest(with_ct=False), autoencoder_manifest()])
def test_models_without_ct_are_good_too(tmp_path: Path, whole: dict[str, Any]) -> None:
    assert verify_bundle(write_model(tmp_path / "m", whole)).ct == "unused"


def test_monai_expressions_are_only_text(tmp_path: Path) -> None:
    whole = changed(manifest(), "description", "$__import__('os').system('touch /tmp/gone')")
    whole["changelog"] = {"0.1": "@network_def"}
    assert verify_bundle(write_model(tmp_path / "m", whole)).manifest == whole


def test_litter_of_a_file_browser_does_no_harm(model: Path) -> None:
    (model / "models" / ".DS_Store").write_bytes(b"Bud1")
    assert verify_bundle(model).name == "tiny"


# --- the manifest -----------------------------------------------------------------------------

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


# --- the files --------------------------------------------------------------------------------


def test_a_changed_file_is_named(model: Path) -> None:
    (model / "docs" / "README.md").write_text("# Better\n")
    message = refusal(verify_bundle, model)
    assert "docs/README.md was changed" in message
    assert "SHA256SUMS" in message


def test_one_flipped_bit_in_the_weights_is_found(model: Path) -> None:
    path = model / "models" / "transformer.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert "models/transformer.safetensors was changed" in refusal(verify_bundle, model)


def test_a_missing_an_unlisted_and_a_forbidden_file_are_named(model: Path) -> None:
    (model / "docs" / "notes.md").write_text("x")
    assert "docs/notes.md is not listed" in refusal(verify_bundle, model)
    (model / "docs" / "notes.md").unlink()
    for name in ("models/model.pt", "scripts/run.py", "models/weights.pkl", "setup.sh"):
        (model / name).parent.mkdir(exist_ok=True)
        (model / name).write_text("x")
        assert f"{name} has no place" in refusal(verify_bundle, model)
        (model / name).unlink()
    (model / "models" / "ct_vqgan.safetensors").unlink()
    assert "models/ct_vqgan.safetensors is missing" in refusal(verify_bundle, model)
    write_sums(model)
    message = refusal(verify_bundle, model)
    assert "models/ct_vqgan.safetensors is missing" in message
    assert "petanomaly.weights.ct_vqgan" in message


@pytest.mark.parametrize(
    "sums",
    ["", "nonsense\n", f"{'0' * 64}  ../../etc/passwd\n", f"{'0' * 64}  /etc/passwd\n", "\xff"],
)
def test_bad_hash_lists_are_refused(model: Path, sums: str) -> None:
    (model / "SHA256SUMS").write_bytes(sums.encode("latin-1"))
    assert "SHA256SUMS" in refusal(verify_bundle, model)


def test_a_missing_hash_list_is_refused(model: Path) -> None:
    (model / "SHA256SUMS").unlink()
    assert "SHA256SUMS is missing" in refusal(verify_bundle, model)


@pytest.mark.skipif(sys.platform == "win32", reason="links need rights there")
def test_links_and_pipes_are_refused(model: Path, tmp_path: Path) -> None:
    weights = model / "models" / "pet_vqgan.safetensors"
    weights.rename(tmp_path / "elsewhere.safetensors")
    weights.symlink_to(tmp_path / "elsewhere.safetensors")
    assert "models/pet_vqgan.safetensors is a link" in refusal(verify_bundle, model)
    weights.unlink()
    os.mkfifo(weights)
    assert "models/pet_vqgan.safetensors has no place" in refusal(verify_bundle, model)


def safetensors_bytes(header: Any, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tensor(dtype: str, shape: Any, begin: Any, end: Any) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 8,
        struct.pack("<Q", 1 << 60) + b"{}",
        safetensors_bytes(b"not json"),
        safetensors_bytes(b"[]"),
        safetensors_bytes({"a": 1}, b"1234"),
        safetensors_bytes({"a": tensor("F32", [1], 0, 4)}),
        safetensors_bytes({"a": tensor("F32", [1], 0, 4)}, b"12345"),
        safetensors_bytes({"a": tensor("F32", [2], 0, 4)}, b"1234"),
        safetensors_bytes({"a": tensor("F32", [-1, -1], 0, 4)}, b"1234"),
        safetensors_bytes({"a": tensor("F32", [1 << 62, 4], 0, 4)}, b"1234"),
        safetensors_bytes({"a": tensor("F32", [True], 0, 4)}, b"1234"),
        safetensors_bytes({"a": tensor("PICKLE", [1], 0, 4)}, b"1234"),
        safetensors_bytes({"a": tensor("F32", [1], 4, 8)}, b"12345678"),
        safetensors_bytes(
            {"a": tensor("F32", [1], 0, 4), "b": tensor("F32", [1], 0, 4)}, b"12345678"
        ),
        safetensors_bytes({"a": tensor("F32", "1", 0, 4)}, b"1234"),
        safetensors_bytes({"a": {"dtype": "F32", "shape": [1]}}, b"1234"),
    ],
)
def test_a_damaged_safetensors_header_is_refused_before_loading(
    model: Path, content: bytes
) -> None:
    (model / "models" / "pet_vqgan.safetensors").write_bytes(content)
    write_sums(model)
    assert "models/pet_vqgan.safetensors is damaged" in refusal(verify_bundle, model)


def test_a_manifest_asking_for_more_than_the_weights_hold_is_refused(model: Path) -> None:
    whole = changed(manifest(), "petanomaly.healer.transformer.width", 8192)
    write_manifest(model, whole)
    message = refusal(verify_bundle, model)
    assert "petanomaly.healer.transformer" in message
    assert "models/transformer.safetensors holds 2000" in message


def test_a_template_on_another_grid_is_refused(model: Path) -> None:
    template = model / "models" / "template.nii.gz"
    for size, spacing, key in (([16, 8, 25], 6.0, "size_voxels"), (SIZE, 5.0, "spacing_mm")):
        write_template(template, size, spacing)
        write_sums(model)
        message = refusal(verify_bundle, model)
        assert "models/template.nii.gz" in message
        assert f"petanomaly.frame.{key}" in message
    template.write_bytes(b"not gzip")
    write_sums(model)
    assert "models/template.nii.gz is damaged" in refusal(verify_bundle, model)


def test_least_parameters_never_exceed_the_real_networks_and_come_close() -> None:
    networks = pytest.importorskip("PETAnomalyLib.engine.families.networks")
    cases = [
        ("vqgan-performer", "pet_vqgan",
         {"channels": [8, 16], "codebook": 32, "code_length": 12, "residual_blocks": 2}),
        ("vqgan-performer", "transformer",
         {"grid": [4, 3, 2], "codebook": 32, "context_codebook": 16, "layers": 3, "heads": 4,
          "width": 32, "features": 16, "feedforward": 4}),
        ("autoencoder-dense", "autoencoder",
         {"size": [16, 16, 8], "channels": [4, 8], "bottleneck": 16}),
    ]  # fmt: skip
    for family, name, sizes in cases:
        kind = FAMILIES[family].networks[name]
        state = networks.build_network(kind, sizes).state_dict()
        real = sum(value.numel() for value in state.values())
        assert 0.4 * real < kind.least_parameters(sizes) <= real


def test_the_sizes_a_manifest_may_state_are_the_fields_of_the_networks() -> None:
    pytest.importorskip("torch")
    for family in FAMILIES.values():
        for kind in family.networks.values():
            _, sizes = kind.architecture()
            assert set(kind.sizes) == set(sizes.__dataclass_fields__)


# --- finding and installing -------------------------------------------------------------------


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
        "import sys; from PETAnomalyLib.engine.bundles.bundle import installed_bundles; "
        "installed_bundles(); print([m for m in ('torch', 'monai', 'SimpleITK', 'scipy') "
        "if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def zipped(model: Path, archive: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(model.rglob("*")):
            if path.is_file():
                file.write(path, prefix + path.relative_to(model).as_posix())
    return archive


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
    assert "no such folder or zip file" in refusal(add_bundle, model / "nowhere")


def test_where_nothing_can_be_written_the_folder_is_named(model: Path) -> None:
    user_folder().parent.parent.mkdir(parents=True)
    user_folder().parent.write_text("a file in the way")
    with pytest.raises(InputError, match="models"):
        add_bundle(model)


@pytest.mark.parametrize(
    "name",
    [
        "../evil.md",
        "tiny/../../evil.md",
        "/etc/evil.md",
        "C:/evil.md",
        "docs\\..\\..\\evil.md",
        "tiny/models/model.pt",
        "tiny/run.py",
        "tiny/models/weights.pkl",
        "tiny/models/.hidden.safetensors",
        "evil.sh",
    ],
)
def test_a_zip_file_with_a_hostile_name_writes_nothing(
    model: Path, tmp_path: Path, name: str
) -> None:
    archive = zipped(model, tmp_path / "evil.zip", "tiny/")
    with zipfile.ZipFile(archive, "a") as file:
        info = zipfile.ZipInfo("x")
        info.filename = name
        file.writestr(info, "x")
    before = {p for p in tmp_path.rglob("*") if not p.is_relative_to(tmp_path / "home")}
    message = refusal(add_bundle, archive)
    assert str(archive) in message
    assert "zip file" in message
    assert list(user_folder().iterdir()) == []
    assert {p for p in tmp_path.rglob("*") if not p.is_relative_to(tmp_path / "home")} == before


def test_a_link_in_a_zip_file_is_refused(model: Path, tmp_path: Path) -> None:
    archive = zipped(model, tmp_path / "link.zip")
    with zipfile.ZipFile(archive, "a") as file:
        info = zipfile.ZipInfo("docs/link.md")
        info.external_attr = 0o120777 << 16
        file.writestr(info, "/etc/passwd")
    assert "is a link" in refusal(add_bundle, archive)


def test_a_zip_bomb_is_refused_by_its_declared_size(model: Path, tmp_path: Path) -> None:
    archive = zipped(model, tmp_path / "bomb.zip")
    with zipfile.ZipFile(archive, "a", zipfile.ZIP_DEFLATED) as file:
        file.writestr("docs/bomb.txt", bytes(80 << 20))
    assert archive.stat().st_size < 1 << 20
    assert "docs/bomb.txt' unpacks from" in refusal(add_bundle, archive)


def test_a_name_twice_or_too_many_entries_are_refused(model: Path, tmp_path: Path) -> None:
    archive = zipped(model, tmp_path / "twice.zip")
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("docs/readme.md", "another by case only")
    assert "twice" in refusal(add_bundle, archive)
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as file:
        for number in range(1100):
            file.writestr(f"docs/{number}.md", "")
    assert "1100 entries" in refusal(add_bundle, tmp_path / "many.zip")


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not really", b"plain text"])
def test_what_is_no_zip_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.zip").write_bytes(content)
    assert "zip file is damaged" in refusal(add_bundle, tmp_path / "a.zip")


@settings(max_examples=60, deadline=None)
@given(position=st.integers(0, 10**6), value=st.integers(0, 255))
def test_a_zip_file_with_any_byte_changed_installs_the_same_or_nothing(
    tmp_path_factory: pytest.TempPathFactory, position: int, value: int
) -> None:
    folder = tmp_path_factory.mktemp("zip")
    good = write_model(folder / "tiny", autoencoder_manifest())
    content = bytearray(zipped(good, folder / "m.zip").read_bytes())
    content[position % len(content)] = value
    (folder / "m.zip").write_bytes(content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(folder / "home"))
        patch.setenv("USERPROFILE", str(folder / "home"))
        try:
            assert add_bundle(folder / "m.zip").sha256 == verify_bundle(good).sha256
        except PETAnomalyError:
            assert list(user_folder().iterdir()) == []


# --- writing ----------------------------------------------------------------------------------


def parts(folder: Path) -> tuple[dict[str, Path], Path]:
    folder.mkdir()
    weights = {}
    for name in ("pet_vqgan", "ct_vqgan", "transformer"):
        weights[name] = folder / f"{name}.bin"
        save_file({"weight": np.ones((100, 20), np.float32)}, weights[name])
    write_template(folder / "mean.nii.gz", SIZE)
    return weights, folder / "mean.nii.gz"


def test_a_written_model_verifies_and_the_same_parts_give_the_same_bytes(tmp_path: Path) -> None:
    weights, template = parts(tmp_path / "parts")
    written = [
        write_bundle(tmp_path / name, manifest(), weights, template, "# Über\n", "Apache")
        for name in ("one", "two")
    ]
    assert all(isinstance(bundle, Bundle) for bundle in written)
    assert written[0].sha256 == written[1].sha256
    assert (written[0].path / "docs" / "README.md").read_bytes() == "# Über\n".encode()
    assert written[0].manifest == manifest()
    if sys.platform != "win32":
        done = subprocess.run(
            ["sha256sum", "-c", "SHA256SUMS"], cwd=written[0].path, capture_output=True, check=False
        )
        assert done.returncode == 0


def test_parts_that_do_not_fit_leave_nothing_behind(tmp_path: Path) -> None:
    weights, template = parts(tmp_path / "parts")
    target = tmp_path / "out" / "tiny"
    wrong = changed(manifest(), "petanomaly.frame.size_voxels", [16, 16, 24])
    wrong["petanomaly"]["healer"]["transformer"]["grid"] = [6, 4, 4]
    assert "size_voxels" in refusal(write_bundle, target, wrong, weights, template, "x")
    assert list(target.parent.iterdir()) == []
    del weights["ct_vqgan"]
    assert "weights.ct_vqgan" in refusal(write_bundle, target, manifest(), weights, template, "x")


def test_an_existing_folder_is_not_written_over(tmp_path: Path, model: Path) -> None:
    weights, template = parts(tmp_path / "parts")
    with pytest.raises(InputError, match="exists already"):
        write_bundle(model, manifest(), weights, template, "x")
