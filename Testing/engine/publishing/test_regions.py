"""`calibrate --regions`: an atlas from phantoms, and a bundle that carries it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.frame.alignment import align
from PETAnomalyLib.engine.frame.region_atlas import RegionAtlas, sites
from PETAnomalyLib.engine.phantom import generate
from PETAnomalyLib.engine.phantom.cohort import write_cohort
from PETAnomalyLib.engine.phantom.truth import body_regions
from PETAnomalyLib.engine.publishing import regions
from PETAnomalyLib.engine.publishing.regions import calibrate_regions
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy, find_studies
from repository import ROOT

NAMES = ("", "head and neck", "thorax", "abdomen", "pelvis", "limb")


def test_a_handful_of_phantoms_is_refused(
    tiny_bundles: dict[str, Bundle], tiny_study: Path, tmp_path: Path
) -> None:
    study = CohortStudy("one", "one", tiny_study / "SUV.nii.gz", None, None)
    with pytest.raises(InputError, match="too few"):
        calibrate_regions(tiny_bundles["pet"], [study], tmp_path / "r.json", SilentReporter())
    assert list(tmp_path.iterdir()) == []


def test_a_study_that_is_no_phantom_is_refused(
    tiny_bundles: dict[str, Bundle], tiny_study: Path, tmp_path: Path
) -> None:
    studies = [CohortStudy("p", str(n), tiny_study / "SUV.nii.gz", None, None) for n in range(20)]
    with pytest.raises(InputError, match="is no phantom"):
        calibrate_regions(tiny_bundles["pet"], studies, tmp_path / "r.json", SilentReporter())
    assert list(tmp_path.iterdir()) == []


def test_where_hardly_any_phantom_has_body_the_nearest_answer_counts() -> None:
    votes = np.zeros((6, 1, 1, 5), np.uint16)
    votes[0, 0, 0] = [0, 2, 9, 0, 0]  # head; two phantoms alone say nothing
    votes[4, 0, 0] = [0, 0, 0, 9, 0]  # limb
    votes[5, 0, 0] = [0, 0, 9, 0, 0]  # all on the left
    assert regions._filled(votes)[0, 0].tolist() == [3, 3, 3, 14, 14]


@pytest.mark.slow
def test_an_atlas_of_one_phantom_gives_back_where_its_parts_are(
    tiny_bundles: dict[str, Bundle], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(regions, "FEWEST_PHANTOMS", 1)
    monkeypatch.setattr(regions, "FEWEST_VOTES", 1)
    write_cohort(tmp_path / "phantoms", 1, 3_000_004, healthy=True)
    studies = find_studies(tmp_path / "phantoms")
    bundle = tiny_bundles["pet"]
    out = tmp_path / "r.json"
    out.write_text('{"thresholds": {}}')
    file = calibrate_regions(bundle, studies, out, SilentReporter())
    assert json.loads(out.read_text()) == {
        "thresholds": {},
        "region_atlas": {"phantoms": 1, "file": "r.regions.nii.gz"},
    }
    pet = sitk.ReadImage(str(studies[0].pet))
    template = sitk.ReadImage(str(bundle.template))
    known = body_regions(json.loads((studies[0].pet.parent / "description.json").read_text()), pet)
    assert known is not None
    region, left = known
    labels = np.where(region > 0, 2 * region.astype(np.uint16) + left, 0).astype(np.uint16)
    image = sitk.GetImageFromArray(labels)
    image.CopyInformation(pet)
    found = sites(image, RegionAtlas.read(file), align(pet, template).transform)
    numbers = sorted(set(labels.ravel().tolist()) - {0})
    assert list(found) == [f"{('right', 'left')[n % 2]} {NAMES[n // 2]}" for n in numbers]


@pytest.mark.slow
def test_the_shipped_atlas_knows_where_a_phantoms_lesions_lie() -> None:
    """By what was painted, not by where the template shows a liver; borders may be missed."""
    models = ROOT / "Resources" / "Models" / "petct-phantom" / "models"
    phantom = generate(2_000_049)
    known = body_regions(phantom.description, phantom.suv)
    assert known is not None
    template = sitk.ReadImage(str(models / "template.nii.gz"))
    atlas = RegionAtlas.read(models / "regions.nii.gz")
    found = sites(phantom.lesions, atlas, align(phantom.suv, template).transform)
    labels = sitk.GetArrayViewFromImage(phantom.lesions)
    right = 0
    for lesion, site in zip(phantom.description["lesions"], found):
        inside = labels == lesion["label"]
        region = NAMES[np.bincount(known[0][inside], minlength=6)[1:].argmax() + 1]
        side = ("right", "left")[int(known[1][inside].mean() > 0.5)]
        right += site in (region, f"{side} {region}")
    assert len(found) >= 5
    assert right >= 0.85 * len(found)  # of eight one lies beside a border
