"""What was injected, as a study states it, and whether that is what a model was made for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

NOT_STATED = "not stated"
HALF_LIFE_TOLERANCE = 0.03
# Fluorodeoxyglucose in SNOMED CT and SNOMED-RT (DICOM CID 4021), and as people write it.
_FDG_CODES = ("35321007", "C-B1031")
_FDG_NAMES = ("fdg", "fluorodeoxyglucose", "fluordeoxyglucose", "fluorodesoxyglucose",
              "fluordesoxyglucose", "fludeoxyglucose", "deoxyglucose", "desoxyglucose")  # fmt: skip
# Nuclides, forms and words that say nothing of the substance.
_SAYS_NOTHING = re.compile(
    r"\b\d{1,3}\s*-?\s*[a-z]{1,2}\b|\b[a-z]{1,2}\s*-?\s*\d{1,3}\b|\bfl(uo|ou)r(ine)?\b|\bgallium\b"
    r"|\b(solution|injection|tracer|radiopharmaceutical|pet|other|unknown|none|na|n a)\b"
    r"|\b(f|ga|cu|zr|rb)\b"
)


@dataclass(frozen=True)
class Tracer:
    """A radiopharmaceutical.

    Attributes:
        name: as people write it, with its nuclide.
        half_life_s: of the nuclide.
        code: of the substance, in whatever scheme; empty when there is none.
    """

    name: str
    half_life_s: float
    code: str = ""


FDG = Tracer("F-18 FDG", 6586.2, _FDG_CODES[0])


def tracer_warnings(stated: Any, expected: Tracer, model: str) -> tuple[str, ...]:
    """What to tell where a study's tracer is not the model's; nothing where it may be.

    Args:
        stated: `tracer` of a PET's description: a dictionary, or `NOT_STATED`.
        expected: what the model was made for.
        model: its name.
    """
    if not isinstance(stated, dict):
        return ()
    seconds: float = stated.get("half_life_s") or 0.0
    other_nuclide = abs(seconds / expected.half_life_s - 1) > HALF_LIFE_TOLERANCE
    if not (seconds and other_nuclide) and _may_be(stated, expected):
        return ()
    parts = [stated.get("name") or stated.get("code"), stated.get("nuclide")]
    said = ", ".join(part for part in parts if part) or "another nuclide"
    half_life = f", half-life {seconds:g} s" if seconds else ""
    return (
        f"ANOTHER TRACER: this study's is {said}{half_life}; the model '{model}' was made for "
        f"{expected.name} (half-life {expected.half_life_s:g} s). What it calls anomalous means "
        "nothing for another tracer.",
    )


def is_fdg(stated: Any) -> bool:
    """Whether a study says that fluorodeoxyglucose was injected; not where it says nothing.

    Args:
        stated: `tracer` of a PET's description: a dictionary, or `NOT_STATED`.
    """
    if not isinstance(stated, dict):
        return False
    return stated.get("code") in _FDG_CODES or _substance(stated.get("name", "")) == "fdg"


def _may_be(stated: dict[str, Any], expected: Tracer) -> bool:
    """Whether code or name, as far as they say anything, are those of the expected substance."""
    code, name = stated.get("code", ""), _substance(stated.get("name", ""))
    wanted = _substance(expected.name)
    codes = {expected.code} - {""}
    if wanted == "fdg":
        codes |= set(_FDG_CODES)
    if code and code in codes:
        return True
    if not name:
        return not code
    if "fdg" in (name, wanted):
        return name == wanted
    return wanted.startswith(name) or name.startswith(wanted)


def _substance(name: str) -> str:
    """What is left of a name without nuclide and general words; `fdg` for all names of FDG."""
    plain = re.sub(r"[^a-z0-9-]+", " ", name.lower())
    if any(known in re.sub(r"[^a-z]", "", plain) for known in _FDG_NAMES):
        return "fdg"
    words = re.sub(r"[^a-z0-9]", "", _SAYS_NOTHING.sub(" ", plain))
    return words if any(letter.isalpha() for letter in words) else ""
