"""Table 5 from pictures to Markdown, and the paper's figures in it as printed."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.evaluation.pictures import table5 as table5_module
from PETAnomalyLib.engine.evaluation.pictures.judged_pictures import AUPRO, AUROC, PictureFigures
from PETAnomalyLib.engine.evaluation.pictures.paper5_figures import METHODS, PRINTED, printed
from PETAnomalyLib.engine.evaluation.pictures.table5 import as_markdown, cells_of, table5
from PETAnomalyLib.engine.phantom.texture.cohort import write_texture_cohort
from PETAnomalyLib.engine.runtime.reporter import SilentReporter


def test_the_papers_table_is_whole_and_its_own_method_first_in_all_but_one() -> None:
    assert len(PRINTED) == 12
    for category, rows in PRINTED.items():
        for row in rows:
            assert len(row) == len(METHODS)
            values = [mean for mean, _ in row]
            best = "NSA" if category == "tile" else "ILTM"  # what is printed in bold
            assert METHODS[int(np.argmax(values))] == best
    assert printed("nut") == printed("metal_nut") == PRINTED["metal nut"]
    assert printed("vase") is None


def figures(value: float) -> dict[str, PictureFigures]:
    each = {AUROC: [value, value - 0.2], AUPRO: [value, value]}
    one = PictureFigures({AUROC: value, AUPRO: value / 2}, each)
    return dict.fromkeys(("AE", "VAE", "VQ-VAE + Transformer", "ILTM"), one)


def test_a_cell_has_the_mean_of_the_seeds_and_both_spreads_beside_the_papers_figure() -> None:
    cells = {
        (cell.measure, cell.method): cell
        for cell in cells_of({"nut": [figures(0.8), figures(0.9)]})
    }
    ours = cells[AUROC, "ILTM"]
    assert (ours.value, ours.over_seeds) == (pytest.approx(85.0), pytest.approx(5.0))
    assert ours.over_pictures == pytest.approx(10.0)
    assert ours.paper == (90.1, 3.4)
    quoted = cells[AUPRO, "NSA"]
    assert quoted.value is None
    assert quoted.paper == (70.1, 9.1)
    text = as_markdown(list(cells.values()), {"nut": []})
    assert "85.0 ± 10.0 ± 5.0 | 90.1 ± 3.4" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count(" | ") for line in lines if "---" not in line}) == 1


@pytest.fixture
def category(tmp_path: Path) -> Path:
    """Of MVTec AD's own name and layout, as it might be put there."""
    write_texture_cohort(tmp_path / "made", 5, 1, healthy=True, categories=("nut",))
    write_texture_cohort(tmp_path / "made", 4, 1001, categories=("nut",))
    (tmp_path / "made" / "nut").rename(tmp_path / "metal_nut")
    return tmp_path / "metal_nut"


@pytest.mark.slow
def test_a_category_of_mvtecs_is_trained_on_and_judged_and_what_is_done_is_kept(
    category: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table5_module, "SEEDS", (0,))
    out = tmp_path / "out"
    text = table5(category, out, SilentReporter(), 1, fewer=500)
    assert re.search(r"\| metal_nut \| AUROC \| [\d.]+ ± [\d.]+ ± 0\.0 \| 78\.3 ± 6\.2 \|", text)
    kept = next(out.rglob("figures.json"))
    when = kept.stat().st_mtime_ns
    assert table5(category, out, SilentReporter(), 1, fewer=500) == text
    assert kept.stat().st_mtime_ns == when
    whole = json.loads((out / "table5.json").read_text())
    assert len(whole["cells"]) == 2 * len(METHODS)
    with (out / "table5.csv").open() as file:
        lines = list(csv.DictReader(file))
    assert {line["paper"] for line in lines if line["method"] == "CutPaste"} == {"75.1", "59.1"}
    # Another picture is another cohort.
    (category / "train" / "good" / "0000001.png").unlink()
    table5(category, out, SilentReporter(), 1, fewer=500)
    assert len(list(out.rglob("figures.json"))) == 2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--model", "pet-phantom"], "trains its own models"),
        (["--cohort", "nowhere"], "no pictures in the cohort"),
        (["--healthy", "."], "--healthy is for the tables of brain MR"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    out = tmp_path / "out"
    assert main(["evaluate", "--table5", "--out", str(out), *options]) == 2
    assert words in capsys.readouterr().err
    assert not out.exists()
