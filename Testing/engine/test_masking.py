"""The experiment on what masking is worth on textures: its cohorts, intervals, table and figure."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import masking
import numpy as np
import pytest
from masking import WAYS, cohort_with, difference_at, make_pictures, of_pet, write_results
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.picture_cohort import find_category
from PIL import Image


def cells(gain: float, count: int = 4) -> dict[tuple[str, int], dict[str, list[float]]]:
    """Categories and seeds in which masking gains so much, more or less."""
    random = np.random.default_rng(0)
    found = {}
    for number in range(count):
        plain = random.uniform(0.3, 0.7, 20)
        masked = plain + gain + random.normal(0, 0.02, 20) + random.normal(0, 0.01)
        found["nut", number] = {"plain": plain.tolist(), "masked": masked.tolist()}
    return found


def test_the_interval_holds_the_gain_and_tells_it_from_nothing() -> None:
    gained, nothing = difference_at(100, cells(0.1)), difference_at(0, cells(0.0))
    assert gained.low < 0.1 < gained.high
    assert gained.low > 0
    assert nothing.low < 0 < nothing.high
    assert gained.difference == pytest.approx(gained.masked - gained.plain)


def test_one_category_that_gains_alone_is_no_answer() -> None:
    """Pictures of one training are not independent: the interval knows how few trainings are."""
    values = cells(0.0, count=3)
    values["nut", 0]["masked"] = [value + 0.3 for value in values["nut", 0]["plain"]]
    found = difference_at(100, values)
    assert found.difference > 0.08
    assert found.low < 0.05


def test_so_many_of_the_same_surfaces_have_their_defect(tmp_path: Path) -> None:
    make_pictures(tmp_path, "nut", 4, 2)
    names: dict[int, set[str]] = {}
    for share in (0, 50, 100):
        category = find_category(cohort_with(tmp_path, "nut", share, 4))
        names[share] = {one.path.name for one in category.training}
        assert len(category.test) == 2
        with_defect = [one for one in category.training if "with" in one.path.resolve().parts]
        assert len(with_defect) == share * 4 / 100
    assert names[0] == names[50] == names[100]


def test_table_numbers_and_figure_are_of_all_shares(tmp_path: Path) -> None:
    text = write_results(tmp_path, {0: cells(0.0), 100: cells(0.1)})
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| 0 %", "| 100 %"]
    written = json.loads((tmp_path / "masking.json").read_text())
    assert [one["share"] for one in written["differences"]] == [0, 100]
    assert Image.open(tmp_path / "masking.png").size[0] > 100


def test_trainings_on_pet_are_cells_of_the_same_rule(tmp_path: Path) -> None:
    """Files as `contamination.py` writes them; a phantom without lesions has no value."""
    files = []
    for number in range(3):
        file = tmp_path / f"contamination-{number}.json"
        auprc = {
            f"{share}-{way} kde": {"by_study": [None, 0.5, 0.6 + 0.1 * (way == "masked")]}
            for share in (0, 100)
            for way in WAYS
        }
        file.write_text(json.dumps({"auprc": auprc}), encoding="utf-8")
        files.append(file)
    values = of_pet(files)
    assert values.keys() == {0, 100}
    assert len(values[100]) == 3
    assert difference_at(100, values[100]).difference == pytest.approx(0.05)


@pytest.mark.slow
def test_an_experiment_that_was_interrupted_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(masking, "VQVAE_STEPS", 2)
    options = argparse.Namespace(
        out=tmp_path, train=4, test=4, seeds=1, shares=[100], categories=["nut"], steps=2,
        hidden_share=0.0, processes=1, pet=[],
    )  # fmt: skip
    masking.run(options, SilentReporter())
    kept = tmp_path / "values" / "nut-0-100.json"
    when = kept.stat().st_mtime_ns
    options.shares = [0, 100]
    masking.run(options, SilentReporter())
    assert kept.stat().st_mtime_ns == when
    values = json.loads((tmp_path / "values" / "nut-0-0.json").read_text())
    assert values.keys() == WAYS.keys()
    assert all(0 <= value <= 1 for of_way in values.values() for value in of_way)
