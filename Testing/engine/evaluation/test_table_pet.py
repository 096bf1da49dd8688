"""Every family on one PET table, of tiny models: numbers of the evaluation, order, files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.evaluation.table_pet import table_pet
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from tiny_head_bundles import write_tiny_head_bundle


@pytest.fixture(scope="module")
def made(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("table-pet")
    for patient in ("one", "two"):
        (folder / "cohort" / patient).mkdir(parents=True)
        (folder / "cohort" / patient / "0").symlink_to(tiny_study, target_is_directory=True)
    models = [str(tiny_bundles[kind].path) for kind in ("autoencoder", "pet", "petct")]
    out = folder / "out"
    settings = DetectionSettings()
    return table_pet(folder / "cohort", models, out, settings, SilentReporter(), 1), out


@pytest.mark.slow
def test_a_line_is_a_model_by_its_first_map_best_first(made: tuple[str, Path]) -> None:
    text, out = made
    with (out / "table-pet.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    whole = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    rows = {(r["rule"]["model"], r["rule"]["scorer"]): r for r in whole["rows"]}
    models, plain = lines[:3], lines[3:]
    assert {line["map"] for line in models} == {"kde", "residual"}
    areas = [float(line["auprc"]) for line in models]
    assert areas == sorted(areas, reverse=True)
    for line in models:
        row = rows[line["row"], line["map"]]
        assert float(line["auprc"]) == row["map"]["auprc"]
        assert float(line["dice"]) == row["map"]["best_dice"]
        few = [p["sensitivity"] for p in row["curve"] if p["false_positives_a_scan"] <= 3]
        expected = "" if not few else str(round(max(few) * row["findings"]["lesions"]))
        assert line["lesions_hit"] == expected
        folder = out / line["row"]
        reports = [json.loads(path.read_text()) for path in folder.rglob("report.json")]
        mean = sum(sum(one["seconds"].values()) for one in reports) / len(reports)
        assert float(line["seconds"]) == pytest.approx(mean)
    assert models[0]["below_best"] == ""
    assert all(float(line["below_best"]) <= 0 for line in models[1:])
    assert [line["row"] for line in plain] == [
        "SUV > 2.5 SUV", "SUV > 4 SUV", "SUV > 4, grown to 41 % SUV"
    ]  # fmt: skip
    assert not any(line["seconds"] or line["family"] for line in plain)
    assert text == (out / "table-pet.md").read_text(encoding="utf-8")


def test_a_model_of_brain_mr_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    model = write_tiny_head_bundle(tmp_path / "tiny", "ae-dense").path
    words = ["evaluate", "--table-pet", "--model", str(model), "--out", str(tmp_path / "out")]
    assert main(words) == 2
    assert "is of brain MR, and this table is of PET" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
