"""What the manifest of a model of brain MR must say."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.manifest import check_manifest
from PETAnomalyLib.engine.bundles.verification import file_hash
from PETAnomalyLib.engine.bundles.writing import write_bundle
from PETAnomalyLib.engine.runtime.errors import BundleError
from tiny_head_bundles import write_tiny_head_bundle

M, S = "models/residual_mean.nii.gz", "models/residual_std.nii.gz"


STEPS: dict[str, Any] = {"median_voxels": 1, "squash_percentile": 0.0, "eroded_voxels": 0}
OBJECTS: dict[str, Any] = {
    "eroded_edge": 3, "threshold": 0.5, "kept": 2, "dilated_edge": 3, "classes": 5,
    "of_volume": True,
}  # fmt: skip


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return write_tiny_head_bundle(tmp_path_factory.mktemp("models") / "tiny", "ae-dense", "T1w")


def test_it_says_what_it_looks_at(bundle: Bundle) -> None:
    assert (bundle.modality, bundle.contrast, bundle.ct) == ("MR", "T1w", "unused")
    assert bundle.template_mask is not None
    assert bundle.template_mask.is_file()
    assert bundle.slice_axis == 0


@pytest.mark.parametrize(
    ("where", "value", "said"),
    [
        ("inputs.mr", "PD", "petanomaly.inputs.mr"),
        ("inputs.ct", "required", "nothing that a model of MR looks at"),
        ("frame.mask", None, "petanomaly.frame.mask"),
        ("frame.mask", "models/template.nii.gz", "is the template"),
        ("frame.mask", "../mask.nii.gz", "path inside the model folder"),
        ("intensity.mr.low", 60, "petanomaly.intensity.mr.low"),
        ("intensity.mr.curvature_flow", 1000, "curvature_flow"),
        ("intensity.mr.n4_iterations", 201, "n4_iterations"),
        ("intensity.mr", None, "petanomaly.intensity"),
        ("tracer", {"name": "x", "half_life_s": 100.0}, "is of PET"),
        ("region_atlas", "models/regions.nii.gz", "is of PET"),
        ("postprocessing", {"median_voxels": 4, "squash_percentile": 1, "eroded_voxels": 0}, "odd"),
        ("postprocessing", {"median_voxels": 5, "squash_percentile": 1}, "eroded_voxels"),
        (
            "postprocessing",
            {"median_voxels": 5, "squash_percentile": 1, "eroded_voxels": 0, "darker_too": 1},
            "true or false",
        ),
        ("normative", {"heads": 0, "mean": M, "std": S}, "normative.heads"),
        ("normative", {"heads": 9, "mean": M, "std": M}, "another image"),
        (
            "normative",
            {"heads": 9, "mean": M, "std": "models/template_mask.nii.gz"},
            "another image",
        ),
        ("normative", {"heads": 9, "mean": M}, "normative.std"),
        ("normative", {"heads": 9, "mean": M, "std": "../s.nii.gz"}, "inside the model folder"),
        ("normative", {"heads": 9, "mean": M, "std": S, "x": 1}, "not known of a normative"),
        ("scorers", ["zscore"], "needs several reconstructions"),
    ],
)
def test_every_key_is_checked(bundle: Bundle, where: str, value: Any, said: str) -> None:
    manifest = copy.deepcopy(bundle.manifest)
    *path, last = where.split(".")
    section = manifest["petanomaly"]
    for name in path:
        section = section[name]
    if value is None:
        del section[last]
    else:
        section[last] = value
    with pytest.raises(BundleError, match=said):
        check_manifest(manifest)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"eroded_edge": 2}, "eroded_edge: must be odd"),
        ({"dilated_edge": 17}, "objects.dilated_edge"),
        ({"threshold": 1.5}, "objects.threshold"),
        ({"kept": 0}, "objects.kept"),
        ({"classes": 1}, "one class has no edges"),
        ({"classes": 13}, "objects.classes"),
        ({"of_volume": 1}, "of_volume: must be true or false"),
        ({"atropos": 5}, "objects.atropos: is not known"),
        ({}, "thresholds.scorers.residual: must be 0.5"),
    ],
)
def test_every_key_of_objects_is_checked(bundle: Bundle, wrong: dict[str, Any], said: str) -> None:
    manifest = copy.deepcopy(bundle.manifest)
    manifest["petanomaly"]["postprocessing"] = {**STEPS, "objects": {**OBJECTS, **wrong}}
    with pytest.raises(BundleError, match=said):
        check_manifest(manifest)
    for name in OBJECTS:
        missing = {key: value for key, value in OBJECTS.items() if key != name}
        manifest["petanomaly"]["postprocessing"]["objects"] = missing
        with pytest.raises(BundleError, match=f"objects.{name}: is missing"):
            check_manifest(manifest)


def test_a_mask_that_lies_elsewhere_than_the_template_is_refused(tmp_path: Path) -> None:
    from PETAnomalyLib.engine.bundles.bundle import verify_bundle

    bundle = write_tiny_head_bundle(tmp_path / "tiny", "ae-dense")
    assert bundle.template_mask is not None
    mask = sitk.ReadImage(str(bundle.template_mask))
    mask.SetOrigin(np.add(mask.GetOrigin(), (2.0, 0, 0)).tolist())
    before = file_hash(bundle.template_mask)
    sitk.WriteImage(mask, str(bundle.template_mask), useCompression=True)
    sums = bundle.path / "SHA256SUMS"
    sums.write_text(sums.read_text().replace(before, file_hash(bundle.template_mask)))
    with pytest.raises(BundleError, match="elsewhere than the template"):
        verify_bundle(bundle.path)


@pytest.mark.parametrize(
    ("mean", "std", "said"),
    [
        (0.0, 0.1, ""),
        (0.0, 0.0, "residual_std.nii.gz: its values lie from 0 to 0"),
        (20.0, 0.1, "residual_mean.nii.gz: its values lie from 20 to 20"),
        (np.nan, 0.1, "residual_mean.nii.gz: it holds voxels that are no finite number"),
    ],
)
def test_norms_are_looked_at_to_the_last_voxel(
    bundle: Bundle, mean: float, std: float, said: str, tmp_path: Path
) -> None:
    files = []
    template = sitk.ReadImage(str(bundle.template))
    for name, value in (("mean", mean), ("std", std)):
        values = np.full(template.GetSize()[::-1], value, np.float32)
        image = sitk.GetImageFromArray(values)
        image.CopyInformation(template)
        files.append(tmp_path / f"{name}.nii.gz")
        sitk.WriteImage(image, str(files[-1]), useCompression=True)
    manifest = copy.deepcopy(bundle.manifest)
    manifest["petanomaly"]["normative"] = {"heads": 9, "mean": M, "std": S}
    manifest["petanomaly"]["scorers"] = ["zscore"]
    manifest["petanomaly"]["thresholds"]["scorers"]["zscore"] = 4.0

    def written() -> Bundle:
        return write_bundle(
            tmp_path / "model", manifest, bundle.weights, bundle.template, "# Norms\n",
            template_mask=bundle.template_mask, normative=(files[0], files[1]),
        )  # fmt: skip

    if said:
        with pytest.raises(BundleError, match=said):
            written()
    else:
        assert written().normative == (tmp_path / "model" / M, tmp_path / "model" / S)


def test_a_model_of_pet_has_no_norms(bundle: Bundle) -> None:
    manifest = copy.deepcopy(bundle.manifest)
    del manifest["petanomaly"]["frame"]["mask"]
    manifest["petanomaly"] |= {
        "inputs": {"pet": "required", "ct": "unused"},
        "intensity": {"pet": {"scaling": "arcsinh", "unit_suv": 1.0, "max_suv": 30.0}},
        "normative": {"heads": 9, "mean": M, "std": S},
    }
    with pytest.raises(BundleError, match="is of MR, and the model is of PET"):
        check_manifest(manifest)
