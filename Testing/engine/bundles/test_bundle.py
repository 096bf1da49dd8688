"""A good model gives its facts; a file that is not as it must be is named."""

from __future__ import annotations

import hashlib
import json
import os
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
from dotted_keys import changed
from PETAnomalyLib.engine.bundles.bundle import verify_bundle
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from tiny_models import (
    SIZE,
    autoencoder_manifest,
    manifest,
    refusal,
    write_manifest,
    write_model,
    write_sums,
    write_template,
)


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


def test_a_model_is_of_f_18_fdg_unless_it_names_its_tracer(model: Path) -> None:
    fdg = verify_bundle(model).tracer
    assert (fdg.name, fdg.half_life_s) == ("F-18 FDG", 6586.2)
    whole = manifest()
    whole["petanomaly"]["tracer"] = {"name": "Ga-68 PSMA-11", "half_life_s": 4062, "code": "C-1"}
    write_manifest(model, whole)
    write_sums(model)
    psma = verify_bundle(model).tracer
    assert (psma.name, psma.half_life_s, psma.code) == ("Ga-68 PSMA-11", 4062.0, "C-1")


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
