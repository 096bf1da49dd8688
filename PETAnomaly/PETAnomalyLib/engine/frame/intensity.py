"""SUV and HU to the numbers a network sees, and back: the manifest's `intensity` section.

    {"pet": {"scaling": "arcsinh", "unit_suv": 1.0, "max_suv": 30.0},
     "ct":  {"scaling": "window", "min_hu": -1000, "max_hu": 1000}}

That of a model of MR is read by `head_input.py`.

PET spans three decades between muscle and bladder: arcsinh is linear below `unit_suv` and
logarithmic above, so that a faint liver lesion and a hot bladder both keep contrast. CT is a plain
window.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.runtime.errors import BundleError
from PETAnomalyLib.engine.runtime.json_section import Document, Section

MANIFEST = Document(
    "configs/metadata.json",
    "The model folder is damaged or made for another version of PETAnomaly; install it again.",
    BundleError,
)
_KEY = "petanomaly.intensity"


def pet_to_model(suv: NDArray[np.floating], intensity: Mapping[str, Any]) -> NDArray[np.float32]:
    """SUV (g/ml, any shape) to [0, 1]: arcsinh(clip(SUV, 0, max) / unit) / arcsinh(max / unit).

    Args:
        suv: SUVbw in g/ml, any shape.
        intensity: the manifest's `intensity` section.

    Raises:
        BundleError: the section's `pet` part is missing, unknown or out of range.
    """
    unit, maximum = pet_scaling(intensity)
    clipped = np.clip(np.asarray(suv, dtype=np.float32), 0.0, maximum)
    return (np.arcsinh(clipped / unit) / math.asinh(maximum / unit)).astype(np.float32)


def pet_from_model(
    scaled: NDArray[np.floating], intensity: Mapping[str, Any]
) -> NDArray[np.float32]:
    """The inverse of `pet_to_model`: model intensity (any shape) to SUV in g/ml.

    Nothing is clipped here: what a network gives outside [0, 1] stays visible as a SUV below 0 or
    above `max_suv`.
    """
    unit, maximum = pet_scaling(intensity)
    scale = math.asinh(maximum / unit)
    return (unit * np.sinh(np.asarray(scaled, dtype=np.float32) * scale)).astype(np.float32)


def ct_to_model(hu: NDArray[np.floating], intensity: Mapping[str, Any]) -> NDArray[np.float32]:
    """HU (any shape) to [0, 1]: linear between `min_hu` and `max_hu`, clipped outside.

    Raises:
        BundleError: the section's `ct` part is missing, unknown or out of range.
    """
    low, high = ct_window(intensity)
    clipped = np.clip(np.asarray(hu, dtype=np.float32), low, high)
    return ((clipped - low) / (high - low)).astype(np.float32)


def pet_scaling(intensity: Mapping[str, Any]) -> tuple[float, float]:
    """`unit_suv` and `max_suv` of the manifest, checked: 0 < unit <= max <= 1000.

    Raises:
        BundleError: naming the manifest and the key.
    """
    return _pet_scaling(Section(intensity, MANIFEST, _KEY))


def ct_window(intensity: Mapping[str, Any]) -> tuple[float, float]:
    """`min_hu` and `max_hu` of the manifest, checked: -32768 <= min < max <= 32767.

    Raises:
        BundleError: naming the manifest and the key.
    """
    return _ct_window(Section(intensity, MANIFEST, _KEY))


@dataclass(frozen=True)
class MRScaling:
    """How an MR's arbitrary units become the model's intensity.

    Attributes:
        low, high: percentiles of the brain that become 0 and 1.
        n4_iterations: of each level, that take the bias field out first; 0: it stays.
        curvature_flow: steps of smoothing after that.
    """

    low: float
    high: float
    n4_iterations: int
    curvature_flow: int


def mr_scaling(intensity: Mapping[str, Any]) -> MRScaling:
    """The manifest's section of an MR, checked.

    Raises:
        BundleError: naming the manifest and the key.
    """
    return _mr_scaling(Section(intensity, MANIFEST, _KEY))


def check_intensity(intensity: Section, with_ct: bool, of_mr: bool = False) -> None:
    """Check the part for the MR; else that for the PET, and for the CT where needed or given.

    Raises:
        PETAnomalyError: that of the section's file, naming the key.
    """
    if of_mr:
        _mr_scaling(intensity)
        return
    _pet_scaling(intensity)
    if with_ct or "ct" in intensity.values:
        _ct_window(intensity)


def _pet_scaling(intensity: Section) -> tuple[float, float]:
    part = intensity.section("pet")
    part.choice("scaling", ("arcsinh",))
    unit = part.number("unit_suv", 1e-3, 1000.0)
    maximum = part.number("max_suv", 1e-3, 1000.0)
    if unit > maximum:
        raise part.error("unit_suv", f"{unit:g} is larger than max_suv, {maximum:g}")
    return unit, maximum


def _mr_scaling(intensity: Section) -> MRScaling:
    part = intensity.section("mr")
    part.choice("scaling", ("percentiles",))
    low = part.number("low", 0.0, 49.0)
    high = part.number("high", 51.0, 100.0)
    n4, flow = (
        part.integer(name, 0, highest) if name in part.values else 0
        for name, highest in (("n4_iterations", 200), ("curvature_flow", 50))
    )
    return MRScaling(low, high, n4, flow)


def _ct_window(intensity: Section) -> tuple[float, float]:
    part = intensity.section("ct")
    part.choice("scaling", ("window",))
    low = part.number("min_hu", -32768.0, 32767.0)
    high = part.number("max_hu", -32768.0, 32767.0)
    if low >= high:
        raise part.error("min_hu", f"{low:g} is not below max_hu, {high:g}")
    return low, high
