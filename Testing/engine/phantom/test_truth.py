"""What a phantom's description tells beyond its mask."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.phantom import generate
from PETAnomalyLib.engine.phantom.organs import Organ, organ_name
from PETAnomalyLib.engine.phantom.truth import describes, organs, sites


@pytest.mark.slow
def test_organs_painted_again_lie_where_their_uptake_is() -> None:
    phantom = generate(3_000_003, healthy=True)
    found = organs(phantom.description, phantom.suv)
    assert found is not None
    suv = sitk.GetArrayViewFromImage(phantom.suv)
    liver = np.median(suv[found == Organ.LIVER])
    assert liver == pytest.approx(phantom.description["uptake_suv"]["liver"], rel=0.15)
    assert np.median(suv[found == Organ.LUNG]) < 0.5 * liver
    assert np.median(suv[found == Organ.URINE]) > liver
    assert organ_name(Organ.BROWN_FAT) == "brown fat"
    # Another program's phantom of that seed, or another grid: nothing is claimed.
    other = {**phantom.description, "uptake_suv": {}}
    assert organs(other, phantom.suv) is None
    assert organs(phantom.description, phantom.suv[:, :, 1:]) is None


def test_a_lesion_has_the_site_of_the_nearest_that_was_painted() -> None:
    painted = {
        "lesions": [
            {"site": "node: hilum", "centre_lps_mm": [0, 0, 0]},
            {"site": "liver", "centre_lps_mm": [50, 0, 0]},
        ]
    }
    assert sites(painted, [(45.0, 5.0, 0.0), (1.0, 0.0, 2.0)]) == ["liver", "node"]


def test_only_a_phantom_has_a_description(tmp_path: Path) -> None:
    pet = tmp_path / "SUV.nii.gz"
    assert describes(pet) is None
    (tmp_path / "description.json").write_text('{"seed": 1, "lesions": []}')
    assert describes(pet) == {"seed": 1, "lesions": []}
    assert describes(tmp_path / "PET.nii.gz") is None
