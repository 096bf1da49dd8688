"""N4 takes out what it is for: a brightness that changes slowly across the head."""

from __future__ import annotations

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.frame.bias_field import without_bias_field
from PETAnomalyLib.engine.frame.head_input import scaled_brain


def a_head() -> tuple[sitk.Image, sitk.Image, sitk.Image, np.ndarray]:
    """Of two tissues, with and without a field that rises by half; the mask; the field."""
    z, y, x = np.mgrid[-1:1:32j, -1:1:36j, -1:1:36j]
    brain = z**2 + y**2 + x**2 < 0.8
    tissue = np.where(np.sin(9 * x) * np.sin(8 * y) * np.sin(9 * z) > 0, 900.0, 600.0)
    tissue += np.random.default_rng(0).normal(0, 15, tissue.shape)
    field = np.exp(0.3 * x + 0.2 * y**2)
    images = []
    for values in (tissue * brain * field, tissue * brain, brain):
        image = sitk.GetImageFromArray(values.astype(np.float32))
        image.SetSpacing((2.0, 2.0, 2.0))
        images.append(image)
    return images[0], images[1], sitk.Cast(images[2], sitk.sitkUInt8), field


def test_the_field_is_taken_out_of_the_brain_where_the_intensity_says_so() -> None:
    seen, true, mask, field = a_head()
    inside = sitk.GetArrayFromImage(mask) > 0
    corrected = without_bias_field(seen, mask, 50)
    assert corrected.GetSize() == seen.GetSize()
    assert corrected.GetSpacing() == seen.GetSpacing()
    there = sitk.GetArrayFromImage(corrected)[inside] / sitk.GetArrayFromImage(true)[inside]
    assert np.log(there).std() < 0.3 * np.log(field[inside]).std()
    scaling = {"scaling": "percentiles", "low": 1.0, "high": 99.0}
    found, expected = (
        sitk.GetArrayFromImage(scaled_brain(image, mask, {"mr": {**scaling, **more}}))
        for image, more in ((seen, {"n4_iterations": 50}), (corrected, {}))
    )
    assert found == pytest.approx(expected, abs=1e-5)
