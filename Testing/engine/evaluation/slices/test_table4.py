"""Table 4 from small untrained models, on heads of ellipsoids: rows, other contrasts, files."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from ellipsoid_heads import aligned_head, write_head
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.evaluation.slices import table4
from PETAnomalyLib.engine.evaluation.slices.measuring import MeasuredModel
from PETAnomalyLib.engine.evaluation.slices.paper4_figures import T1_TO_FLAIR, TABLE_1
from PETAnomalyLib.engine.evaluation.slices.table4_judging import CrossModels, paper_row
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.brain_cohort import find_brain_studies
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.head_cohort import aligned_heads
from tiny_head_bundles import write_tiny_head_bundle

pytestmark = pytest.mark.slow  # each makes tables of its own

MASKS = {"small": 8, "large": 16}  # pixels of 5 mm: 40 and 80 mm
Made = tuple[list[MeasuredModel], list[CrossModels], Path, str]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder = tmp_path_factory.mktemp("table4")
    models = [
        write_tiny_head_bundle(
            folder / "models" / name, "ano-swinmae", "FLAIR", {"mask": edge, "patch": 4}
        )
        for name, edge in MASKS.items()
    ]
    models += [write_tiny_head_bundle(folder / "models" / f, f) for f in ("f-anogan", "b-tae")]
    of_t1w = [
        write_tiny_head_bundle(folder / "models" / f"{name}-t1w", family, "T1w", sizes)
        for name, family, sizes in (("swin", "ano-swinmae", {"mask": 16, "patch": 4}),
                                    ("diffusion", "auto-ddpm", {"stride": 200}))
    ]  # fmt: skip
    groups = {
        "mass": [aligned_head("mass", seed, "FLAIR") for seed in range(3)],
        "plaques": [aligned_head("plaques", 10, "FLAIR")],
        "healthy": [aligned_head("healthy", 20, "FLAIR")],
    }
    shown = {T1_TO_FLAIR.name: [aligned_head("stroke", seed, "FLAIR") for seed in (30,)]}

    def reconstructed(
        bundles: list[Bundle], heads: dict[str, list[AlignedStudy]]
    ) -> list[MeasuredModel]:
        found = [MeasuredModel.of(bundle, heads, folder / "kept") for bundle in bundles]
        for model in found:
            model.reconstruct(SilentReporter(), 1, (0.0, 1.0), with_no_brains=False)
        return found

    measured = reconstructed(models, groups)
    crosses = [CrossModels(T1_TO_FLAIR, reconstructed(of_t1w, shown))]
    text = table4.tabulate(measured, ["mass", "plaques"], crosses, folder / "out", SilentReporter())
    return measured, crosses, folder / "out", text


def lines_of(out: Path) -> dict[tuple[str, ...], dict[str, str]]:
    with (out / "table4.csv").open(encoding="utf-8") as file:
        return {
            (line["row"], line["part"], line["heads"], line["measure"]): line
            for line in csv.DictReader(file)
        }


def test_it_has_the_papers_rows_with_both_masks_and_ours(made: Made) -> None:
    *_, out, text = made
    assert text == (out / "table4.md").read_text(encoding="utf-8")
    masses = text.split("## ")[1]
    names = [line.split(" | ")[0].strip("| ") for line in masses.splitlines() if "|" in line][2:]
    assert names == ["VAE", "f-AnoGAN", "MAE", "autoDDPM", "Ano-swinMAE (32x32)",
                     "Ano-swinMAE (64x64)", "b-tae", "intensity",
                     "distance from the template's intensity"]  # fmt: skip
    rows = json.loads((out / "table4.json").read_text(encoding="utf-8"))["models"]
    assert rows["Ano-swinMAE (32x32)"]["name"] == "small"
    assert rows["Ano-swinMAE (64x64)"]["name"] == "large"
    lines = lines_of(out)
    assert lines["VAE", "pixel", "mass", "dice"]["paper"] == "0.3111"
    assert lines["autoDDPM", "size", "", "parameters"]["paper"] == "18500000.0"
    assert float(lines["Ano-swinMAE (32x32)", "pixel", "plaques", "auprc"]["value"]) > 0


def test_a_model_stands_in_the_row_of_its_masks_size_in_mm(made: Made) -> None:
    small, large, other, _ = (model.bundle for model in made[0])
    for pixel_mm, edges in ((1.0, (32, 32)), (5.0, (32, 64)), (8.0, (64, 64))):
        found = [paper_row(bundle, pixel_mm, TABLE_1) for bundle in (small, large)]
        assert [row.sizes["mask"] for row in found if row] == list(edges)
    row = paper_row(other, 1.0, TABLE_1)
    assert row is not None
    assert row.name == "f-AnoGAN"
    assert paper_row(made[0][3].bundle, 1.0, TABLE_1) is None


def test_models_of_one_contrast_are_judged_on_another(made: Made) -> None:
    _, crosses, out, text = made
    lines = lines_of(out)
    name = T1_TO_FLAIR.name
    for row, paper in (("autoDDPM", "0.3597"), ("Ano-swinMAE (64x64)", "0.3592")):
        line = lines[f"{row}, {name}", "cross", name, "dice"]
        assert line["paper"] == paper
        assert 0 <= float(line["value"]) <= 1
    assert "T1w to FLAIR, 1 heads with hyperintensities (paper: WMH)" in text
    # The directions without a model have the paper's figures alone.
    assert lines["autoDDPM, T1w to T2w", "cross", "T1w to T2w", "dice"]["value"] == ""
    head = next(crosses[0].models[0].heads(name)())
    assert np.array_equal(head.image, aligned_head("stroke", 30, "FLAIR").image)


def test_a_row_without_a_model_stands_once_in_a_direction_that_has_another(
    made: Made, tmp_path: Path
) -> None:
    measured, crosses, *_ = made
    swin = [CrossModels(T1_TO_FLAIR, crosses[0].models[:1])]
    text = table4.tabulate(measured, ["mass"], swin, tmp_path, SilentReporter())
    assert text.count("| autoDDPM, T1w to FLAIR |") == 1
    assert text.count("| Ano-swinMAE (64x64), T1w to FLAIR |") == 1


def test_what_the_paper_says_of_two_models_is_tested_between_them(made: Made) -> None:
    *_, out, text = made
    claims = json.loads((out / "table4.json").read_text(encoding="utf-8"))["claims"]
    cross = [one for one in claims if one["claim"]["key"][0] == "cross"]
    assert [one["claim"]["row"] for one in cross] == ["autoDDPM", "autoDDPM"]
    for one in cross:
        assert [test["second"] for test in one["tests"]] == ["Ano-swinMAE (64x64), T1w to FLAIR"]
        assert one["holds"] == (one["tests"][0]["difference"] >= 0)
    assert "autoDDPM before Ano-swinMAE (64x64): cross, T1w to FLAIR, dice" in text
    first = [one for one in claims if one["claim"]["key"] == ["pixel", "mass", "dice"]]
    assert len(first[0]["tests"]) == 3


def test_masses_are_judged_by_their_intensity_and_healthy_heads_by_what_is_drawn(
    made: Made,
) -> None:
    *_, out, text = made
    lines = lines_of(out)
    row = "Ano-swinMAE (64x64)"
    thirds = [lines[row, "intensity", f"mass, {third}", "auprc"]
              for third in ("hyper", "medium", "low")]  # fmt: skip
    assert all(0 < float(line["value"]) <= 1 for line in thirds)
    whole = json.loads((out / "table4.json").read_text(encoding="utf-8"))
    assert whole["trend"]["mass"][row]["paper"] == 1
    assert len(whole["above_fluid"]["mass"]) == 3
    assert float(lines[row, "healthy", "mass", "drawn_ml"]["value"]) >= 0
    assert "## Drawn in 1 healthy heads" in text


@pytest.mark.slow
def test_seconds_a_slice_are_measured_and_a_second_run_says_the_same(made: Made) -> None:
    models, crosses, out, text = made
    whole = json.loads((out / "table4.json").read_text(encoding="utf-8"))
    assert set(whole["seconds"]) == set(whole["parameters"]) - {
        "autoDDPM, T1w to FLAIR", "Ano-swinMAE (64x64), T1w to FLAIR"
    }  # fmt: skip
    assert all(0 < seconds < 10 for seconds in whole["seconds"].values())
    again = table4.tabulate(models, ["mass", "plaques"], crosses, out, SilentReporter())
    assert again == text


@pytest.mark.slow
def test_a_heads_other_contrast_goes_with_the_one_that_it_is_laid_by(tmp_path: Path) -> None:
    """The FLAIR that lies on the T1w, in the frame of a model of T1w: where the T1w is laid."""
    write_head(tmp_path / "heads", "mass", 3)
    model = write_tiny_head_bundle(tmp_path / "models" / "untrained", "vae", "T1w")
    assert model.template_mask is not None
    both = [
        aligned_heads(
            find_brain_studies(tmp_path / "heads"), "T1w", model.template, model.template_mask,
            model.intensity, tmp_path / "aligned", SilentReporter(), other,
        )[0]
        for other in ("", "FLAIR")
    ]  # fmt: skip
    (lesions, *of_t1w), (same, *of_flair) = (
        (np.asarray(one.lesions), np.asarray(one.brain), one.image) for one in both
    )
    assert np.array_equal(lesions, same)
    assert np.mean(of_t1w[0] == of_flair[0]) > 0.999
    assert of_t1w[1][lesions > 0].mean() < 0.5  # a tumour in T1w
    assert of_flair[1][lesions > 0].mean() > 0.85  # and in FLAIR
    assert len(list((tmp_path / "aligned").glob("*.npz"))) == 2


@pytest.mark.slow
def test_the_command_makes_the_table_of_heads_as_collections_have_them(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for kind, seeds in (("mass", range(3)), ("plaques", range(10, 12))):
        for seed in seeds:
            write_head(tmp_path / "patients", kind, seed)
    models = [
        write_tiny_head_bundle(tmp_path / "models" / contrast, "ano-swinmae", contrast)
        for contrast in ("FLAIR", "T1w")
    ]
    out = tmp_path / "out"
    assert main([
        "evaluate", "--table4", "--cohort", str(tmp_path / "patients"),
        "--model", str(models[0].path), "--model", str(models[1].path), "--out", str(out),
    ]) == 0  # fmt: skip
    said = capfd.readouterr()
    assert said.out == (out / "table4.md").read_text(encoding="utf-8")
    assert "no head with hyperintensities has T1w and FLAIR" in said.err
    whole = json.loads((out / "table4.json").read_text(encoding="utf-8"))
    assert {group: len(names) for group, names in whole["heads"].items()} == (
        {"mass": 3, "plaques": 2, "healthy": 0}
    )
