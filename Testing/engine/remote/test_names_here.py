"""What the other computer says names the study as it is called here."""

from __future__ import annotations

from pathlib import Path

import pytest
from PETAnomalyLib.engine.remote.names_here import NamesHere

THERE = "/tmp/petanomaly-0/run-x1/in"


def names() -> NamesHere:
    inputs = {"pet": Path("/Müller, Zoë/SUV.nii.gz"), "organs": Path("/Müller, Zoë/masks")}
    return NamesHere(inputs, {"pet": "pet/SUV.nii.gz", "organs": "organs"})


@pytest.mark.parametrize(
    ("there", "here"),
    [
        (f"The organs in {THERE}/organs are empty.", "The organs in /Müller, Zoë/masks are empty."),
        (f"{THERE}/organs/liver.nii.gz: cut off", "/Müller, Zoë/masks/liver.nii.gz: cut off"),
        (f"{THERE}/pet/SUV.nii.gz is constant.", "/Müller, Zoë/SUV.nii.gz is constant."),
        (f"{THERE}/pet/SUV.json is read too", "/Müller, Zoë/SUV.json is read too"),
        ("The pet and the organs.", "The pet and the organs."),
    ],
)
def test_paths_of_there_become_those_of_here(there: str, here: str) -> None:
    found = names()
    found.lie_in(THERE)
    assert found.said(there) == here


@pytest.mark.parametrize("folder", [None, 3, "", "/", "a", "e/t", ["/tmp"]])
def test_what_is_no_folder_changes_no_word(folder: object) -> None:
    found = names()
    found.lie_in(folder)
    assert (
        found.said("The pet/SUV.nii.gz, and the organs.") == "The pet/SUV.nii.gz, and the organs."
    )
