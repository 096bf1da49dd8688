"""What was injected: the item of the Radiopharmaceutical Information Sequence (0054,0016)."""

from __future__ import annotations

import contextlib
from typing import Any

from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.tags import items, number, tag_name, text

# Half-life (s, ENSDF) and the codes of DICOM CID 4020 (SNOMED CT, and SNOMED-RT in older files).
HALF_LIVES = {
    "F-18": (6586.2, ("77004003", "C-111A1")),
    "Ga-68": (4062.6, ("35337001", "C-131A3")),
    "C-11": (1221.8, ("40565003", "C-105A1")),
    "N-13": (597.9, ("21576001", "C-107A1")),
    "O-15": (122.2, ("129504001", "C-B1038")),
    "Rb-82": (75.5, ("79197006", "C-159A2")),
    "Cu-64": (45723.0, ("3932008", "C-127A2")),
    "Zr-89": (282276.0, ("63360001", "C-168A4")),
    "I-124": (360806.0, ("40937006", "C-114A5")),
}
HALF_LIFE_TOLERANCE = 0.03

# No PET dose is below 10 kBq; sites that enter MBq stay below 10 GBq (so does the IBSI manual).
MEGABECQUEREL_BELOW = 1e4
USUAL_DOSE_BQ = (1e7, 2.5e9)


def radiopharmaceutical(header: Dataset) -> Dataset:
    """The one item of the sequence; none or several are refused."""
    name = tag_name("RadiopharmaceuticalInformationSequence")
    found = items(header, "RadiopharmaceuticalInformationSequence")
    if not found:
        raise InputError(
            f"{name} is missing or empty: dose, half-life and injection time are unknown.",
            "Export the series again with all its attributes.",
        )
    if len(found) > 1:
        raise InputError(
            f"{name} has {len(found)} items: with several injections there is no single SUV.",
            "Give a series with one radiopharmaceutical.",
        )
    return found[0]


def injected_dose(tracer: Dataset) -> tuple[float, list[str]]:
    """Bq at the time of injection, and warnings; below 10,000 the value is read as MBq."""
    name = tag_name("RadionuclideTotalDose")
    dose = number(tracer, "RadionuclideTotalDose")
    if dose is None or dose <= 0:
        stated = "missing or empty" if dose is None else f"{dose:g}"
        raise InputError(
            f"{name} is {stated}; SUV cannot be computed without the dose.",
            "Add the injected dose in Bq to the DICOM files.",
        )
    warnings = []
    if dose < MEGABECQUEREL_BELOW:
        warnings.append(
            f"{name} is {dose:g}, too little in Bq: read as {dose:g} MBq. If it is in another "
            "unit, the SUVs are wrong."
        )
        dose *= 1e6
    if not USUAL_DOSE_BQ[0] <= dose <= USUAL_DOSE_BQ[1]:
        warnings.append(f"{name} of {dose / 1e6:g} MBq is unusual: check it.")
    return dose, warnings


def half_life(tracer: Dataset) -> tuple[float, list[str]]:
    """s, as the attribute says, and a warning when it is not that of the coded nuclide."""
    name = tag_name("RadionuclideHalfLife")
    seconds = number(tracer, "RadionuclideHalfLife")
    if seconds is None or seconds <= 0:
        stated = "missing or empty" if seconds is None else f"{seconds:g} s"
        raise InputError(
            f"{name} is {stated}; SUV cannot be computed without it.",
            "Add the half-life in seconds to the DICOM files.",
        )
    known = _coded_nuclide(tracer)
    expected = known or {nuclide: value for nuclide, (value, _) in HALF_LIVES.items()}
    if any(abs(seconds / value - 1) <= HALF_LIFE_TOLERANCE for value in expected.values()):
        return seconds, []
    whose = next(iter(known), "any PET nuclide")
    return seconds, [f"{name} of {seconds:g} s is not that of {whose}: check it."]


def stated_tracer(header: Dataset) -> dict[str, Any]:
    """What the series says was injected: name, code, nuclide and half-life (s), as far as stated.

    Empty where nothing is; nothing is checked, nothing raised.
    """
    found = items(header, "RadiopharmaceuticalInformationSequence")
    if len(found) != 1:
        return {}
    codes = items(found[0], "RadiopharmaceuticalCodeSequence")
    coded = codes[0] if codes else Dataset()
    seconds = None
    with contextlib.suppress(InputError):
        seconds = number(found[0], "RadionuclideHalfLife")
    nuclide = next(iter(_coded_nuclide(found[0])), "") or next(
        (
            name
            for name, (value, _) in HALF_LIVES.items()
            if seconds and abs(seconds / value - 1) <= HALF_LIFE_TOLERANCE
        ),
        "",
    )
    stated = {
        "name": text(found[0], "Radiopharmaceutical") or text(coded, "CodeMeaning"),
        "code": text(coded, "CodeValue"),
        "nuclide": nuclide,
        "half_life_s": seconds,
    }
    return {key: value for key, value in stated.items() if value}


def _coded_nuclide(tracer: Dataset) -> dict[str, float]:
    """Name and half-life (s) of the nuclide in the code sequence; empty for none or another."""
    codes = items(tracer, "RadionuclideCodeSequence")
    code = text(codes[0], "CodeValue") if codes else ""
    return {nuclide: value for nuclide, (value, names) in HALF_LIVES.items() if code in names}
