"""Lesion masks: the voxels that somebody marked, in whatever kind of file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel
import numpy as np
import pytest
import SimpleITK as sitk
from image_files import write_nifti, write_nrrd
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.cohort_layout import find_studies
from PETAnomalyLib.engine.study.lesion_mask import known_lesions, read_lesions
from PETAnomalyLib.engine.training.cohort_check import check_cohort

SHAPE = (5, 6, 7)  # k, j, i
LAYERS = (np.random.default_rng(0).random((3, *SHAPE)) < 0.1).astype(np.uint8) * [[[[1]]], [[[2]]],
                                                                             [[[5]]]]  # fmt: skip


def a_pet() -> sitk.Image:
    pet = sitk.Image(SHAPE[::-1], sitk.sitkFloat32)
    pet.SetSpacing((4.0, 4.0, 5.0))
    pet.SetOrigin((-30.0, 20.0, -700.0))
    return pet


def segmentation(path: Path, layers: Any, axis: int) -> Path:
    """A Slicer segmentation (.seg.nrrd), its layers on one axis of the file."""
    stored = np.moveaxis(layers.astype("<u1"), 0, 3 - axis)
    sizes, directions = list(stored.shape[::-1]), ["(4,0,0)", "(0,4,0)", "(0,0,5)"]
    kinds = ["domain"] * 3
    kinds.insert(axis, "list")
    directions.insert(axis, "none")
    return write_nrrd(
        path, stored.tobytes(),
        "Segmentation_MasterRepresentation:=Binary labelmap",
        *(f"Segment{n}_Layer:={n}" for n in range(len(layers))),
        *(f"Segment{n}_LabelValue:={layers[n].max()}" for n in range(len(layers))),
        type="unsigned char", dimension=4, endian=None, kinds=" ".join(kinds),
        sizes=" ".join(map(str, sizes)), space_directions=" ".join(directions),
        space_origin="(-30,20,-700)",
    )  # fmt: skip


@pytest.mark.parametrize("axis", [0, 3])
def test_overlapping_segments_in_layers_are_all_lesions(tmp_path: Path, axis: int) -> None:
    path = segmentation(tmp_path / "Segmentation.seg.nrrd", LAYERS, axis)
    expected = sitk.ReadImage(str(path))  # a vector image: one number a layer
    assert expected.GetNumberOfComponentsPerPixel() == 3
    lesions, warnings = read_lesions(path, a_pet())
    assert np.array_equal(lesions, sitk.GetArrayFromImage(expected).any(axis=-1))
    assert np.array_equal(lesions, LAYERS.any(axis=0))
    assert warnings == ()


def test_a_direction_with_a_denormal_number_is_that_of_the_zero_it_stands_for(
    tmp_path: Path,
) -> None:
    pet, mask = a_pet(), LAYERS.any(axis=0).astype("<u1")
    path = write_nrrd(
        tmp_path / "mask.nrrd", mask.tobytes(), type="unsigned char", endian=None,
        sizes=" ".join(map(str, SHAPE[::-1])), space_origin="(-30,20,-700)",
        space_directions="(4,4e-310,0) (4e-310,4,0) (0,0,5)",
    )  # fmt: skip
    assert np.array_equal(read_lesions(path, pet)[0], LAYERS.any(axis=0))


def test_one_layer_is_a_plain_label_image(tmp_path: Path) -> None:
    path = segmentation(tmp_path / "s.seg.nrrd", LAYERS[1:2], 0)
    assert np.array_equal(read_lesions(path, a_pet())[0], LAYERS[1] > 0)


def test_a_study_whose_lesions_are_a_segmentation_is_read_from_a_cohorts_list(
    tmp_path: Path,
) -> None:
    sitk.WriteImage(a_pet(), str(tmp_path / "pet.nii.gz"))
    segmentation(tmp_path / "s.seg.nrrd", LAYERS, 0)
    (tmp_path / "c.csv").write_text("patient,pet,lesions\na,pet.nii.gz,s.seg.nrrd\n")
    (study,) = find_studies(tmp_path / "c.csv")
    assert np.array_equal(known_lesions(study, a_pet()) > 0, LAYERS.any(axis=0))


def test_a_mask_of_floats_with_nan_marks_nothing_but_is_refused(tmp_path: Path) -> None:
    values = LAYERS[0].astype(np.float32)
    values[0, 0, 0] = np.nan
    for suffix in (".nii.gz", ".nrrd", ".mha"):
        path = tmp_path / f"m{suffix}"
        sitk.WriteImage(sitk.GetImageFromArray(values), str(path))
        with pytest.raises(InputError, match="NaN"):
            read_lesions(path, a_pet())


@pytest.mark.parametrize("kind", ["time series", "colours"])
def test_other_files_of_several_values_are_refused(tmp_path: Path, kind: str) -> None:
    if kind == "time series":
        image = sitk.JoinSeries([sitk.GetImageFromArray(layer) for layer in LAYERS])
        sitk.WriteImage(image, str(tmp_path / "m.nii.gz"))
        with pytest.raises(InputError, match=r"cannot be used: .* is 4-D"):
            read_lesions(tmp_path / "m.nii.gz", a_pet())
    else:
        with pytest.raises(InputError, match="cannot be used"):
            read_lesions(write_nifti(tmp_path / "m.nii", LAYERS[0].astype("u1"), datatype=32,
                                     bitpix=64), a_pet())  # fmt: skip


def test_a_mask_whose_header_contradicts_itself_is_told_by_the_cohorts_check(
    tmp_path: Path,
) -> None:
    study = tmp_path / "patient" / "0"
    study.mkdir(parents=True)
    suv = np.random.default_rng(1).gamma(2.0, 0.5, (20, 22, 24)).astype(np.float32)
    steps = np.array([[-8.0, 0, 0, 90], [0, -8.0, 0, 90], [0, 0, 10.0, -300], [0, 0, 0, 1]])
    nibabel.save(nibabel.Nifti1Image(suv.T, steps), study / "SUV.nii.gz")
    mask = nibabel.Nifti1Image((suv.T > 3).astype(np.uint8), steps)
    shifted = steps.copy()
    shifted[2, 3] += 60
    mask.set_qform(shifted, 1)
    mask.set_sform(steps, 1)
    nibabel.save(mask, study / "SEG.nii.gz")
    (checked,) = check_cohort(find_studies(tmp_path), SilentReporter())
    assert checked.problem is None
    (warning,) = [text for text in checked.warnings if "lesion mask" in text]
    assert "up to 60 mm apart" in warning
