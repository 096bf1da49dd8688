"""Synthetic textures: the same by seed, with defects where the masks say, and nowhere else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.phantom.texture.categories import TEXTURES
from PETAnomalyLib.engine.phantom.texture.picture import (
    GOOD,
    TexturePicture,
    generate_texture,
)
from scipy import ndimage

FLAWS = [(category, flaw) for category, texture in TEXTURES.items() for flaw in texture.flaws]


def first_with(category: str, flaw: str) -> TexturePicture:
    return next(
        made for seed in range(100) if (made := generate_texture(category, seed)).defect == flaw
    )


@pytest.mark.parametrize(("category", "flaw"), FLAWS)
def test_a_defect_changes_its_pixels_and_no_others(category: str, flaw: str) -> None:
    made = first_with(category, flaw)
    healthy = generate_texture(category, made.seed, healthy=True)
    assert healthy.defect == GOOD
    assert not healthy.mask.any()
    change = np.abs(made.picture.astype(int) - healthy.picture).max(-1)
    # Its edge is soft: two pixels around it may change too.
    around = ndimage.binary_dilation(made.mask, np.ones((3, 3)), iterations=2)
    assert (change[~around] <= 2).all()
    assert change[made.mask].mean() > 15
    assert 0.001 < made.mask.mean() < 0.15


def test_a_seed_is_a_picture_and_categories_differ(tmp_path: Path) -> None:
    arguments = ["phantom", "--kind", "texture", "--count", "2", "--seed", "7"]
    for name in "ab":
        assert main([*arguments, "--out", str(tmp_path / name)]) == 0
    hashes = [
        {
            path.relative_to(tmp_path / name): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in (tmp_path / name).rglob("*.png")
        }
        for name in "ab"
    ]
    assert hashes[0] == hashes[1]
    pictures = [name for name in hashes[0] if "_mask" not in str(name)]
    assert {name.parts[0] for name in pictures} == set(TEXTURES)
    assert len({hashes[0][name] for name in pictures}) == len(pictures) == 10


def test_healthy_pictures_are_for_training(tmp_path: Path) -> None:
    arguments = ["phantom", "--kind", "texture", "--count", "2", "--seed", "1", "--healthy"]
    assert main([*arguments, "--category", "nut", "--out", str(tmp_path)]) == 0
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.png"))
    assert files == ["nut/train/good/0000001.png", "nut/train/good/0000002.png"]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--kind", "texture", "--category", "wool"], "no category 'wool'"),
        (["--category", "nut"], "--category is for texture phantoms"),
        (["--kind", "texture", "--voxel", "2"], "--voxel is for brain phantoms"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    out = tmp_path / "out"
    assert main(["phantom", "--out", str(out), "--count", "1", "--seed", "0", *options]) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()
