"""A region atlas is one more file of a bundle: listed, hashed, on the template's grid, optional."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PETAnomalyLib.engine.bundles.adding import add_bundle
from PETAnomalyLib.engine.bundles.bundle import verify_bundle
from PETAnomalyLib.engine.bundles.writing import write_bundle
from PETAnomalyLib.engine.frame.measured_regions import HIGHEST_CODE
from tiny_models import (
    SIZE,
    manifest,
    refusal,
    write_manifest,
    write_sums,
    write_template,
    zipped,
)

NAME = "models/regions.nii.gz"


def write_atlas(path: Path, **changes: Any) -> None:
    codes = np.arange(np.prod(SIZE)) % (HIGHEST_CODE + 1)
    given = {"datatype": 2, "bits": 8, "values": codes.astype(np.uint8).tobytes(), **changes}
    write_template(path, SIZE, **given)


@pytest.fixture
def with_atlas(model: Path) -> Path:
    write_atlas(model / NAME)
    whole = manifest()
    whole["petanomaly"]["region_atlas"] = NAME
    write_manifest(model, whole)
    return model


def test_it_is_a_part_of_the_bundle(with_atlas: Path) -> None:
    assert verify_bundle(with_atlas).region_atlas == with_atlas / NAME


def test_a_bundle_without_one_is_as_good(model: Path) -> None:
    assert verify_bundle(model).region_atlas is None


def test_it_comes_out_of_an_archive(with_atlas: Path, tmp_path: Path) -> None:
    added = add_bundle(zipped(with_atlas, tmp_path / "tiny.zip"))
    assert added.region_atlas is not None
    assert added.region_atlas.read_bytes() == (with_atlas / NAME).read_bytes()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"datatype": 16, "bits": 32}, "no uint8"),
        ({"values": bytes([HIGHEST_CODE + 1]) * int(np.prod(SIZE))}, "regions have codes up to"),
        ({"values": bytes(100)}, "before the last voxel"),
        ({"values": bytes(int(np.prod(SIZE)) + 1)}, "bytes of voxels follow"),
        ({"spacing": 5.0}, "spacing_mm"),
        ({"rows": [-6.0, 0, 0, 84.0, 0, -6.0, 0, 40.0, 0, 0, 6.0, -70.0], "codes": (0, 1)},
         "elsewhere than the template"),
        ({"rows": [6.0, 0, 0, 90.0, 0, -6.0, 0, 40.0, 0, 0, 6.0, -70.0]}, "mirrored or turned"),
        ({"scaling": (2.0, 0.0)}, "scaled"),
    ],
)  # fmt: skip
def test_what_is_wrong_with_it_is_named(with_atlas: Path, changes: Any, said: str) -> None:
    write_atlas(with_atlas / NAME, **changes)
    write_sums(with_atlas)
    message = refusal(verify_bundle, with_atlas)
    assert NAME in message
    assert said in message


def test_a_missing_or_changed_file_is_noticed(with_atlas: Path) -> None:
    content = (with_atlas / NAME).read_bytes()
    (with_atlas / NAME).write_bytes(content + b"x")
    assert "was changed" in refusal(verify_bundle, with_atlas)
    (with_atlas / NAME).unlink()
    assert f"{NAME} is missing" in refusal(verify_bundle, with_atlas)
    write_sums(with_atlas)
    assert "petanomaly.region_atlas" in refusal(verify_bundle, with_atlas)


@pytest.mark.parametrize("path", ["../regions.nii.gz", "models/template.nii.gz", 3, "models/r.nii"])
def test_its_path_leads_to_a_file_of_its_own(with_atlas: Path, path: Any) -> None:
    whole = json.loads((with_atlas / "configs" / "metadata.json").read_text())
    whole["petanomaly"]["region_atlas"] = path
    write_manifest(with_atlas, whole)
    assert "region_atlas" in refusal(verify_bundle, with_atlas)


def test_manifest_and_file_come_together_or_not_at_all(with_atlas: Path, tmp_path: Path) -> None:
    bundle = verify_bundle(with_atlas)
    given = (bundle.weights, bundle.template, "# Tiny\n")
    assert "region_atlas" in refusal(write_bundle, tmp_path / "a", bundle.manifest, *given)
    without = manifest()
    with pytest.raises(Exception, match="region_atlas"):
        write_bundle(tmp_path / "b", without, *given, region_atlas=bundle.region_atlas)
    written = write_bundle(
        tmp_path / "c", bundle.manifest, *given, region_atlas=bundle.region_atlas
    )
    assert written.region_atlas == tmp_path / "c" / NAME


def test_an_atlas_that_lies_a_hair_off_is_the_templates_own(with_atlas: Path) -> None:
    rows = [-6.0, 0, 0, 90.0004, 0, -6.0, 0, 40.0, 0, 0, 6.0, -70.0]
    write_atlas(with_atlas / NAME, rows=rows, codes=(0, 1))
    write_sums(with_atlas)
    verify_bundle(with_atlas)
