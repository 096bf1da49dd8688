"""A model written from its parts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dotted_keys import changed
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.writing import write_bundle
from PETAnomalyLib.engine.runtime.errors import InputError
from safetensors.numpy import save_file
from tiny_models import SIZE, manifest, refusal, write_template


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
