"""`detect` says where findings lie and what they are beside liver and blood, and no more."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.writing import write_bundle
from PETAnomalyLib.engine.detection import detect
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.frame.measured_regions import REGIONS, SIDES
from PETAnomalyLib.engine.frame.region_atlas import code
from PETAnomalyLib.engine.placing import ras_affine
from PETAnomalyLib.engine.runtime.reporter import SilentReporter

SAME = ("residual.nii.gz", "scored_mask.nii.gz", "segmentation.seg.nrrd", "overview.png")


@pytest.fixture(scope="module")
def with_atlas(tiny_bundles: dict[str, Bundle], tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The autoencoder, for which the body is thorax above and pelvis below, left and right."""
    bundle, folder = tiny_bundles["autoencoder"], tmp_path_factory.mktemp("atlas")
    template = sitk.ReadImage(str(bundle.template))
    codes = np.empty(template.GetSize()[::-1], np.uint8)
    middle = [n // 2 for n in codes.shape]
    for above, region in ((True, "thorax"), (False, "pelvis")):
        for left in (True, False):
            part = codes[middle[0] :] if above else codes[: middle[0]]
            half = part[..., middle[2] :] if left else part[..., : middle[2]]
            half[...] = code(REGIONS.index(region), SIDES.index("left" if left else "right"))
    image = sitk.GetImageFromArray(codes)
    image.CopyInformation(template)
    sitk.WriteImage(image, str(folder / "regions.nii.gz"))
    manifest = json.loads(json.dumps(bundle.manifest))
    manifest["petanomaly"]["region_atlas"] = "models/regions.nii.gz"
    return write_bundle(
        folder / bundle.name, manifest, bundle.weights, bundle.template, "# Tiny\n",
        region_atlas=folder / "regions.nii.gz",
    )  # fmt: skip


def run(study: Path, bundle: Bundle, out: Path, organs: Path | None = None) -> Path:
    settings = DetectionSettings(model=str(bundle.path), device="cpu")
    return detect(study / "SUV.nii.gz", None, out, settings, SilentReporter(), organs=organs)


def rows(result: Path) -> list[dict[str, str]]:
    with (result / "findings.csv").open() as file:
        return list(csv.DictReader(file))


def test_a_site_is_one_column_more_and_nothing_else_changes(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], with_atlas: Bundle, tmp_path: Path
) -> None:
    plain = run(tiny_study, tiny_bundles["autoencoder"], tmp_path / "plain")
    placed = run(tiny_study, with_atlas, tmp_path / "placed")
    for name in SAME:
        assert (placed / name).read_bytes() == (plain / name).read_bytes()
    before = (plain / "findings.csv").read_text().splitlines()
    after = (placed / "findings.csv").read_text().splitlines()
    assert after[0] == before[0] + ",site"
    assert [line.rsplit(",", 1)[0] for line in after] == before

    frame = json.loads((placed / "report.json").read_text())["frame"]["model_to_study_lps_mm"]
    to_study = sitk.Euler3DTransform()
    to_study.SetCenter(frame["centre_mm"])
    to_study.SetParameters([*frame["rotation_rad"], *frame["translation_mm"]])
    template = sitk.ReadImage(str(with_atlas.template))
    borders = np.array(template.GetSize()) // 2 - 0.5
    segments = sitk.ReadImage(str(placed / "segmentation.seg.nrrd"))
    labels = sitk.GetArrayViewFromImage(segments)
    assert len(rows(placed)) > 1
    for row in rows(placed):
        places = np.array([
            template.TransformPhysicalPointToContinuousIndex(
                to_study.GetInverse().TransformPoint(
                    segments.TransformIndexToPhysicalPoint([int(n) for n in voxel[::-1]])
                )
            )
            for voxel in np.argwhere(labels == int(row["number"]))
        ])  # fmt: skip
        above, left = places[:, 2] > borders[2], places[:, 0] > borders[0]
        region = "thorax" if above.mean() > 0.5 else "pelvis"
        own = left[above == (region == "thorax")]
        assert row["site"] == f"{'left' if own.mean() > 0.5 else 'right'} {region}"


def test_ratios_to_liver_and_blood_pool_follow_the_organs(
    tiny_study: Path, with_atlas: Bundle, tmp_path: Path
) -> None:
    """A liver of 50 mm and an aorta of 12 mm radius somewhere in the body, by their formulas."""
    pet = sitk.ReadImage(str(tiny_study / "SUV.nii.gz"))
    suv = sitk.GetArrayFromImage(pet)
    ijk = np.stack([*np.indices(suv.shape)[::-1], np.ones(suv.shape)], axis=-1)
    ras = np.einsum("ab,kjib->kjia", ras_affine(pet), ijk)[..., :3]
    middle = ras.reshape(-1, 3).mean(axis=0)
    away = ras - middle
    liver = np.linalg.norm(away - (60, 0, 0), axis=-1) < 50
    aorta = (np.linalg.norm(away[..., :2] - (-60, -20), axis=-1) < 12) & (np.abs(away[..., 2]) < 90)
    folder = tmp_path / "organs"
    folder.mkdir()
    for name, mask in (("liver", liver), ("aorta", aorta)):
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        image.CopyInformation(pet)
        sitk.WriteImage(image, str(folder / f"{name}.nii.gz"))
    result = run(tiny_study, with_atlas, tmp_path / "out", folder)
    header = (result / "findings.csv").read_text().splitlines()[0]
    assert header.endswith(
        ",unfamiliar,site,organ,organ_distance_mm,suggestion,liver_ratio,blood_pool_ratio,deauville"
    )
    reference = json.loads((result / "report.json").read_text())["reference"]
    assert sorted(reference) == ["blood_pool", "liver"]
    # 3 cm across, within the liver: of 8 mm voxels.
    assert reference["liver"]["voxels"] == pytest.approx(4 / 3 * np.pi * 15**3 / 512, rel=0.3)
    assert suv[liver].min() <= reference["liver"]["mean"] <= reference["liver"]["maximum"]
    assert reference["blood_pool"]["maximum"] <= suv[aorta].max()
    for row in rows(result):
        suv_max = float(row["suv_max"])
        for name, mean in (("liver_ratio", reference["liver"]["mean"]),
                           ("blood_pool_ratio", reference["blood_pool"]["mean"])):  # fmt: skip
            assert float(row[name]) == pytest.approx(suv_max / mean, abs=1e-3)
        top = reference["liver"]["maximum"]
        scale = [reference["blood_pool"]["maximum"], top, 2 * top]
        assert int(row["deauville"]) == 2 + sum(suv_max > limit for limit in sorted(scale))


def test_a_liver_that_is_too_small_is_a_warning(
    tiny_study: Path, with_atlas: Bundle, tmp_path: Path
) -> None:
    pet = sitk.ReadImage(str(tiny_study / "SUV.nii.gz"))
    mask = sitk.Image(pet.GetSize(), sitk.sitkUInt8)
    mask.CopyInformation(pet)
    mask[20, 20, 20] = 1
    (tmp_path / "organs").mkdir()
    sitk.WriteImage(mask, str(tmp_path / "organs" / "liver.nii.gz"))
    result = run(tiny_study, with_atlas, tmp_path / "out", tmp_path / "organs")
    report = json.loads((result / "report.json").read_text())
    assert any("right lobe of the liver" in warning for warning in report["warnings"])
    assert report["reference"] == {}
    assert "liver_ratio" not in rows(result)[0]
