"""Which contrast an MR is of, by its headers and names."""

import pytest
from PETAnomalyLib.engine.study.contrast import contrast_of_header, contrast_of_name
from pydicom.dataset import Dataset


@pytest.mark.parametrize(
    ("name", "contrast"),
    [
        ("BraTS20_Training_001_flair.nii.gz", "FLAIR"),
        ("BraTS-GLI-00000-000-t2f.nii.gz", "FLAIR"),
        ("t2_flair_sag.nii", "FLAIR"),
        ("BraTS20_Training_001_t1ce.nii.gz", "T1c"),
        ("BraTS-GLI-00000-000-t1c.nii.gz", "T1c"),
        ("patient01_T1WKS.nii.gz", "T1c"),
        ("sub-01_ses-2_T1w.nii.gz", "T1w"),
        ("BraTS-GLI-00000-000-t1n.nii.gz", "T1w"),
        ("IXI002-Guys-0828-T1.nii.gz", "T1w"),
        ("031768_t1w_deface_stx.nii.gz", "T1w"),
        ("t1_mprage_sag_p2_iso", "T1w"),
        ("patient01_T2W.nii.gz", "T2w"),
        ("Ax T2 TSE", "T2w"),
        ("head.nii.gz", ""),
        ("st2_volume12.nii.gz", ""),
    ],
)
def test_names_as_collections_and_scanners_give_them(name: str, contrast: str) -> None:
    assert contrast_of_name(name) == contrast


@pytest.mark.parametrize(
    ("repetition", "echo", "inversion", "contrast"),
    [
        (9000, 120, 2500, "FLAIR"),
        (5000, 390, 1800, "FLAIR"),  # a 3-D one
        (4500, 100, None, "T2w"),
        (600, 12, None, "T1w"),
        (2300, 2.9, 900, "T1w"),  # MPRAGE
        (2500, 30, None, ""),  # proton density
        (None, None, None, ""),
    ],
)
def test_times_of_the_sequence(
    repetition: float | None, echo: float | None, inversion: float | None, contrast: str
) -> None:
    header = Dataset()
    for name, value in (
        ("RepetitionTime", repetition), ("EchoTime", echo), ("InversionTime", inversion)
    ):  # fmt: skip
        if value is not None:
            setattr(header, name, value)
    assert contrast_of_header(header) == contrast


def test_contrast_agent_and_the_description_count_too() -> None:
    header = Dataset()
    header.RepetitionTime, header.EchoTime = 600, 12
    header.ContrastBolusAgent = "Gd"
    assert contrast_of_header(header) == "T1c"
    named = Dataset()
    named.SeriesDescription = "Sag 3D FLAIR"
    assert contrast_of_header(named) == "FLAIR"
