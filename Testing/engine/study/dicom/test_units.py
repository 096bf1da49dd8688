"""What no rule can convert is refused by the attribute's name."""

from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset
from suv_factor import refusal
from synthetic_dicom import DROP, pet_header


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"PatientWeight": "0"}, "PatientWeight (0010,1030) is 0"),
        ({"PatientWeight": DROP}, "PatientWeight (0010,1030) is missing"),
        ({"PatientWeight": ""}, "PatientWeight (0010,1030) is missing"),
        ({"PatientWeight": "70000"}, "PatientWeight (0010,1030) is 70000"),
        ({"RadionuclideTotalDose": DROP}, "RadionuclideTotalDose (0018,1074)"),
        ({"RadionuclideTotalDose": "0"}, "RadionuclideTotalDose (0018,1074)"),
        ({"RadionuclideHalfLife": DROP}, "RadionuclideHalfLife (0018,1075)"),
        ({"RadionuclideHalfLife": "0"}, "RadionuclideHalfLife (0018,1075)"),
        ({"DecayCorrection": DROP}, "DecayCorrection (0054,1102) is missing"),
        ({"DecayCorrection": "OTHER"}, "DecayCorrection (0054,1102) is OTHER"),
        ({"Units": DROP}, "Units (0054,1001) is missing"),
        ({"Units": "PROPCPS"}, "Units (0054,1001) is PROPCPS"),
        ({"Units": "PCNT"}, "Units (0054,1001) is PCNT"),
        ({"Units": "CNTS"}, "(7053,1000)"),
        ({"Units": "GML", "SUVType": "BSA"}, "SUVType (0054,1006) is BSA"),
        ({"Units": "GML", "SUVType": "NEW"}, "SUVType (0054,1006) is NEW"),
        ({"Units": "CM2ML", "SUVType": "BW"}, "SUVType (0054,1006) is BW"),
        ({"CorrectedImage": ["DECY"]}, "CorrectedImage (0028,0051)"),
        ({"Modality": "CT"}, "Modality (0008,0060)"),
        ({"SOPClassUID": "1.2.840.10008.5.1.4.1.1.130"}, "Enhanced PET"),
        (
            {"RadiopharmaceuticalInformationSequence": []},
            "RadiopharmaceuticalInformationSequence (0054,0016)",
        ),
        (
            {"RadiopharmaceuticalInformationSequence": [Dataset(), Dataset()]},
            "RadiopharmaceuticalInformationSequence (0054,0016)",
        ),
    ],
)
def test_what_cannot_be_converted_is_refused_by_the_attributes_name(
    changes: dict[str, Any], named: str
) -> None:
    assert named in refusal(pet_header(**changes))
