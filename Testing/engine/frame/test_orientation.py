"""A study the wrong way round or in the wrong size is told from one that lies as it should."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import SimpleITK as sitk
from ellipsoid_patient import filled, grid, motion, patient_on
from PETAnomalyLib.engine.frame.orientation import flip_in_words, rivals

TEMPLATE = patient_on(grid((40, 30, 90), (12, 12, 12), (0, 0, 130)))
STUDY = patient_on(grid((60, 48, 110), (9, 9, 10), (8, -12, 150)))
FLIPS = list(itertools.product((False, True), repeat=3))  # head-feet, front-back, left-right


def flipped(image: sitk.Image, flips: tuple[bool, ...]) -> sitk.Image:
    axes = tuple(axis for axis, is_flipped in enumerate(flips) if is_flipped)
    return filled(image, np.flip(sitk.GetArrayFromImage(image), axes))


@pytest.mark.parametrize("flips", FLIPS[1:])
def test_a_flipped_study_is_likest_the_template_flipped_that_way(flips: tuple[bool, ...]) -> None:
    first = rivals(flipped(STUDY, flips), TEMPLATE, motion())[0]
    assert first.words == flip_in_words(*flips)
    assert first.evidence < -0.2


def test_a_study_that_lies_as_the_template_is_like_no_other() -> None:
    assert min(way.evidence for way in rivals(STUDY, TEMPLATE, motion())) > 0.2


def test_the_template_itself_is_all_evidence_against_every_rival() -> None:
    assert min(way.evidence for way in rivals(TEMPLATE, TEMPLATE, motion())) > 0.9


def test_a_wrong_voxel_size_is_named() -> None:
    study = sitk.Image(STUDY)
    study.SetSpacing([1.3 * mm for mm in study.GetSpacing()])
    study.SetOrigin([1.3 * mm for mm in study.GetOrigin()])
    first = rivals(study, TEMPLATE, motion())[0]
    assert first.words == "1.3 times too big"
    assert first.evidence < -0.1


def test_how_the_axes_are_stored_is_of_no_account() -> None:
    own = [way.evidence for way in rivals(STUDY, TEMPLATE, motion())]
    for order, signs in zip(itertools.permutations(range(3)), FLIPS):
        stored = sitk.Flip(sitk.PermuteAxes(STUDY, order), signs)
        again = [way.evidence for way in rivals(stored, TEMPLATE, motion())]
        assert again == pytest.approx(own, abs=1e-3)
