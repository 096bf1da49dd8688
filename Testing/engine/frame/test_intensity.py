from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.frame.intensity import ct_to_model, pet_from_model, pet_to_model
from PETAnomalyLib.engine.runtime.errors import BundleError

INTENSITY: dict[str, Any] = {
    "pet": {"scaling": "arcsinh", "unit_suv": 1.0, "max_suv": 30.0},
    "ct": {"scaling": "window", "min_hu": -1000, "max_hu": 1000},
}


def changed(modality: str, **values: Any) -> dict[str, Any]:
    return {**INTENSITY, modality: {**INTENSITY[modality], **values}}


def test_pet_zero_and_maximum_become_zero_and_one_and_beyond_is_clipped() -> None:
    scaled = pet_to_model(np.array([-2.0, 0.0, 30.0, 400.0]), INTENSITY)
    np.testing.assert_allclose(scaled, [0.0, 0.0, 1.0, 1.0], atol=1e-6)


def test_pet_follows_the_closed_form_of_arcsinh() -> None:
    # arcsinh(x) = ln(x + sqrt(x^2 + 1)), here with a unit of 2 g/ml and 20 g/ml at the top
    x = 5.0 / 2.0
    top = 20.0 / 2.0
    expected = math.log(x + math.sqrt(x * x + 1)) / math.log(top + math.sqrt(top * top + 1))
    scaled = pet_to_model(np.array([5.0]), changed("pet", unit_suv=2.0, max_suv=20.0))
    np.testing.assert_allclose(scaled, [expected], rtol=1e-6)


@given(st.floats(0.0, 30.0, width=32))
def test_pet_inverse_returns_the_suv(suv: float) -> None:
    back = pet_from_model(pet_to_model(np.array([suv]), INTENSITY), INTENSITY)
    np.testing.assert_allclose(back, [suv], rtol=1e-4, atol=1e-5)


def test_ct_window_maps_air_water_and_metal_to_zero_half_and_one() -> None:
    scaled = ct_to_model(np.array([-1024, -1000, 0, 1000, 3071]), INTENSITY)
    np.testing.assert_allclose(scaled, [0.0, 0.0, 0.5, 1.0, 1.0], atol=1e-6)


def test_scaled_images_are_float32_of_the_same_shape() -> None:
    image = np.ones((2, 3, 4))
    for scaled in (pet_to_model(image, INTENSITY), ct_to_model(image, INTENSITY)):
        assert scaled.dtype == np.float32
        assert scaled.shape == image.shape


@pytest.mark.parametrize(
    ("modality", "values", "key"),
    [
        ("pet", {"scaling": "sqrt"}, "intensity.pet.scaling"),
        ("pet", {"unit_suv": 0}, "intensity.pet.unit_suv"),
        ("pet", {"max_suv": "30"}, "intensity.pet.max_suv"),
        ("pet", {"max_suv": float("nan")}, "intensity.pet.max_suv"),
        ("pet", {"unit_suv": 31.0}, "intensity.pet.unit_suv"),
        ("ct", {"scaling": "$eval(1)"}, "intensity.ct.scaling"),
        ("ct", {"min_hu": True}, "intensity.ct.min_hu"),
        ("ct", {"min_hu": 1000}, "intensity.ct.min_hu"),
    ],
)
def test_a_wrong_intensity_section_is_refused_with_file_and_key(
    modality: str, values: dict[str, Any], key: str
) -> None:
    scale = pet_to_model if modality == "pet" else ct_to_model
    with pytest.raises(BundleError) as error:
        scale(np.zeros(1), changed(modality, **values))
    assert "configs/metadata.json" in error.value.message
    assert key in error.value.message
    assert error.value.hint


def test_a_missing_modality_is_refused_with_its_key() -> None:
    with pytest.raises(BundleError, match=r"configs/metadata\.json.*intensity\.ct"):
        ct_to_model(np.zeros(1), {"pet": INTENSITY["pet"]})
