"""Does a study fit its model: the right way round, the right size, PET and CT of one patient?

fit = study_fit(study, template, alignment)
warnings = spoken(fit.doubts, anyway=False)     # an InputError where there is no doubt left
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import SimpleITK as sitk

from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.frame.doubt import Doubt
from PETAnomalyLib.engine.frame.orientation import Rival, rivals
from PETAnomalyLib.engine.frame.pet_ct_agreement import Agreement, agreement
from PETAnomalyLib.engine.study.study import Study

# Evidence for the template against a rival. Measured: phantoms 0.19 and more, in size 0.12 and
# more; a real scan of another make 0.09 and 0.03; flipped phantoms -0.5 to 0.03, wrong in size by
# 1.3 -0.5 to -0.15.
_ROUND_REFUSED, _ROUND_DOUBTED = -0.1, 0.05
_SIZE_REFUSED, _SIZE_DOUBTED = -0.1, 0.0

# See `pet_ct_agreement.py`.
_OVERLAP_REFUSED, _OVERLAP_DOUBTED = 0.5, 0.75
_INFORMATION_REFUSED, _INFORMATION_DOUBTED = 0.02, 0.10
_FLIP_REFUSED, _FLIP_DOUBTED = 1.5, 0.9  # of the CT's own information
_FLIP_INFORMATION = 0.10  # a flip that tells less than this has won nothing

_STORED = "Check how the images were exported: the axes' directions, and the voxel size."
_EXAMINATION = "Give the CT of the same examination, in Hounsfield units."


@dataclass(frozen=True)
class StudyFit:
    """How a study lies in the model's frame, beside how else it might.

    Attributes:
        rivals: the other ways for it to lie, the likeliest first.
        agreement: of its CT with its PET; None without a CT.
        doubts: what does not fit, the plainest first.
    """

    rivals: tuple[Rival, ...]
    agreement: Agreement | None
    doubts: tuple[Doubt, ...]

    def report(self) -> dict[str, Any]:
        """What `report.json` says of it."""
        first = self.rivals[0]
        found: dict[str, Any] = {
            "orientation": {"rival": first.words, "evidence_against_it": round(first.evidence, 4)}
        }
        if self.agreement is not None:
            found["pet_ct"] = {
                "overlap": round(self.agreement.overlap, 4),
                "shared_information": round(self.agreement.information, 4),
                "best_flip": self.agreement.flip,
                "shared_information_of_flip": round(self.agreement.flip_information, 4),
            }
        return found


def study_fit(study: Study, template: sitk.Image, alignment: Alignment) -> StudyFit:
    """Judge an aligned study.

    Args:
        study: PET in SUVbw, CT in HU or None.
        template: the model's mean PET, SUV.
        alignment: of the study to the template.
    """
    ways = rivals(study.pet, template, alignment.transform)
    agreed = None if study.ct is None else agreement(study.pet, study.ct)
    doubts = [*_doubts_of_rivals(ways), *(_doubts_of_ct(agreed) if agreed else ())]
    return StudyFit(ways, agreed, tuple(sorted(doubts, key=lambda doubt: not doubt.refused)))


def _doubts_of_rivals(ways: tuple[Rival, ...]) -> list[Doubt]:
    """One for the likeliest flip, one for the likelier size; a mirrored study may seem both."""
    doubts = []
    for is_scale, refused, doubted in (
        (False, _ROUND_REFUSED, _ROUND_DOUBTED),
        (True, _SIZE_REFUSED, _SIZE_DOUBTED),
    ):
        first = next(way for way in ways if way.is_scale is is_scale)
        if first.evidence < refused:
            doubts.append(Doubt(f"The PET looks {first.words}.", _STORED, True))
        elif first.evidence < doubted:
            doubts.append(Doubt(f"The PET may be {first.words}.", _STORED, False))
    return doubts


def _doubts_of_ct(found: Agreement) -> list[Doubt]:
    own, flipped = found.information, found.flip_information
    if flipped > _FLIP_INFORMATION and flipped > _FLIP_REFUSED * own:
        return [Doubt(f"The CT looks {found.flip}, beside the PET.", _STORED, True)]
    if any(doubt.refused for doubt in found.unit_doubts):
        return list(found.unit_doubts)
    if found.overlap < _OVERLAP_REFUSED or own < _INFORMATION_REFUSED:
        return [Doubt(f"PET and CT do not show the same body: {_in_words(found)}.",
                      _EXAMINATION, True)]  # fmt: skip
    doubts = list(found.unit_doubts)
    if flipped > _FLIP_DOUBTED * own:
        doubts.append(Doubt(f"The CT may be {found.flip}, beside the PET.", _STORED, False))
    if found.overlap < _OVERLAP_DOUBTED or own < _INFORMATION_DOUBTED:
        doubts.append(Doubt(f"PET and CT agree badly: {_in_words(found)}. They may be of two "
                            "patients, or lie apart.", _EXAMINATION, False))  # fmt: skip
    return doubts


def _in_words(found: Agreement) -> str:
    return (
        f"the outlines of the two bodies overlap by {100 * found.overlap:.0f} %, and the CT's "
        f"tissue tells {100 * found.information:.0f} % of the PET's uptake"
    )
