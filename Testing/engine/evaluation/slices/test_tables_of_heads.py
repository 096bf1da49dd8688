"""Tables 2 and 3 from small untrained models, on heads of ellipsoids: rows, numbers, files."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from ellipsoid_heads import aligned_head, write_head
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.evaluation.slices import table2, table3
from PETAnomalyLib.engine.evaluation.slices.head import HealedHead
from PETAnomalyLib.engine.evaluation.slices.measuring import (
    MeasuredModel,
    parameters_of,
    require_heads_models,
    template_of,
)
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.scoring.postprocessing import postprocessed
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score
from slice_networks import SMALL, slice_network
from tiny_head_bundles import write_tiny_head_bundle

pytestmark = pytest.mark.slow  # each makes tables of its own

Groups = dict[str, tuple[str, range]]
OF_TABLE_2 = {"mass": ("mass", range(3)), "plaques": ("plaques", range(10, 13)),
              "healthy": ("healthy", range(20, 22))}  # fmt: skip
OF_TABLE_3 = {
    "healthy": ("healthy", range(20, 23)),
    "validation: mass": ("mass", range(2)), "mass": ("mass", range(2, 5)),
    "validation: stroke": ("stroke", range(10, 11)), "stroke": ("stroke", range(11, 13)),
}  # fmt: skip


def reconstructed(bundles: list[Bundle], groups: Groups, out: Path) -> list[MeasuredModel]:
    """The models with heads that lie in their frame already."""
    models = []
    for bundle in bundles:
        aligned = {
            group: [aligned_head(kind, seed, bundle.contrast) for seed in seeds]
            for group, (kind, seeds) in groups.items()
        }
        model = MeasuredModel.of(bundle, aligned, out / "reconstructions")
        model.reconstruct(SilentReporter(), 1, (0.0, 1.0), with_no_brains=True)
        models.append(model)
    return models


Made = tuple[list[MeasuredModel], Path, str]


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("table2")
    bundles = [
        write_tiny_head_bundle(folder / "models" / name, family, with_norms=name == "mine")
        for name, family in (("one", "h-tae-s"), ("other", "h-tae-s"), ("mine", "mae"),
                             ("drawn", "vae"))
    ]  # fmt: skip
    models = reconstructed(bundles, OF_TABLE_2, folder)
    text = table2.tabulate(models, ["mass", "plaques"], folder / "out", SilentReporter())
    return models, folder / "out", text


@pytest.fixture(scope="module")
def third(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("table3")
    bundles = [
        write_tiny_head_bundle(folder / "models" / family, family, "T1w")
        for family in ("vae", "vqvae")
    ]
    models = reconstructed(bundles, OF_TABLE_3, folder)
    text = table3.tabulate(models, ["mass", "stroke"], folder / "out", SilentReporter())
    return models, folder / "out", text


Z = "mine, Z-score"


def zscored(model: MeasuredModel, group: str) -> list[HealedHead]:
    """Heads with (residual - mean) / std in place of residuals, from the bundle's own files."""
    assert model.bundle.normative is not None
    mean, std = (sitk.GetArrayFromImage(sitk.ReadImage(str(f))) for f in model.bundle.normative)
    return [replace(head, residual=(head.residual - mean) / std) for head in model.heads(group)()]


def lines_of(out: Path, name: str) -> dict[tuple[str, ...], dict[str, str]]:
    with (out / f"{name}.csv").open(encoding="utf-8") as file:
        return {
            (line["row"], line["part"], line["heads"], line["measure"]): line
            for line in csv.DictReader(file)
        }


def test_table_2_has_the_papers_rows_and_ours(second: Made) -> None:
    _, out, text = second
    rows = json.loads((out / "table2.json").read_text(encoding="utf-8"))["models"]
    assert list(rows) == ["VAE", "H_TAE_S: one", "H_TAE_S: other", "mine"]
    assert text == (out / "table2.md").read_text(encoding="utf-8")
    masses = text.split("## ")[1]
    names = [line.split(" | ")[0].strip("| ") for line in masses.splitlines() if "|" in line][2:]
    assert names == [
        "AE (dense)", "AE (spatial)", "VAE", "VQ-VAE", "B_TAE", "DC_TAE", "SC_TAE", "H_TAE",
        "H_TAE_S: one", "H_TAE_S: other", "Model 1*", "Model 2*", "Model 3*", "mine",
        "mine, Z-score", "intensity", "intensity above the template's",
    ]  # fmt: skip
    assert "| Model 3* | - |  | - |  | - | 0.759 |" in masses
    assert lines_of(out, "table2")["H_TAE_S: one", "pixel", "mass", "auprc"]["paper"] == "0.5086"


@pytest.mark.parametrize(
    ("row", "number", "score_of"),
    [
        ("mine", 2, lambda head: head.residual),
        (Z, 2, lambda head: head.residual),
        ("VAE", 3, lambda head: head.residual),
        ("intensity", None, lambda head: head.image),
        ("intensity above the template's", None, lambda head: head.residual),
    ],
)
def test_table_2s_areas_are_scikit_learns(
    second: Made, row: str, number: int | None, score_of: Callable[[Any], np.ndarray]
) -> None:
    models, out, _ = second
    model = models[number or 0]
    heads = (
        zscored(model, "plaques")
        if row == Z
        else list((model.template_heads if number is None else model.heads)("plaques")())
    )
    score, truth = (np.concatenate(parts) for parts in zip(*(
        (postprocessed(score_of(h), h.brain, 0, 3, 1.0, 0)[h.judged], h.lesions[h.judged])
        for h in heads
    )))  # fmt: skip
    lines = lines_of(out, "table2")
    found = {m: float(lines[row, "pixel", "plaques", m]["value"]) for m in ("auroc", "auprc")}
    assert found["auprc"] == pytest.approx(average_precision_score(truth, score))
    assert found["auroc"] == pytest.approx(roc_auc_score(truth, score))


def test_the_template_stands_in_for_a_reconstruction(second: Made) -> None:
    model = second[0][0]
    for head in model.template_heads("mass")():
        np.testing.assert_allclose(head.reconstruction, template_of(model.bundle), atol=1e-6)
        # The template is the mean of such heads: nearer to them than nothing is.
        assert np.abs(head.residual[head.brain]).mean() < head.image[head.brain].mean() / 3


def test_the_papers_order_is_tested_by_pairs(second: Made) -> None:
    _, out, text = second
    whole = json.loads((out / "table2.json").read_text(encoding="utf-8"))
    claims = {tuple(one["claim"]["key"]): one for one in whole["claims"]
              if one["claim"]["row"] == "H_TAE_S"}  # fmt: skip
    judged = claims["pixel", "mass", "auprc"]
    ours = {f["row"]: f["ours"] for f in whole["figures"]
            if (f["part"], f["heads"], f["measure"]) == ("pixel", "mass", "auprc")
            and f["ours"] and f["row"] in whole["models"]}  # fmt: skip
    best = max(ours, key=lambda row: ours[row]["value"])
    assert judged["holds"] == best.startswith("H_TAE_S")  # of residuals, as the paper's
    assert "holds" in text.split("## The paper's order")[1]
    for test in judged["tests"]:
        first, second_ = (ours[test[name]]["by_study"] for name in ("first", "second"))
        same = np.ptp(np.subtract(first, second_)) == 0
        expected = None if same else stats.ttest_rel(first, second_).pvalue
        assert test["p"] == (expected if expected is None else pytest.approx(expected))
        mean = np.mean(np.subtract(first, second_))
        assert f"| {mean:+.3f} | " in text.split("## The paper's order")[1]
    against = whole["against_plain"]["mass"]
    lines = lines_of(out, "table2")
    areas = {row: float(lines[row, "pixel", "mass", "auprc"]["value"]) for row in (*ours, Z)}
    assert [test["first"] for test in against] == [max(areas, key=areas.__getitem__)] * 2
    assert [test["second"] for test in against] == ["intensity", "intensity above the template's"]


def test_parameters_are_those_of_the_network(second: Made) -> None:
    models, out, text = second
    network = slice_network("mae", SMALL["mae"], (48, 40))
    expected = sum(part.numel() for part in network.parameters() if part.requires_grad)
    assert parameters_of(models[2].bundle) == expected
    assert f"| mine | {expected:,} |" in text
    written = json.loads((out / "table2.json").read_text(encoding="utf-8"))["parameters"]
    assert written["mine"] == expected


def test_a_second_run_reconstructs_nothing_and_says_the_same(second: Made) -> None:
    models, out, text = second
    kept = out.parent / "reconstructions"
    written = {path: path.stat().st_mtime_ns for path in kept.rglob("*.npz")}
    assert len(written) == 4 * (3 + 3 + 2 + 1)
    again = reconstructed([model.bundle for model in models], OF_TABLE_2, out.parent)
    assert {path: path.stat().st_mtime_ns for path in kept.rglob("*")
            if path.is_file()} == written  # fmt: skip
    assert table2.tabulate(again, ["mass", "plaques"], out, SilentReporter()) == text


def test_a_reconstruction_left_short_is_made_again(second: Made) -> None:
    models, out, _ = second
    path = next((out.parent / "reconstructions").glob("mine-*/mass-0*.npz"))
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="damaged"):
        list(models[2].heads("mass")())
    reconstructed([models[2].bundle], OF_TABLE_2, out.parent)
    assert path.read_bytes()[-100:] == whole[-100:]


def test_table_3_has_four_parts_and_more(third: Made) -> None:
    _, out, text = third
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert titles == [
        "## Samples", "## Slices", "## Pixels, median of 3 x 3 (paper: 9 x 9)",
        "## Pixels, median of 3 x 3 (paper: 5 x 5)", "## Errors of reconstruction",
        "## Images that are no brains", "## Parameters", "## The paper's order",
        "## The best model against plain intensity",
    ]  # fmt: skip
    samples = text.split("## Slices")[0]
    assert "| VQGAN | 64 x 128 | - | 0.7564 | - | 0.5984 |\n|  | 64 x 64 | - | 0.8142 |" in samples
    assert "VQGAN" not in text.split("## Images that are no brains")[1].split("## ")[0]
    lines = lines_of(out, "table3")
    assert lines["VQGAN", "sample", "mass", "auroc"]["paper"] == "0.7564"
    assert lines["VAE", "pixel", "stroke", "dice_s"]["paper_spread"] == "0.1841"
    assert (out / "no-brains.png").is_file()


@pytest.mark.parametrize(("row", "number"), [("VAE", 0), ("VQVAE", 1)])
def test_table_3s_samples_and_slices_are_ranked_by_their_error(
    third: Made, row: str, number: int
) -> None:
    models, out, _ = third
    samples, slices = [], []
    for group, anomalous in (("healthy", False), ("stroke", True)):
        for head in models[number].heads(group)():
            means = [
                (np.abs(r)[b].mean(), lesion.any())
                for r, b, lesion in zip(head.residual, head.brain, head.lesions)
                if b.any()
            ]
            samples.append((np.mean([mean for mean, _ in means]), anomalous))
            slices += means if anomalous else []
    lines = lines_of(out, "table3")
    for part, pairs in (("sample", samples), ("slice", slices)):
        score, truth = zip(*pairs)
        found = float(lines[row, part, "stroke", "auroc"]["value"])
        assert found == pytest.approx(roc_auc_score(truth, score)), part


def test_table_3s_threshold_is_of_the_validation_heads(third: Made) -> None:
    _, out, _ = third
    whole = json.loads((out / "table3.json").read_text(encoding="utf-8"))
    assert not set(whole["heads"]["validation: mass"]) & set(whole["heads"]["mass"])
    for kind in ("mass", "stroke"):
        kept = whole["thresholds"]["pixel"][kind]
        assert set(kept) == {"VAE", "VQVAE", "intensity", "darkness",
                             "distance from the template's intensity"}  # fmt: skip
        for found in kept.values():
            assert 0 < found["threshold"] < 1
    # T1w: lesions are dark.
    dice = {
        f["row"]: f["ours"]["value"]
        for f in whole["figures"]
        if f["ours"] and (f["part"], f["heads"], f["measure"]) == ("pixel", "mass", "auprc")
    }
    assert dice["darkness"] > dice["intensity"]  # fmt: skip


def test_json_has_no_numbers_that_json_has_not(second: Made, third: Made) -> None:
    def refuse(name: str) -> float:
        raise AssertionError(name)

    for name, (_, out, _) in (("table2", second), ("table3", third)):
        json.loads((out / f"{name}.json").read_text("utf-8"), parse_constant=refuse)


def test_models_that_no_table_can_be_made_of(
    second: Made, third: Made, tiny_bundles: dict[str, Bundle]
) -> None:
    flair, t1w = second[0][0].bundle, third[0][0].bundle
    assert require_heads_models([flair]) == "FLAIR"
    for bundles, words in (
        ([], "models that you give"),
        ([tiny_bundles["pet"], flair], "is of PET"),
        ([flair, t1w], "is of FLAIR, and 'vae' of T1w"),
        ([flair, flair], "two of the models are named 'one'"),
    ):
        with pytest.raises(InputError, match=words):
            require_heads_models(bundles)


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--table2"], "give --model"),
        (["--cohort", "c", "--model", "m", "--healthy", "h"], "--healthy is for the tables"),
        (["--table2", "--model", "pet-phantom"], "is of PET"),
        (["--table2", "--table3", "--model", "pet-phantom"], "--table3: not allowed with"),
    ],
)
def test_what_the_command_refuses(
    words: list[str], complaint: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", *words, "--out", str(tmp_path / "out")]) == 2
    assert complaint in capfd.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["table2", "table3"])
def test_the_command_makes_the_table_of_heads_as_collections_have_them(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for kind, seeds in (("mass", range(2)), ("stroke", range(10, 12))):
        for seed in seeds:
            write_head(tmp_path / "patients", kind, seed)
    write_head(tmp_path / "healthy", "healthy", 20)
    write_head(tmp_path / "healthy", "mass", 21)  # it is not
    model = write_tiny_head_bundle(tmp_path / "models" / "untrained", "vae", "T1w")
    assert main([
        "evaluate", f"--{name}", "--cohort", str(tmp_path / "patients"),
        "--healthy", str(tmp_path / "healthy"), "--model", str(model.path),
        "--out", str(tmp_path / "out"),
    ]) == 0  # fmt: skip
    said = capfd.readouterr()
    assert said.out == (tmp_path / "out" / f"{name}.md").read_text(encoding="utf-8")
    assert "left out of healthy: it has a lesion" in said.err
    whole = json.loads((tmp_path / "out" / f"{name}.json").read_text(encoding="utf-8"))
    assert {group: len(names) for group, names in whole["heads"].items()} == (
        {"mass": 2, "stroke": 2, "healthy": 1}
        if name == "table2"
        else {"mass": 1, "stroke": 1, "validation: mass": 1, "validation: stroke": 1, "healthy": 1}
    )
