"""Which files go to another computer: those of a PET, those of an MR, and a phantom's truth."""

from __future__ import annotations

from pathlib import Path

import pytest
from PETAnomalyLib.engine.remote.study_files import study_files


@pytest.mark.parametrize(
    ("image", "second", "name"),
    [("pet", "ct", "SUV.nii.gz"), ("mr", "mask", "FLAIR.nii.gz")],
)
def test_a_phantoms_lesions_go_with_it(image: str, second: str, name: str, tmp_path: Path) -> None:
    for one in (name, "MASK.nii.gz"):
        (tmp_path / one).write_bytes(b"x")
    inputs = {image: tmp_path / name, second: tmp_path / "MASK.nii.gz"}
    alone = {f"{image}/{name}", f"{second}/MASK.nii.gz"}
    found = study_files(inputs)
    assert set(found.files) == alone
    assert found.inputs == {image: f"{image}/{name}", second: f"{second}/MASK.nii.gz"}
    for one in ("SEG.nii.gz", "description.json"):
        (tmp_path / one).write_bytes(b"x")
    truth = {f"{image}/SEG.nii.gz", f"{image}/description.json"}
    assert set(study_files(inputs).files) == alone | truth
