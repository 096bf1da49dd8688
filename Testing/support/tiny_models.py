"""Two very small, complete models for tests: written by hand, not by the code under test."""

from __future__ import annotations

import gzip
import hashlib
import json
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PETAnomalyLib.engine.runtime.errors import BundleError
from safetensors.numpy import save_file

SIZE = [16, 8, 24]  # x, y, z

_TEXTS = (
    "version",
    "monai_version",
    "pytorch_version",
    "numpy_version",
    "task",
    "description",
    "authors",
    "copyright",
    "license",
    "intended_use",
    "data_source",
)


def manifest(with_ct: bool = True) -> dict[str, Any]:
    """The manifest of a VQ-GAN + Performer."""
    vqgan = {"channels": [2, 2], "codebook": 4, "code_length": 2, "residual_blocks": 1}
    healer: dict[str, Any] = {
        "family": "vqgan-performer",
        "pet_vqgan": dict(vqgan),
        "transformer": {
            "grid": [6, 2, 4],
            "codebook": 4,
            "context_codebook": 4 if with_ct else 0,
            "layers": 1,
            "heads": 2,
            "width": 4,
            "features": 2,
            "feedforward": 1,
        },
    }
    names = ["pet_vqgan", "transformer"]
    if with_ct:
        healer["ct_vqgan"] = dict(vqgan)
        names.append("ct_vqgan")
    return {
        "name": "tiny",
        **dict.fromkeys(_TEXTS, "text"),
        "network_data_format": {"inputs": {}, "outputs": {}},
        "petanomaly": {
            "format": 1,
            "title": "A tiny model",
            "inputs": {"pet": "required", "ct": "required" if with_ct else "unused"},
            "healer": healer,
            "weights": {name: f"models/{name}.safetensors" for name in names},
            "frame": {
                "orientation": "LPS",
                "spacing_mm": [6.0, 6.0, 6.0],
                "size_voxels": SIZE,
                "template": "models/template.nii.gz",
            },
            "intensity": {
                "pet": {"scaling": "arcsinh", "unit_suv": 1.0, "max_suv": 30.0},
                "ct": {"scaling": "window", "min_hu": -1000, "max_hu": 1000},
            },
            "thresholds": {
                "resampling": 0.01,
                "min_bandwidth": 0.02,
                "epsilon_percentile": 50,
                "scorers": {"kde": 3.0, "zscore": 4.0, "residual": 0.2},
            },
            "scorers": ["kde", "zscore", "residual"],
            "sampling": {"samples": 4, "decodes": 2},
            "min_volume_ml": 0.5,
        },
    }


def autoencoder_manifest() -> dict[str, Any]:
    """The manifest of a dense autoencoder: one reconstruction."""
    whole = manifest(with_ct=False)
    whole["name"] = "tiny-ae"
    whole["petanomaly"].update(
        healer={
            "family": "autoencoder-dense",
            "autoencoder": {"size": SIZE[::-1], "channels": [2, 2], "bottleneck": 3},
        },
        weights={"autoencoder": "models/autoencoder.safetensors"},
        scorers=["residual"],
        sampling={"samples": 1, "decodes": 1},
        thresholds={"scorers": {"residual": 0.2}},
    )
    return whole


def write_template(path: Path, size: list[int], spacing: float = 6.0, **changes: Any) -> None:
    """A template along LPS (in NIfTI's RAS: x and y run down) with a warm body in its middle.

    Args:
        path: where to write it.
        size: voxels along x, y, z.
        spacing: mm.
        changes: `rows` of the sform, `quaternion` and `handedness` of the qform, `codes` of both,
            `datatype` and `bits` of a voxel, `scaling`, `units`, `values` (bytes).
    """
    values = np.full(size[::-1], 0.05, np.float32)
    values[2:-2, 2:-2, 2:-2] = 2.0
    rows = [-spacing, 0, 0, 90.0, 0, -spacing, 0, 40.0, 0, 0, spacing, -70.0]
    header = bytearray(352)
    struct.pack_into("<i", header, 0, 348)
    struct.pack_into("<8h", header, 40, 3, *size, 1, 1, 1, 1)
    struct.pack_into("<2h", header, 70, changes.get("datatype", 16), changes.get("bits", 32))
    handedness = changes.get("handedness", 1.0)
    struct.pack_into("<8f", header, 76, handedness, spacing, spacing, spacing, 0, 0, 0, 0)
    struct.pack_into("<3f", header, 108, 352.0, *changes.get("scaling", (1.0, 0.0)))
    header[123] = changes.get("units", 2)
    struct.pack_into("<2h", header, 252, *changes.get("codes", (1, 1)))
    struct.pack_into("<6f", header, 256, *changes.get("quaternion", (0, 0, 1)), 90.0, 40.0, -70.0)
    struct.pack_into("<12f", header, 280, *changes.get("rows", rows))
    header[344:348] = b"n+1\0"
    content = bytes(header) + changes.get("values", values.tobytes())
    path.write_bytes(gzip.compress(content, mtime=0))


def write_model(folder: Path, whole: dict[str, Any]) -> Path:
    """A complete model folder."""
    for name in ("configs", "docs", "models"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "docs" / "README.md").write_text("# Tiny\n")
    for path in whole["petanomaly"]["weights"].values():
        save_file({"weight": np.zeros((100, 20), np.float32)}, folder / path)
    write_template(folder / "models" / "template.nii.gz", SIZE)
    write_manifest(folder, whole)
    return folder


def write_manifest(folder: Path, whole: Any) -> None:
    (folder / "configs" / "metadata.json").write_text(json.dumps(whole))
    write_sums(folder)


def write_sums(folder: Path) -> None:
    files = sorted(p for p in folder.rglob("*") if p.is_file() and p.name != "SHA256SUMS")
    (folder / "SHA256SUMS").write_text(
        "".join(
            f"{hashlib.sha256(p.read_bytes()).hexdigest()}  {p.relative_to(folder).as_posix()}\n"
            for p in files
        )
    )


def refusal(action: Any, *arguments: Any) -> str:
    """The message of a `BundleError`, which must come with a hint."""
    with pytest.raises(BundleError) as error:
        action(*arguments)
    assert error.value.hint
    return error.value.message


def zipped(model: Path, archive: Path, prefix: str = "") -> Path:
    """The model as a zip file, its members below `prefix`."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        for path in sorted(model.rglob("*")):
            if path.is_file():
                file.write(path, prefix + path.relative_to(model).as_posix())
    return archive
