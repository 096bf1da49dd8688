"""Cohorts in three layouts, and what `cohort check` says of good and bad studies."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from engine_process import run_petanomaly
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy, find_studies
from PETAnomalyLib.engine.study.lesion_mask import read_lesions
from PETAnomalyLib.engine.training.cohort_check import check_cohort, in_words


def link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.symlink_to(source)


@pytest.fixture
def three_layouts(tiny_study: Path, tmp_path: Path) -> dict[str, Path]:
    """The same study three times."""
    link(tiny_study, tmp_path / "autopet" / "ann" / "0")
    nnunet = tmp_path / "nnunet"
    link(tiny_study / "CTres.nii.gz", nnunet / "imagesTr" / "ann_0000.nii.gz")
    link(tiny_study / "SUV.nii.gz", nnunet / "imagesTr" / "ann_0001.nii.gz")
    link(tiny_study / "SEG.nii.gz", nnunet / "labelsTr" / "ann.nii.gz")
    table = tmp_path / "list" / "cohort.csv"
    table.parent.mkdir()
    folder = tiny_study
    table.write_text(
        "patient,pet,ct,lesions\n"
        f"ann,{folder / 'SUV.nii.gz'},{folder / 'CTres.nii.gz'},{folder / 'SEG.nii.gz'}\n"
    )
    return {"autopet": tmp_path / "autopet", "nnunet": nnunet, "list": table}


def test_all_layouts_name_the_same_study(three_layouts: dict[str, Path]) -> None:
    for cohort in three_layouts.values():
        (study,) = find_studies(cohort)
        assert (study.patient, study.name) == ("ann", "ann__0")
        assert study.ct is not None
        assert study.lesions is not None
        assert [p.resolve().name for p in (study.pet, study.ct, study.lesions)] == [
            "SUV.nii.gz", "CTres.nii.gz", "SEG.nii.gz"
        ]  # fmt: skip


def test_a_list_names_its_studies_and_may_leave_out_ct_and_lesions(tmp_path: Path) -> None:
    table = tmp_path / "cohort.csv"
    table.write_text("patient,study,pet\nb,late,one.nii.gz\nb,early,dicom/two\na,,three.nii.gz\n")
    studies = find_studies(table)
    assert [study.name for study in studies] == ["a__0", "b__early", "b__late"]
    assert [study.patient for study in studies] == ["a", "b", "b"]
    assert studies[1].pet == tmp_path / "dicom" / "two"
    assert all(study.ct is None and study.lesions is None for study in studies)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient,image\na,b.nii.gz\n", "no column 'pet'"),
        ("patient,pet\na,\n", "line 2 .* has no pet"),
        ("patient,pet\n", "no study"),
        ("patient,pet\na,x.nii\na,y.nii\n", "two studies named 'a__0'"),
    ],
)
def test_a_list_that_cannot_be_understood_is_refused(
    text: str, message: str, tmp_path: Path
) -> None:
    table = tmp_path / "cohort.csv"
    table.write_text(text)
    with pytest.raises(InputError, match=message):
        find_studies(table)


@pytest.mark.parametrize("name", ["n" * 300, "n" * 300 + ".csv", "pipe.csv"])
def test_a_cohort_that_cannot_be_looked_at_is_refused_in_words(tmp_path: Path, name: str) -> None:
    if name == "pipe.csv":
        if os.name == "nt":
            pytest.skip("pipes of POSIX")
        os.mkfifo(tmp_path / name)
    with pytest.raises(InputError, match=r"cannot be read|is a pipe"):
        find_studies(tmp_path / name)


def test_lesions_are_read_onto_the_pets_grid(tmp_path: Path) -> None:
    pet = sitk.Image(10, 10, 10, sitk.sitkFloat32)
    pet.SetSpacing((4.0, 4.0, 4.0))
    fine = np.zeros((20, 20, 20), np.uint8)
    fine[4:8, 6:10, 8:14] = 3  # any number but 0 is a lesion
    mask = sitk.GetImageFromArray(fine)
    mask.SetSpacing((2.0, 2.0, 2.0))
    mask.SetOrigin((-1.0, -1.0, -1.0))  # two of its voxels in each of the PET's
    sitk.WriteImage(mask, str(tmp_path / "mask.nii.gz"))
    expected = np.zeros((10, 10, 10), bool)
    expected[2:4, 3:5, 4:7] = True
    assert np.array_equal(read_lesions(tmp_path / "mask.nii.gz", pet)[0], expected)
    pet.SetOrigin((500.0, 0.0, 0.0))
    with pytest.raises(InputError, match="lies nowhere on the PET"):
        read_lesions(tmp_path / "mask.nii.gz", pet)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_a_mask_of_which_a_part_is_missing_is_refused(suffix: str, tmp_path: Path) -> None:
    """ITK alone reads a NIfTI that was cut short as one without the lesions of the rest."""
    pet = sitk.Image(20, 20, 20, sitk.sitkFloat32)
    drawn = np.random.default_rng(0).integers(0, 2, (20, 20, 20), np.uint8)
    path = tmp_path / f"mask{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(drawn), str(path))
    assert np.array_equal(read_lesions(path, pet)[0], drawn)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 3 // 4])
    with pytest.raises(InputError, match=r"the lesion mask cannot be used: .*truncated"):
        read_lesions(path, pet)


def test_a_check_says_which_study_is_unusable_and_why(
    three_layouts: dict[str, Path], tmp_path: Path
) -> None:
    (good,) = find_studies(three_layouts["autopet"])
    (tmp_path / "broken.nii.gz").write_bytes(b"not an image")
    broken = CohortStudy("bob", "bob__0", tmp_path / "broken.nii.gz", None, None)
    swapped = CohortStudy("cy", "cy__0", good.ct or Path(), good.pet, None)
    checked = check_cohort([good, broken, swapped], SilentReporter())
    assert [one.problem is None for one in checked] == [True, False, False]
    truth = sitk.ReadImage(str(good.lesions)) > 0
    count = sitk.GetArrayFromImage(sitk.ConnectedComponent(truth, True)).max()
    assert checked[0].lesions == count
    words = in_words(checked)
    assert "1 of 3 studies are usable, of 1 patients." in words
    assert f"unusable  bob__0: {checked[1].problem}" in words
    assert str(tmp_path / "broken.nii.gz") in words


def test_the_command_prints_what_it_found(three_layouts: dict[str, Path], tmp_path: Path) -> None:
    run = run_petanomaly("cohort", "check", str(three_layouts["nnunet"]), "--json")
    assert run.returncode == 0, run.stderr
    (found,) = json.loads(run.stdout)
    assert (found["name"], found["problem"], found["has_ct"]) == ("ann__0", None, True)
    (tmp_path / "cohort.csv").write_text("patient,pet\nann,nothing.nii.gz\n")
    run = run_petanomaly("cohort", "check", str(tmp_path / "cohort.csv"))
    assert run.returncode == 2
    assert "does not exist" in run.stdout
