"""The file that `suv` writes, and that there is none where it cannot."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.suv import read_suv
from PETAnomalyLib.engine.study.dicom.suv_file import write_suv
from synthetic_dicom import HALF_LIFE_S, a_body, pet_header, write_series


def lone_series(folder: Path) -> Path:
    write_series(folder, pet_header(), a_body((6, 8, 9)))
    return folder


def test_the_suv_file_holds_the_same_values_geometry_and_unit(tmp_path: Path) -> None:
    source = lone_series(tmp_path / "Studie Müller, PET")
    target = tmp_path / "naïve résumé 肺" / "suv out.nii.gz"
    description, _ = write_suv(source, target)
    image, _, _ = read_suv(source)
    written = sitk.ReadImage(str(target))
    assert np.array_equal(sitk.GetArrayFromImage(written), sitk.GetArrayFromImage(image))
    assert written.GetSpacing() == pytest.approx(image.GetSpacing())
    assert written.GetOrigin() == pytest.approx(image.GetOrigin())
    assert written.GetDirection() == pytest.approx(image.GetDirection())
    assert written.GetMetaData("descrip").startswith("SUVbw g/ml")
    assert json.loads(json.dumps(description))["suv"]["half_life_s"] == HALF_LIFE_S
    assert [path.name for path in target.parent.iterdir()] == ["suv out.nii.gz"]


def test_a_refused_series_leaves_no_file(tmp_path: Path) -> None:
    write_series(tmp_path / "pet", pet_header(PatientWeight="0"), a_body((6, 8, 9)))
    with pytest.raises(InputError, match="PatientWeight"):
        write_suv(tmp_path / "pet", tmp_path / "out" / "suv.nii.gz")
    assert not (tmp_path / "out").exists()


def test_an_unwritable_place_is_refused_and_keeps_an_older_file(tmp_path: Path) -> None:
    source = lone_series(tmp_path / "pet")
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(InputError, match="cannot be written"):
        write_suv(source, tmp_path / "file" / "suv.nii.gz")
    (tmp_path / "taken.nii.gz").mkdir()
    with pytest.raises(InputError, match="cannot be written"):
        write_suv(source, tmp_path / "taken.nii.gz")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pet", "taken.nii.gz"]


def test_a_name_without_an_image_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.nii\.gz|image file"):
        write_suv(lone_series(tmp_path / "pet"), tmp_path / "suv")


@pytest.mark.parametrize("ending", [".nii.gz", ".mha"])
def test_the_longest_name_that_a_disk_takes_is_written(ending: str, tmp_path: Path) -> None:
    name = "s" * (255 - len(ending)) + ending
    write_suv(lone_series(tmp_path / "pet"), tmp_path / "out" / name)
    assert [path.name for path in (tmp_path / "out").iterdir()] == [name]
