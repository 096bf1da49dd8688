"""Cohorts of brain MR as public collections name them, and what `cohort check` says of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine import cli
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.brain_cohort import BrainStudy, find_brain_studies
from PETAnomalyLib.engine.training.brain_cohort_check import check_brain_cohort

# Layout -> files of a study, the patient and study that they name, and where what lies.
COLLECTIONS: dict[str, tuple[tuple[str, ...], tuple[str, str], dict[str, str]]] = {
    "BraTS 2020": (
        tuple(f"BraTS20_Training_001/BraTS20_Training_001_{what}.nii.gz"
              for what in ("flair", "t1", "t1ce", "t2", "seg")),
        ("BraTS20_Training_001", "BraTS20_Training_001__0"),
        {"FLAIR": "flair", "T1w": "t1", "T1c": "t1ce", "T2w": "t2", "lesions": "seg"},
    ),
    "BraTS 2023": (
        tuple(f"Train/BraTS-GLI-00005-001/BraTS-GLI-00005-001-{what}.nii.gz"
              for what in ("t2f", "t1n", "t1c", "t2w", "seg")),
        ("BraTS-GLI-00005", "BraTS-GLI-00005__001"),
        {"FLAIR": "t2f", "T1w": "t1n", "T1c": "t1c", "T2w": "t2w", "lesions": "seg"},
    ),
    "MSLUB": (
        tuple(f"patient07/{what}.nii.gz"
              for what in ("FLAIR", "T1W", "T1WKS", "T2W", "consensus_gt", "brainmask")),
        ("patient07", "patient07__0"),
        {"FLAIR": "FLAIR", "T1w": "T1W", "T1c": "T1WKS", "T2w": "T2W", "lesions": "consensus_gt",
         "mask": "brainmask"},
    ),
    "WMH": (
        ("Amsterdam/GE3T/100/orig/3DT1.nii.gz", "Amsterdam/GE3T/100/orig/FLAIR.nii.gz",
         "Amsterdam/GE3T/100/pre/FLAIR.nii.gz", "Amsterdam/GE3T/100/pre/T1.nii.gz",
         "Amsterdam/GE3T/100/wmh.nii.gz"),
        ("Amsterdam-GE3T-100", "Amsterdam-GE3T-100__0"),
        {"FLAIR": "pre/FLAIR", "T1w": "pre/T1", "lesions": "wmh"},
    ),
    "ATLAS R1.2": (
        ("Site1/031768/t01/031768_t1w_deface_stx.nii.gz",
         "Site1/031768/t01/031768_LesionSmooth_stx.nii.gz"),
        ("031768", "031768__t01"),
        {"T1w": "t1w_deface", "lesions": "LesionSmooth_stx"},
    ),
    "ATLAS 2.0": (
        tuple("Training/R001/sub-r001s001/ses-1/anat/sub-r001s001_ses-1_space-MNI152NLin2009aSym_"
              f"{what}.nii.gz" for what in ("T1w", "label-L_desc-T1lesion_mask")),
        ("sub-r001s001", "sub-r001s001__ses-1"),
        {"T1w": "_T1w", "lesions": "T1lesion_mask"},
    ),
    "IXI": (
        ("IXI-T1/IXI002-Guys-0828-T1.nii.gz", "IXI-T2/IXI002-Guys-0828-T2.nii.gz",
         "IXI-PD/IXI002-Guys-0828-PD.nii.gz"),
        ("IXI002", "IXI002__0"),
        {"T1w": "-T1", "T2w": "-T2"},
    ),
    "OASIS-3": (
        tuple(f"OAS30001_MR_d0129/anat{n}/NIFTI/sub-OAS30001_ses-d0129_{what}.nii.gz"
              for n, what in ((1, "acq-TSE_T2w"), (2, "run-01_T1w"), (3, "run-02_T1w"))),
        ("sub-OAS30001", "sub-OAS30001__ses-d0129"),
        {"T1w": "run-01_T1w", "T2w": "acq-TSE_T2w"},
    ),
    "OASIS-1": (
        ("OAS1_0001_MR1/OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc.nii.gz",),
        ("OAS1_0001", "OAS1_0001__MR1"),
        {"T1w": "masked_gfc"},
    ),
    "brain phantoms": (
        tuple(f"brain-4/0/{what}.nii.gz" for what in ("T1w", "FLAIR", "T1c", "SEG", "MASK")),
        ("brain-4", "brain-4__0"),
        {"T1w": "T1w", "FLAIR": "FLAIR", "T1c": "T1c", "lesions": "SEG", "mask": "MASK"},
    ),
}  # fmt: skip


def write(path: Path, values: np.ndarray, spacing: float = 5.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image = sitk.GetImageFromArray(values)
    image.SetSpacing((spacing,) * 3)
    sitk.WriteImage(image, str(path))


def intensities(size: int = 32) -> np.ndarray:
    return np.random.default_rng(1).uniform(1, 900, (size,) * 3).astype(np.float32)


def labels(*values: int, size: int = 32) -> np.ndarray:
    """A cube of 8 voxels of each value, apart from the others."""
    result = np.zeros((size,) * 3, np.uint8)
    for number, value in enumerate(values):
        result[4:6, 4:6, 4 + 6 * number : 6 + 6 * number] = value
    return result


@pytest.mark.parametrize("collection", COLLECTIONS)
def test_the_studies_of_a_collection_are_found_by_their_names(
    collection: str, tmp_path: Path
) -> None:
    files, (patient, name), where = COLLECTIONS[collection]
    for file in (*files, "README.txt", ".hidden/IXI003-HH-1-T1.nii.gz"):
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()
    (study,) = find_brain_studies(tmp_path)
    assert (study.patient, study.name) == (patient, name)
    assert study.layout.split()[0] in {*collection.replace("-", " ").split(), "BIDS", "brain"}
    found = {role: path.as_posix() for role, path in study.images.items()}
    if study.lesions:
        found["lesions"] = study.lesions[0].as_posix()
    if study.mask:
        found["mask"] = study.mask.as_posix()
    assert found.keys() == where.keys()
    for role, part in where.items():
        assert found[role].endswith(f"{part}.nii.gz") or part in found[role], role


def test_several_lesions_of_an_atlas_subject_are_one_truth(tmp_path: Path) -> None:
    folder = tmp_path / "Site2" / "031900" / "t01"
    write(folder / "031900_t1w_deface_stx.nii.gz", intensities())
    write(folder / "031900_LesionSmooth_stx.nii.gz", labels(255))
    write(folder / "031900_LesionSmooth_1_stx.nii.gz", labels(0, 255))
    (checked,) = check_brain_cohort(find_brain_studies(tmp_path), SilentReporter())
    assert checked.problem is None
    assert checked.lesions == 2
    assert checked.lesion_volume_ml == pytest.approx(2 * 8 * 5.0**3 / 1000)


def test_other_pathology_of_the_wmh_challenge_is_no_lesion(tmp_path: Path) -> None:
    folder = tmp_path / "Utrecht" / "3"
    write(folder / "pre" / "FLAIR.nii.gz", intensities())
    write(folder / "wmh.nii.gz", labels(1, 2, 1))
    (checked,) = check_brain_cohort(find_brain_studies(tmp_path), SilentReporter())
    assert checked.lesions == 2


def test_what_cannot_be_used_is_said_and_the_others_are_counted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in (1, 2, 3):
        folder = tmp_path / f"patient0{number}"
        write(folder / "FLAIR.nii.gz", intensities())
        write(folder / "consensus_gt.nii.gz", labels(1, 1))
    (tmp_path / "patient02" / "FLAIR.nii.gz").write_bytes(b"no image")
    write(tmp_path / "patient03" / "consensus_gt.nii.gz", labels(1, size=16), spacing=6.0)
    assert cli.main(["cohort", "check", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "unusable  patient02__0" in said
    assert "warning   patient03__0: the lesion mask lies on the grid of none" in said
    assert "2 of 3 studies are usable" in said
    assert "FLAIR of 2" in said
    assert cli.main(["cohort", "check", str(tmp_path), "--json"]) == 0
    first = json.loads(capsys.readouterr().out)[0]
    assert (first["layout"], first["lesions"], first["contrasts"]) == (
        "MSLUB",
        2,
        {"FLAIR": [32, 32, 32]},
    )


def test_a_lesion_mask_of_another_place_is_refused(tmp_path: Path) -> None:
    image, mask = tmp_path / "T1w.nii.gz", tmp_path / "SEG.nii.gz"
    write(image, intensities())
    far = sitk.GetImageFromArray(labels(1))
    far.SetOrigin((5000.0, 0.0, 0.0))
    sitk.WriteImage(far, str(mask))
    study = BrainStudy("brain phantoms", "p", "p__0", {"T1w": image}, (mask,))
    (checked,) = check_brain_cohort([study], SilentReporter())
    assert checked.problem is not None
    assert "lies nowhere on the image" in checked.problem


def test_two_copies_of_a_patient_are_refused(tmp_path: Path) -> None:
    for kind in ("raw", "coregistered"):
        (tmp_path / kind / "patient01").mkdir(parents=True)
        (tmp_path / kind / "patient01" / "FLAIR.nii.gz").touch()
    with pytest.raises(InputError, match="two studies named 'patient01__0'"):
        find_brain_studies(tmp_path)


def test_patients_may_be_links_and_a_link_that_leads_back_ends(tmp_path: Path) -> None:
    real = tmp_path / "archive" / "patient03"
    real.mkdir(parents=True)
    (real / "FLAIR.nii.gz").touch()
    cohort = tmp_path / "cohort"
    cohort.mkdir()
    (cohort / "patient03").symlink_to(real, target_is_directory=True)
    (real / "again").symlink_to(cohort, target_is_directory=True)
    (found,) = find_brain_studies(cohort)
    assert (found.patient, list(found.images)) == ("patient03", ["FLAIR"])


def test_oasis_as_analyze_is_refused_since_it_does_not_say_which_side_is_left(
    tmp_path: Path,
) -> None:
    (tmp_path / "OAS1_0001_MR1_mpr-1_anon.hdr").touch()
    with pytest.raises(InputError, match="which side is left"):
        find_brain_studies(tmp_path)


def test_a_folder_of_neither_is_refused_with_all_layouts_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "letters").mkdir()
    assert cli.main(["cohort", "check", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "no study in the cohort" in said
    assert "SUV.nii.gz" in said
    assert "BraTS" in said
