"""A new model's folder written from its parts."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.bundles.bundle import Bundle, verify_bundle
from PETAnomalyLib.engine.bundles.manifest import check_manifest
from PETAnomalyLib.engine.bundles.staging import staging_folder, written
from PETAnomalyLib.engine.bundles.verification import SUMS, file_hash, list_files, verify_files
from PETAnomalyLib.engine.runtime.errors import BundleError, InputError


def write_bundle(
    folder: str | Path,
    manifest: Mapping[str, Any],
    weights: Mapping[str, Path],
    template: Path,
    readme: str,
    license_text: str | None = None,
    calibration: Mapping[str, Any] | None = None,
    region_atlas: Path | None = None,
    template_mask: Path | None = None,
    normative: tuple[Path, Path] | None = None,
) -> Bundle:
    """Write a new model's folder from its parts; the same parts give the same bytes.

    Args:
        folder: where; must not exist yet.
        manifest: what becomes configs/metadata.json, checked first.
        weights: name of a network -> its safetensors file; copied to the manifest's paths.
        template: the mean PET as NIfTI; copied to the manifest's path.
        readme: the model card, Markdown.
        license_text: what becomes LICENSE, if given.
        calibration: what becomes configs/calibration.json, if given: the curve behind each
            threshold.
        region_atlas, template_mask, normative: copied to the manifest's paths, if given.

    Raises:
        BundleError: the parts do not make a good model. Nothing is left behind.
        InputError: the folder exists or cannot be written.
    """
    folder = Path(folder)
    if folder.exists():
        raise InputError(f"{folder} exists already.", "Remove it first, or name another folder.")
    manifest = json.loads(json.dumps(manifest))  # as it will be read: tuples become lists
    check_manifest(manifest)
    ours = manifest["petanomaly"]
    missing = sorted(set(ours["weights"]) ^ set(weights))
    if missing:
        raise BundleError(
            f"configs/metadata.json, key petanomaly.weights.{missing[0]}: stands only in the "
            "manifest or only among the files.",
            "Give one safetensors file for each network of the manifest.",
        )
    norms, of_norms = ours.get("normative", {}), normative or (None, None)
    images = (
        (region_atlas, ours.get("region_atlas"), "region_atlas"),
        (template_mask, ours["frame"].get("mask"), "frame.mask"),
        (of_norms[0], norms.get("mean"), "normative.mean"),
        (of_norms[1], norms.get("std"), "normative.std"),
    )
    for file, name, key in images:
        if (file is None) != (name is None):
            raise BundleError(
                f"configs/metadata.json, key petanomaly.{key}: stands only in the manifest or "
                "only among the files.",
                "Give both or neither.",
            )
    with written(f"The model cannot be written to {folder}"):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with staging_folder(folder.parent, "writing") as temporary:
            staged = temporary / "bundle"
            for name in ("configs", "docs", "models"):
                (staged / name).mkdir(parents=True)
            _write_text(staged / "configs" / "metadata.json", _json(manifest))
            _write_text(staged / "docs" / "README.md", readme)
            if license_text is not None:
                _write_text(staged / "LICENSE", license_text)
            if calibration is not None:
                _write_text(staged / "configs" / "calibration.json", _json(calibration))
            for network, name in ours["weights"].items():
                shutil.copyfile(weights[network], staged / name)
            shutil.copyfile(template, staged / ours["frame"]["template"])
            for file, name, _ in images:
                if file is not None:
                    shutil.copyfile(file, staged / name)
            lines = [f"{file_hash(staged / name)}  {name}\n" for name in list_files(staged)]
            _write_text(staged / SUMS, "".join(lines))
            verify_files(staged)
            staged.rename(folder)
    return verify_bundle(folder)


def _json(content: Mapping[str, Any]) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _write_text(path: Path, text: str) -> None:
    path.write_bytes(text.encode("utf-8"))  # no line-ending translation: the hash counts bytes
