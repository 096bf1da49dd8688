"""Cohorts in three layouts, and what `cohort check` says of good and bad studies."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from engine_process import environment, run_petanomaly
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy, find_studies
from PETAnomalyLib.engine.study.lesion_mask import read_lesions
from PETAnomalyLib.engine.training.cohort import split_by_patient
from PETAnomalyLib.engine.training.cohort_check import check_cohort, in_words
from without_privilege import without_privilege


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


FOUR_LINES = (
    ("patient", "study", "pet", "ct"),
    ("Müller", "late", "one.nii.gz", "ct.nii.gz"),
    ("Müller", "early", "dicom/two, again", ""),
    ("bob", "", "three.nii.gz", ""),
)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("first", ["", "sep="])
@pytest.mark.parametrize("write", [str, str.upper, str.title])
def test_lists_as_spreadsheets_write_them(
    encoding: str,
    separator: str,
    end: str,
    first: str,
    write: Callable[[str], str],
    tmp_path: Path,
) -> None:
    header, *lines = FOUR_LINES
    text = f"{first}{separator}{end}" if first else ""
    for line in ([write(column) + " " for column in header], *lines):
        text += separator.join(f'"{entry}"' if "," in entry else entry for entry in line) + end
    text += separator * 3 + end  # as a spreadsheet ends
    table = tmp_path / "cohort.csv"
    table.write_bytes(text.encode(encoding))
    studies = find_studies(table)
    assert [(study.patient, study.name) for study in studies] == [
        ("Müller", "Müller__early"), ("Müller", "Müller__late"), ("bob", "bob__0")
    ]  # fmt: skip
    assert studies[0].pet == tmp_path / "dicom" / "two, again"
    assert [study.ct for study in studies] == [None, tmp_path / "ct.nii.gz", None]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            b"patient;image\na;b.nii.gz\n",
            "semicolons .* has no column 'pet'; it has patient, image",
        ),
        (b"patient|pet\na|b.nii.gz\n", "has no column 'patient'; it has patient|pet"),
        (b"patient,pet,PET\na,b,c\n", "more than one column 'pet'"),
        (b"patient,pet\nann,a, b.nii.gz\n", "line 2 .*commas.* has 3 entries for 2 columns"),
        ("patient,pet\nMüller,a\n".encode("latin-1"), "neither UTF-8 nor UTF-16"),
        (b"", "has no column 'patient'"),
        (b"\0", "neither UTF-8 nor UTF-16"),
    ],
)
def test_other_lists_are_refused_by_what_is_wrong(
    content: bytes, message: str, tmp_path: Path
) -> None:
    (tmp_path / "cohort.csv").write_bytes(content)
    with pytest.raises(InputError, match=message.replace("|", r"\|")):
        find_studies(tmp_path / "cohort.csv")


# As in the data sets themselves: tracer_patient_study; BIDS; patient_date.
OF_ONE_PATIENT = {
    "fdg_af547fa618": (
        "fdg_af547fa618_03-11-2006-NA-PET-CT Ganzkoerper  primaer mit KM-94971",
        "fdg_af547fa618_05-21-2007-NA-PET-CT Ganzkoerper  primaer mit KM-11358",
    ),
    "psma_69ea0c011af2e2d4": (
        "psma_69ea0c011af2e2d4_2014-05-01", "psma_69ea0c011af2e2d4_2015-02-11",
        "psma_69ea0c011af2e2d4_2015-02-11_2",
    ),
    "PSMA_95b833d46f153cd2": ("PSMA_95b833d46f153cd2_1.2.840.113619.2.55",),
    "sub-01": ("sub-01_ses-1", "sub-01_ses-2_run-1"),
    "PETCT_0011f3deaf": ("PETCT_0011f3deaf_03-23-2003-NA-PET-CT", "PETCT_0011f3deaf_2004-01-02"),
    # Nothing says whose these are.
    "case_0001": ("case_0001",),
    "case_0002": ("case_0002",),
    "ann": ("ann",),
    "fdg_0001": ("fdg_0001",),
}  # fmt: skip


def nnunet_folder(folder: Path) -> list[str]:
    cases = [case for cases in OF_ONE_PATIENT.values() for case in cases]
    (folder / "imagesTr").mkdir(parents=True)
    for case in cases:
        (folder / "imagesTr" / f"{case}_0000.nii.gz").touch()
        (folder / "imagesTr" / f"{case}_0001.nii.gz").touch()
    return cases


def test_studies_of_one_patient_are_of_one_patient_in_the_nnunet_layout_too(tmp_path: Path) -> None:
    cases = nnunet_folder(tmp_path)
    studies = find_studies(tmp_path)
    assert len({study.name for study in studies}) == len(cases)
    found: dict[str, set[str]] = {}
    for study in studies:
        case = study.pet.name.removesuffix("_0001.nii.gz")
        assert study.ct == study.pet.with_name(f"{case}_0000.nii.gz")
        found.setdefault(study.patient, set()).add(case)
    assert found == {patient: set(cases) for patient, cases in OF_ONE_PATIENT.items()}
    for seed in range(20):
        parts = split_by_patient(studies, 0.3, seed)
        of_training, of_validation = ({study.patient for study in part} for part in parts)
        assert not of_training & of_validation


def test_a_table_says_whose_study_a_case_is(tmp_path: Path) -> None:
    cases = nnunet_folder(tmp_path)
    lines = [f"{case};patient {number // 4}\n" for number, case in enumerate(cases)]
    (tmp_path / "patients.csv").write_text("Case;Patient\n" + "".join(lines))
    studies = find_studies(tmp_path)
    assert {study.pet.name.removesuffix("_0001.nii.gz"): study.patient for study in studies} == {
        case: f"patient {number // 4}" for number, case in enumerate(cases)
    }
    (tmp_path / "patients.csv").write_text("Case;Patient\n" + "".join(lines[1:]))
    with pytest.raises(InputError, match=f"names no patient of the case '{cases[0]}'"):
        find_studies(tmp_path)


def test_a_patient_who_may_not_be_looked_at_is_not_left_out(tmp_path: Path) -> None:
    for patient in ("ann", "bob"):
        (tmp_path / "cohort" / patient / "0").mkdir(parents=True)
        (tmp_path / "cohort" / patient / "0" / "SUV.nii.gz").touch()
    closed = tmp_path / "cohort" / "bob"
    closed.chmod(0)
    script = (
        "import sys; from pathlib import Path\n"
        "from PETAnomalyLib.engine.study.cohort_layout import find_studies\n"
        "print(find_studies(Path(sys.argv[1])))"
    )
    try:
        done = subprocess.run(
            without_privilege([sys.executable, "-c", script, str(tmp_path / "cohort")]),
            env=environment(), capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        closed.chmod(0o755)
    assert done.returncode != 0, done.stdout
    assert f"{closed}" in done.stderr.splitlines()[-1], done.stderr
