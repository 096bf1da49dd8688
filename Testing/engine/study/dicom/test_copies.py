"""A second copy of a slice has its place and its pixels, not only its UID."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.study import read_pet
from pydicom.dataset import FileDataset
from synthetic_dicom import a_body, pet_header, plain_factor, write_series

SHAPE = (12, 12, 12)


@pytest.mark.parametrize("one_uid", [lambda _: "1.2.3", lambda k: f"1.2.{k // 2}"])
def test_slices_that_share_a_uid_are_all_taken_and_told(tmp_path: Path, one_uid: Any) -> None:
    def shared(dataset: FileDataset, k: int) -> None:
        dataset.SOPInstanceUID = one_uid(k)

    write_series(tmp_path, pet_header(), a_body(SHAPE), change=shared)
    image, _, warnings = read_pet(tmp_path)
    assert np.allclose(sitk.GetArrayFromImage(image), a_body(SHAPE) * plain_factor(), rtol=1e-6)
    assert any("SOPInstanceUID (0008,0018)" in warning for warning in warnings)


@pytest.mark.parametrize("changed", ["PixelData", "RescaleSlope"])
def test_another_slice_at_the_same_place_is_not_passed_over_as_a_copy(
    tmp_path: Path, changed: str
) -> None:
    paths = write_series(tmp_path, pet_header(), a_body(SHAPE))
    other = pydicom.dcmread(paths[3])
    if changed == "PixelData":
        other.PixelData = bytes(len(other.PixelData))
    else:
        other.RescaleSlope = "3"
    other.save_as(tmp_path / "other.dcm")
    with pytest.raises(InputError, match="lie at the position of another"):
        read_pet(tmp_path)
