"""Reading an MR of a head and the mask of its brain."""

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from ellipsoid_heads import SHAPE, SPACING_MM, draw_head
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.head import GIVEN, STRIPPED, read_head
from pydicom.dataset import FileDataset
from pydicom.uid import MRImageStorage, generate_uid
from synthetic_dicom import DROP, pet_header, write_series


def write(path: Path, values: np.ndarray, spacing: float = SPACING_MM) -> Path:
    image = sitk.GetImageFromArray(values)
    image.SetSpacing([spacing] * 3)
    sitk.WriteImage(image, str(path))
    return path


def in_air(seed: int = 1) -> np.ndarray:
    """A head with something round its brain, and noise in the air."""
    flair, _, _ = draw_head("healthy", seed)
    noise = np.random.default_rng(seed).uniform(1, 20, SHAPE)
    return np.where(flair > 0, flair, noise).astype(np.float32)


def test_what_is_left_of_a_stripped_image_is_its_brain(tmp_path: Path) -> None:
    flair, _, _ = draw_head("healthy", 2)
    head = read_head(write(tmp_path / "sub-1_FLAIR.nii.gz", flair))
    assert head.mask is not None
    assert head.mask_from == STRIPPED
    assert np.array_equal(sitk.GetArrayFromImage(head.mask) > 0, flair > 0)
    assert head.contrast == "FLAIR"
    assert head.description["mr"]["contrast"] == "FLAIR"


@pytest.mark.parametrize("outside", [0.0, -32768.0, 1000.0])
def test_a_stripped_image_of_mean_0_has_its_brain_whatever_lies_outside(
    outside: float, tmp_path: Path
) -> None:
    flair, _, _ = draw_head("healthy", 2)
    brain = flair > 0
    scaled = (flair - flair[brain].mean()) / flair[brain].std()
    head = read_head(write(tmp_path / "mr.nii.gz", np.where(brain, scaled, outside)))
    assert head.mask_from == STRIPPED
    assert head.mask is not None
    assert np.array_equal(sitk.GetArrayFromImage(head.mask) > 0, brain)


def test_a_head_with_noise_in_its_air_has_no_mask_until_one_is_given(tmp_path: Path) -> None:
    mr = write(tmp_path / "mr.nii.gz", in_air())
    head = read_head(mr)
    assert head.mask is None
    assert head.contrast == ""
    flair, _, _ = draw_head("healthy", 1)
    mask = write(tmp_path / "brain.nii.gz", (flair > 0).astype(np.uint8) * 7)
    given = read_head(mr, mask)
    assert given.mask_from == GIVEN
    assert given.mask is not None
    assert np.array_equal(sitk.GetArrayFromImage(given.mask) > 0, flair > 0)


def test_masks_that_are_none_are_refused(tmp_path: Path) -> None:
    mr = write(tmp_path / "mr.nii.gz", in_air())
    flair, _, _ = draw_head("healthy", 1)
    elsewhere = write(tmp_path / "a.nii.gz", (flair > 0).astype(np.uint8), SPACING_MM + 0.2)
    with pytest.raises(InputError, match="another grid"):
        read_head(mr, elsewhere)
    few = np.zeros(SHAPE, np.uint8)
    few[10:13, 10:13, 10:13] = 1
    with pytest.raises(InputError, match="no brain's volume"):
        read_head(mr, write(tmp_path / "b.nii.gz", few))


def test_what_is_no_mr_of_a_head_is_refused(tmp_path: Path) -> None:
    hu = np.full((60, 60, 60), -1000, np.int16)
    hu[20:40, 20:40, 20:40] = 40
    with pytest.raises(InputError, match="looks like a CT"):
        read_head(write(tmp_path / "ct.nii.gz", hu, 4.0))
    body = np.random.default_rng(0).random((100, 60, 60)).astype(np.float32)
    with pytest.raises(InputError, match="no MR of a head"):
        read_head(write(tmp_path / "pet.nii.gz", body, 6.0))
    with pytest.raises(InputError, match="no whole brain"):
        read_head(write(tmp_path / "part.nii.gz", body[:10, :10, :60], 3.0))
    with pytest.raises(InputError, match="constant"):
        read_head(write(tmp_path / "flat.nii.gz", np.ones((40, 40, 40), np.float32), 5.0))


def write_mr(folder: Path, values: np.ndarray, description: str, kind: str = "M") -> list[Path]:
    """Classic MR as scanners write it: no rescaling."""
    header = pet_header(
        SOPClassUID=MRImageStorage,
        Modality="MR",
        SeriesDescription=description,
        SeriesInstanceUID=generate_uid(),
        ImageType=["ORIGINAL", "PRIMARY", kind, "ND"],
        Units=DROP,
    )

    def without_rescaling(dataset: FileDataset, _: int) -> None:
        del dataset.RescaleSlope, dataset.RescaleIntercept

    return write_series(
        folder,
        header,
        values,
        spacing=(SPACING_MM, SPACING_MM),
        gap=SPACING_MM,
        change=without_rescaling,
        prefix=header.SeriesInstanceUID[-8:],
    )


def test_values_of_dicom_mr_are_taken_as_stored_without_a_word(tmp_path: Path) -> None:
    values = np.rint(in_air()).astype(np.int16)
    write_mr(tmp_path / "mr", values, "ax flair")
    head = read_head(tmp_path / "mr", wanted="FLAIR")
    assert np.array_equal(sitk.GetArrayFromImage(head.image), values)
    assert head.contrast == "FLAIR"
    assert not [warning for warning in head.warnings if "RescaleSlope" in warning]


def test_of_magnitude_and_phase_the_magnitude_is_taken(tmp_path: Path) -> None:
    values = np.rint(in_air()).astype(np.int16)
    phases = np.random.default_rng(3).integers(0, 4096, SHAPE).astype(np.int16)
    write_mr(tmp_path / "both", values, "ax flair")
    phase = write_mr(tmp_path / "both", phases, "ax flair", "P")
    head = read_head(tmp_path / "both", wanted="FLAIR")
    assert np.array_equal(sitk.GetArrayFromImage(head.image), values)
    with pytest.raises(InputError, match="holds phases"):
        read_head(phase[0])
    write_mr(tmp_path / "alone", phases, "ax flair", "PHASE MAP")
    with pytest.raises(InputError, match="holds phases"):
        read_head(tmp_path / "alone")
