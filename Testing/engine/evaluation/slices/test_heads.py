"""Whose heads go where in tables 2 and 3."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ellipsoid_heads import write_head
from nilearn_template import needs_nilearn
from PETAnomalyLib.engine.evaluation.slices.heads import (
    SEEDS,
    disease_of,
    find_test_heads,
    kept_heads,
    split_for_threshold,
)
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.brain_cohort import BrainStudy, find_brain_studies


def a_study(patient: str, layout: str = "BraTS", folder: Path | None = None) -> BrainStudy:
    image = (folder or Path()) / "FLAIR.nii.gz"
    return BrainStudy(layout, patient, f"{patient}__0", {"FLAIR": image})


@pytest.mark.parametrize(
    ("layout", "disease"),
    [("BraTS", "mass"), ("MSLUB", "plaques"), ("ATLAS", "stroke"), ("IXI", "healthy"),
     ("OASIS", "healthy"), ("WMH", "hyperintensities"), ("BIDS", "lesions")],
)  # fmt: skip
def test_a_collection_is_of_one_disease(layout: str, disease: str) -> None:
    assert disease_of(a_study("one", layout)) == disease


@pytest.mark.parametrize(
    ("text", "disease"),
    [
        (json.dumps({"disease": {"kind": "stroke"}}), "stroke"),
        (json.dumps({"disease": None}), "healthy"),
        ("{}", "lesions"),
        ("[1]", "lesions"),
        ("no json", "lesions"),
    ],
)
def test_a_phantom_says_what_it_has(text: str, disease: str, tmp_path: Path) -> None:
    (tmp_path / "description.json").write_text(text)
    assert disease_of(a_study("one", "brain phantoms", tmp_path)) == disease


def test_a_cohort_of_several_collections_is_told_apart(tmp_path: Path) -> None:
    for number, kind in enumerate(("mass", "stroke", "healthy")):
        write_head(tmp_path / "c", kind, number)
    found = find_test_heads(tmp_path / "c", None, tmp_path, "T1w")
    assert {k: [s.patient for s in v] for k, v in found.by_disease.items()} == {
        "mass": ["BraTS20_Training_000"], "stroke": ["000001"]
    }  # fmt: skip
    assert [study.patient for study in found.healthy] == ["IXI002"]
    other = find_test_heads(tmp_path / "c", tmp_path / "c", tmp_path, "T1w")
    assert len(other.healthy) == 3  # what is given as healthy is looked at later


def test_healthy_heads_alone_are_no_cohort(tmp_path: Path) -> None:
    write_head(tmp_path / "c", "healthy", 1)
    with pytest.raises(InputError, match="has a disease"):
        find_test_heads(tmp_path / "c", None, tmp_path, "T1w")


def test_no_patient_gives_the_threshold_and_is_judged() -> None:
    studies = [
        BrainStudy("BraTS", f"p{n % 7}", f"p{n % 7}__{n}", {"FLAIR": Path()}) for n in range(14)
    ]
    validation, test = split_for_threshold(studies)
    assert {s.patient for s in validation} == {"p0", "p1"}
    assert {s.patient for s in test} == {f"p{n}" for n in range(2, 7)}
    assert len(validation) + len(test) == 14
    one, other = split_for_threshold(studies[:2])
    assert (len(one), len(other)) == (1, 1)
    with pytest.raises(InputError, match="too few"):
        split_for_threshold(studies[:1])


def test_test_seeds_are_no_ones_twice() -> None:
    seeds = [seed for some in SEEDS.values() for seed in some]
    assert len(set(seeds)) == len(seeds)


@needs_nilearn
@pytest.mark.slow
def test_phantoms_are_made_once(tmp_path: Path) -> None:
    seeds = {"plaques": range(7, 8), "healthy": range(8, 9)}
    kept_heads(tmp_path, seeds, SilentReporter(), 1)
    written = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    found = find_test_heads(None, None, tmp_path, "FLAIR")
    assert {k: [s.patient for s in v] for k, v in found.by_disease.items()} == {
        "plaques": ["brain-7"]
    }
    assert [study.patient for study in found.healthy] == ["brain-8"]
    assert all("T1w" in study.images for study in find_brain_studies(tmp_path))
    kept_heads(tmp_path, seeds, SilentReporter(), 1)
    assert {path: path.stat().st_mtime_ns for path in written} == written
