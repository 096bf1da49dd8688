"""Paper 1's table from three tiny models: its lines, its numbers, its files."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from absent_package import make_absent
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.evaluation.table1 import SEEDS, Table1, as_markdown, table1
from PETAnomalyLib.engine.figures.chart import COLOURS
from PETAnomalyLib.engine.figures.projection import FINDING, TRUTH
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PIL import Image

pytestmark = pytest.mark.slow  # it makes and judges a table of its own


@pytest.fixture(scope="module")
def models(tiny_bundles: dict[str, Bundle]) -> list[str]:
    return [str(tiny_bundles[kind].path) for kind in ("petct", "autoencoder", "pet")]


@pytest.fixture(scope="module")
def made(
    tiny_study: Path, models: list[str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Table1, Path]:
    folder = tmp_path_factory.mktemp("table1")
    for patient in ("one", "two"):
        (folder / "cohort" / patient).mkdir(parents=True)
        (folder / "cohort" / patient / "0").symlink_to(tiny_study, target_is_directory=True)
    out = folder / "out"
    settings = DetectionSettings()
    return table1(folder / "cohort", models, out, settings, SilentReporter(), 1), out


def test_there_are_the_papers_six_lines_and_three_plain_ones(made: tuple[Table1, Path]) -> None:
    result, out = made
    with (out / "table1.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert [line["paper_auprc"] for line in lines] == [
        "0.272", "0.301", "0.344", "0.448", "0.501", "0.458", "", "", ""
    ]  # fmt: skip
    assert [line["row"] for line in lines][6:] == ["SUV > 2.5", "SUV > 4", "41 % SUVmax"]
    assert (out / "table1.md").read_text() == as_markdown(result)
    assert json.loads((out / "table1.json").read_text())["lines"][0]["name"] == "AE Dense"


def test_each_line_is_that_of_the_evaluation(made: tuple[Table1, Path]) -> None:
    result, out = made
    whole = json.loads((out / "evaluation.json").read_text())
    rows = {f"{r['rule']['model']} {r['rule']['scorer']}": r for r in whole["rows"]}
    by_name = {line.name: line for line in result.lines}
    assert by_name["AE Dense"].auprc.value == rows["tiny-autoencoder residual"]["map"]["auprc"]
    assert by_name["+ CT"].dice.value == rows["tiny-petct residual"]["map"]["best_dice"]
    kde = rows["tiny-petct kde"]
    assert by_name["+ CT + KDE"].dice.value == kde["map"]["best_dice"]
    grown = by_name["+ CT + KDE + 40 %"].dice.value
    assert np.isclose(grown, max(point["dice"] for point in kde["curve"]))
    assert grown >= kde["findings"]["dice"]  # the calibrated threshold is one of all
    # A plain threshold's Dice is its own, not that of the best threshold.
    assert by_name["SUV > 2.5"].dice.value == rows["SUV > 2.5 SUV"]["findings"]["dice"]
    assert [(t.first, t.second, t.measure) for t in result.tests][2:4] == [
        ("tiny-petct residual", "tiny-pet residual", measure) for measure in ("auprc", "dice")
    ]


def test_clear_lesions_are_counted_where_false_positives_are_few(
    made: tuple[Table1, Path],
) -> None:
    result, out = made
    kde = next(
        row
        for row in json.loads((out / "evaluation.json").read_text())["rows"]
        if (row["rule"]["model"], row["rule"]["scorer"]) == ("tiny-petct", "kde")
    )
    points = [(kde["findings"]["false_positives"] / kde["studies"], kde["clear_hit"])]
    points += [
        (point["false_positives_a_scan"], hit)
        for point, hit in zip(kde["curve"], kde["clear_hit_at_each"])
    ]
    expected = max((hit for fp, hit in points if fp <= 3), default=None)
    line = next(line for line in result.lines if line.name == "+ CT + KDE")
    assert line.clear_hit == expected
    text = replace(line, clear_hit=None)
    assert "| - |" in as_markdown(replace(result, lines=[text]))


def test_the_pictures_show_curves_findings_and_truth(made: tuple[Table1, Path]) -> None:
    _, out = made
    examples = np.asarray(Image.open(out / "examples.png").convert("RGB"))
    for colour in (FINDING, TRUTH):
        assert (examples == colour).all(axis=-1).any()
    for name in ("precision-recall.png", "froc.png"):
        chart = np.asarray(Image.open(out / name).convert("RGB")).astype(int)
        assert (chart == COLOURS[0]).all(axis=-1).any()


@pytest.mark.parametrize(
    "words", [["--table1"], ["--cohort", "none", "--model", "petct-phantom"]], ids=lambda w: w[0]
)
def test_that_matplotlib_is_missing_is_said_before_anything_is_made(
    words: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    users = ("figures.chart", "evaluation.evaluation_figures", "evaluation.table1")
    make_absent("matplotlib", [f"PETAnomalyLib.engine.{user}" for user in users], monkeypatch)
    assert main(["evaluate", *words, "--out", str(tmp_path / "out")]) == 2
    said = capfd.readouterr().err
    assert "The Python package matplotlib is not installed in" in said
    assert "pip install matplotlib" in said
    assert not list(tmp_path.iterdir())


def test_models_that_cannot_fill_the_lines_are_refused(models: list[str], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one model for the row 'VQ-GAN \\+ transformer'"):
        table1(tmp_path, models[:2], tmp_path, DetectionSettings(), SilentReporter(), 1)


def test_there_are_twenty_four_seeds_that_the_readme_keeps_out() -> None:
    assert (len(SEEDS), SEEDS[0], SEEDS[-1]) == (24, 1_000_001, 1_000_024)
