"""SUVbw of Philips' counts, by its private factors."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset
from suv_factor import factor, refusal, with_private
from synthetic_dicom import pet_header, plain_factor


def philips(**factors: str) -> Dataset:
    elements = {"suv": 0x00, "activity": 0x09}
    return with_private(
        pet_header(Units="CNTS", Manufacturer="Philips Medical Systems"),
        0x7053,
        "Philips PET Private Group",
        {elements[name]: value for name, value in factors.items()},
    )


def test_counts_of_philips_take_the_suv_factor_before_the_activity_factor() -> None:
    assert factor(philips(suv="0.000551", activity="1.6")) == pytest.approx(0.000551)
    assert factor(philips(activity="1.602563")) == pytest.approx(1.602563 * plain_factor())
    assert factor(philips(suv="0", activity="1.602563")) == pytest.approx(1.602563 * plain_factor())


def test_counts_of_philips_without_a_usable_factor_are_refused() -> None:
    assert "(7053,1009)" in refusal(philips(suv="0", activity="0"))
    assert "(7053,1000)" in refusal(philips(suv="n/a"))


def test_a_factor_of_another_creator_is_not_philips() -> None:
    header = pet_header(Units="CNTS", Manufacturer="Philips")
    with_private(header, 0x7053, "Somebody", {0x00: "0.5", 0x09: "0.5"})
    assert "(7053,1000)" in refusal(header)


def test_a_factor_without_a_creator_counts_only_on_a_philips_scanner() -> None:
    for manufacturer in ("Philips Medical Systems", "SIEMENS"):
        header = pet_header(Units="CNTS", Manufacturer=manufacturer)
        header.add_new((0x7053, 0x1000), "DS", "0.0005")
        if manufacturer == "SIEMENS":
            assert "Manufacturer (0008,0070)" in refusal(header)
        else:
            assert factor(header) == pytest.approx(0.0005)
