"""From runs to a bundle: what is missing or wrong is named, and nothing is written then."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import SimpleITK as sitk
from dotted_keys import changed
from PETAnomalyLib.engine.families.dense_autoencoder import kind
from PETAnomalyLib.engine.families.networks import build_network
from PETAnomalyLib.engine.publishing.export import export
from PETAnomalyLib.engine.runtime.errors import BundleError, InputError
from safetensors.torch import save_file
from tiny_bundle import AUTOENCODER, FRAME
from tiny_training import EXPORT_METADATA, configuration


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with the runs of an autoencoder, a card and the export's settings."""
    run = tmp_path / "runs" / "ae"
    run.mkdir(parents=True)
    configuration(run, "autoencoder").rename(run / "config.json")
    network = build_network(kind.AUTOENCODER, AUTOENCODER)
    save_file(dict(network.state_dict()), run / "weights.safetensors")
    template = sitk.Image(FRAME["size_voxels"], sitk.sitkFloat32)
    template.SetSpacing(FRAME["spacing_mm"])
    template[12, 10, 18] = 2.0  # SUV: a template shows a patient
    sitk.WriteImage(template, str(tmp_path / "runs" / "template.nii.gz"))
    (tmp_path / "card.md").write_text("# Tiny\n")
    settings = {
        "family": "autoencoder-dense",
        "networks": {"autoencoder": "ae"},
        "title": "Tiny",
        "card": "card.md",
        "thresholds": {"scorers": {"residual": 0.1}},
        "scorers": ["residual"],
        "sampling": {"samples": 1, "decodes": 1},
        "min_volume_ml": 0.5,
        "metadata": EXPORT_METADATA,
    }
    (tmp_path / "export.json").write_text(json.dumps(settings))
    return tmp_path


def refusal(place: Path, out: str = "bundle", calibration: Path | None = None) -> str:
    before = sorted(place.rglob("*"))
    with pytest.raises((InputError, BundleError)) as caught:
        export(place / "export.json", place / "runs", place / out, calibration)
    assert sorted(place.rglob("*")) == before
    return caught.value.message


def change(place: Path, key: str, value: Any) -> None:
    """Set a key of the settings; ...: leave it out."""
    path = place / "export.json"
    path.write_text(json.dumps(changed(json.loads(path.read_text()), key, value)))


def test_the_parts_become_a_bundle(place: Path) -> None:
    bundle = export(place / "export.json", place / "runs", place / "bundle")
    assert (bundle.name, bundle.title, bundle.scorers) == ("tiny", "Tiny", ("residual",))
    assert bundle.path.joinpath("docs", "README.md").read_text() == "# Tiny\n"


@pytest.mark.parametrize(
    "key",
    ["family", "networks", "title", "card", "thresholds", "scorers", "sampling", "min_volume_ml",
     "metadata"],
)  # fmt: skip
def test_a_missing_key_is_named_with_its_file(key: str, place: Path) -> None:
    change(place, key, ...)
    assert f"export.json, key {key}: is missing" in refusal(place)


@pytest.mark.parametrize(
    ("key", "value", "wrong"),
    [
        ("networks", {}, "names no autoencoder"),
        ("networks", ["ae"], "key networks: must be an object"),
        ("networks", {"autoencoder": 3}, "key networks.autoencoder: must be text"),
        ("networks", {"autoencoder": "other"}, "other/config.json cannot be read"),
        ("card", "nowhere.md", "nowhere.md does not exist"),
        ("family", "diffusion", "known here: ae-dense, ae-spatial, ano-swinmae"),
        ("sizes", {"other": {"mask": 8}}, "sizes.other: is none of the networks"),
        ("sizes", {"autoencoder": {"bottleneck": 8}}, "trained with; no size is free"),
        ("min_volume_ml", "small", "min_volume_ml"),
        ("metadata", "test", "key metadata: must be an object"),
    ],
)
def test_what_is_wrong_in_the_settings_is_named(
    key: str, value: Any, wrong: str, place: Path
) -> None:
    change(place, key, value)
    assert wrong in refusal(place)


def remove(*parts: str) -> Callable[[Path], None]:
    return lambda place: place.joinpath("runs", *parts).unlink()


def empty_the_configuration(place: Path) -> None:
    (place / "runs" / "ae" / "config.json").write_text("{}")


@pytest.mark.parametrize(
    ("spoil", "wrong"),
    [
        (remove("ae", "weights.safetensors"), "ae/weights.safetensors does not exist"),
        (remove("template.nii.gz"), "template.nii.gz does not exist"),
        (empty_the_configuration, "ae/config.json, key (whole file): has no section of a stage"),
    ],
)
def test_what_is_missing_among_the_runs_is_named(
    spoil: Callable[[Path], None], wrong: str, place: Path
) -> None:
    spoil(place)
    assert wrong in refusal(place)


def test_a_file_that_is_no_calibration_is_refused(place: Path) -> None:
    other = place / "other.json"
    other.write_text('{"model": "tiny"}')
    assert "other.json, key thresholds: is missing" in refusal(place, calibration=other)


def test_a_bundle_does_not_name_the_studies_that_it_was_calibrated_on(place: Path) -> None:
    curves = {"residual": [{"threshold": 0.2, "dice": 0.5}]}
    calibrated = place / "calibration.json"
    calibrated.write_text(
        json.dumps(
            {
                "model": "tiny",
                "studies": ["Doe_Jane__0", "Roe_Richard__1"],
                "thresholds": {"scorers": {"residual": 0.2}},
                "curves": curves,
            }
        )
    )
    bundle = export(place / "export.json", place / "runs", place / "bundle", calibrated)
    assert bundle.thresholds["scorers"] == {"residual": 0.2}
    kept = json.loads((bundle.path / "configs" / "calibration.json").read_text())
    assert (kept["studies"], kept["curves"]) == (2, curves)
    everything = b"".join(path.read_bytes() for path in bundle.path.rglob("*") if path.is_file())
    assert b"Doe" not in everything
    assert b"Roe" not in everything


def with_regions(place: Path) -> Path:
    """What `calibrate --regions` leaves beside thresholds; the JSON file."""
    template = sitk.ReadImage(str(place / "runs" / "template.nii.gz"))
    atlas = sitk.Cast(template * 0 + 5, sitk.sitkUInt8)
    sitk.WriteImage(atlas, str(place / "c.regions.nii.gz"))
    section = {"phantoms": 20, "file": "c.regions.nii.gz"}
    told = {"thresholds": {"scorers": {"residual": 0.2}}, "region_atlas": section}
    (place / "c.json").write_text(json.dumps(told))
    return place / "c.json"


def test_a_region_atlas_goes_into_the_bundle(place: Path) -> None:
    bundle = export(place / "export.json", place / "runs", place / "bundle", with_regions(place))
    assert bundle.region_atlas == bundle.path / "models" / "regions.nii.gz"
    assert bundle.region_atlas.read_bytes() == (place / "c.regions.nii.gz").read_bytes()


def test_a_region_atlas_that_is_gone_is_named(place: Path) -> None:
    calibrated = with_regions(place)
    (place / "c.regions.nii.gz").unlink()
    assert "c.regions.nii.gz does not exist" in refusal(place, calibration=calibrated)


def test_a_region_atlas_of_another_frame_is_refused(place: Path) -> None:
    calibrated = with_regions(place)
    atlas = sitk.ReadImage(str(place / "c.regions.nii.gz"))
    atlas.SetOrigin((24.0, 0.0, 0.0))
    sitk.WriteImage(atlas, str(place / "c.regions.nii.gz"))
    assert "elsewhere than the template" in refusal(place, calibration=calibrated)


def test_a_bundle_that_cannot_be_written_is_refused(place: Path) -> None:
    said = refusal(place, out="card.md/bundle")
    assert "cannot be written to" in said
    assert "Not a directory" in said or "File exists" in said
