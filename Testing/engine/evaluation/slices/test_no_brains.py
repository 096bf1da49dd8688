"""Pictures that are no brains."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PETAnomalyLib.engine.evaluation.slices.no_brains import PICTURES, no_brains, of_one_picture
from PETAnomalyLib.engine.evaluation.slices.no_brains_picture import draw_no_brains
from PETAnomalyLib.engine.evaluation.slices.reconstructions import head_of
from PIL import Image


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_each_picture_has_slices_of_its_own(axis: int) -> None:
    study = no_brains((31, 40, 37), axis)
    head = head_of(study, np.zeros(study.image.shape, np.float32), axis)
    shown = {picture: of_one_picture(head, picture).image for picture in PICTURES}
    for picture, image in shown.items():
        assert image.shape[axis] == 1
        assert 0 <= image.min() < image.max() <= 1, picture
        same = np.isclose(np.moveaxis(head.image, axis, 0), np.moveaxis(image, axis, 0))
        third = study.image.shape[axis] / 3
        assert abs(same.all(axis=(1, 2)).sum() - third) < 1, picture
    board = np.moveaxis(shown["checkerboard"], axis, 0)[0]
    assert set(np.unique(board)) == {0, 1}
    np.testing.assert_array_equal(board[:8, :8], 0)
    np.testing.assert_array_equal(board[8:16, :8], 1)


def test_the_drawing_has_what_was_made_beside_the_original(tmp_path: Path) -> None:
    study = no_brains((30, 32, 32), 0)
    copies = np.zeros(study.image.shape, np.float32)
    made = {}
    for name, residual in (("copies", copies), ("black", study.image.astype(np.float32))):
        head = head_of(study, residual, 0)
        made[name] = [of_one_picture(head, picture) for picture in PICTURES]
    draw_no_brains(tmp_path / "no-brains.png", made)
    picture = np.asarray(Image.open(tmp_path / "no-brains.png"))
    width = (picture.shape[1] - 6) // 3
    original, copied, black = (picture[20:, 6 + n * width :][:, :128] for n in range(3))
    np.testing.assert_array_equal(original, copied)
    assert original.any()
    assert not black.any()
