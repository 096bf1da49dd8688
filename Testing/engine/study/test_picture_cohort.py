"""Cohorts of pictures in MVTec AD's layout: what is found, and what is refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.phantom.texture.cohort import write_texture_cohort
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.picture_cohort import (
    find_categories,
    find_category,
    is_picture_cohort,
)
from PIL import Image


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures") / "cohort"
    write_texture_cohort(folder, 3, 1, healthy=True, categories=("grid", "nut"))
    write_texture_cohort(folder, 5, 1001, categories=("grid", "nut"))
    return folder


@pytest.fixture
def cohort(made_once: Path, tmp_path: Path) -> Path:
    """Two categories of three pictures to train on, and five to judge by."""
    return Path(shutil.copytree(made_once, tmp_path / "cohort"))


def test_the_categories_are_found_from_above_and_by_themselves(cohort: Path) -> None:
    (cohort / "grid" / "train" / "good" / ".DS_Store").write_bytes(b"")
    (cohort / "grid" / "license.txt").write_text("as of MVTec AD")
    assert [one.name for one in find_categories(cohort)] == ["grid", "nut"]
    grid = find_category(cohort / "grid")
    assert (len(grid.training), len(grid.test)) == (3, 5)
    assert all(picture.mask is None for picture in grid.training)
    for picture in grid.test:
        assert (picture.mask is None) == (picture.defect == "good")
        if picture.mask is not None:
            assert picture.mask.name == f"{picture.path.stem}_mask.png"
    assert is_picture_cohort(cohort)
    assert not is_picture_cohort(cohort / "grid" / "train")


def test_what_is_not_in_the_layout_is_refused(cohort: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not the folder of one category") as refused:
        find_category(cohort)
    assert "grid, nut" in refused.value.hint
    with pytest.raises(InputError, match="no pictures"):
        find_categories(tmp_path / "elsewhere")
    mask = next((cohort / "nut" / "ground_truth").rglob("*.png"))
    mask.unlink()
    with pytest.raises(InputError, match="shows a defect"):
        find_categories(cohort)
    for path in (cohort / "grid" / "train" / "good").iterdir():
        path.unlink()
    with pytest.raises(InputError, match="holds no pictures"):
        find_category(cohort / "grid")


def test_cohort_check_tells_what_there_is_and_what_is_wrong(
    cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["cohort", "check", str(cohort)]) == 0
    words = capsys.readouterr().out
    assert "16 of 16 are usable" in words
    assert "grid: 3 to train on, 5 to judge by" in words
    bad = cohort / "grid" / "train" / "good" / "0000001.png"
    bad.write_bytes(bad.read_bytes()[:500])
    mask = next((cohort / "nut" / "ground_truth").rglob("*.png"))
    Image.fromarray(np.ones((99, 99), np.uint8)).save(mask)
    assert main(["cohort", "check", str(cohort), "--json"]) == 0
    found = {one["name"]: one for one in json.loads(capsys.readouterr().out)}
    wrong = {name: one["problem"] for name, one in found.items() if one["problem"]}
    assert len(wrong) == 2
    assert "cannot be read as a picture" in wrong["grid/train/good/0000001"]
    assert any("not of the picture's size" in problem for problem in wrong.values())


def test_a_cohort_without_a_usable_picture_fails(
    cohort: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(cohort / "nut")
    for path in cohort.rglob("*.png"):
        path.write_bytes(b"nothing")
    assert main(["cohort", "check", str(cohort)]) == 2
    assert "not one study" in capsys.readouterr().err
