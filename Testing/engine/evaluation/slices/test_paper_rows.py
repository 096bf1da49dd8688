"""Which model stands in which row of papers 2 and 3."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from PETAnomalyLib.engine import families  # noqa: F401 - enters every family
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.evaluation.slices.paper2_figures import TABLE_2, TUNING
from PETAnomalyLib.engine.evaluation.slices.paper3_figures import TABLE_4_3, TABLES_5
from PETAnomalyLib.engine.evaluation.slices.paper_rows import (
    PaperRow,
    Printed,
    row_of_these_sizes,
    rows_of,
)
from repository import MODULE


def a_model(name: str, family: str, **sizes: object) -> Bundle:
    return Bundle(
        path=Path(name), name=name, title=name, manifest={}, weights={}, template=Path(),
        healer={"family": family, "autoencoder": sizes}, size_voxels=(1, 1, 1),
        spacing_mm=(1, 1, 1), intensity={}, thresholds={}, scorers=("residual",), ct="unused",
        samples=1, decodes=1, min_volume_ml=0, sha256=name,
    )  # fmt: skip


def test_every_row_of_paper_2_has_its_place_with_a_model_or_without() -> None:
    rows = rows_of([a_model("mine", "h-tae-s", layers=4, patch=4, heads=4)], TABLE_2, TUNING)
    assert [row.name for row in rows] == [
        "AE (dense)", "AE (spatial)", "VAE", "VQ-VAE", "B_TAE", "DC_TAE", "SC_TAE", "H_TAE",
        "H_TAE_S", "Model 1*", "Model 2*", "Model 3*",
    ]  # fmt: skip
    assert [row.name for row in rows if row.model] == ["H_TAE_S"]
    assert str(rows[8].printed(("pixel", "mass", "auprc"))) == "0.5086"
    assert str(rows[5].printed(("pixel", "plaques", "dice_of_slices"))) == "0.1728 ± 0.2971"
    assert str(rows[11].printed(("pixel", "mass", "dice_of_slices"))) == "0.759"
    assert rows[11].printed(("pixel", "mass", "auroc")) is None


def test_variants_of_a_family_stand_beside_each_other_with_the_figures_of_their_sizes() -> None:
    models = [
        a_model("small", "dc-tae", layers=2, patch=16, heads=8),
        a_model("paper", "dc-tae", layers=12, patch=16, heads=8),
        a_model("tuned", "dc-tae", layers=8, patch=8, heads=8),
        a_model("strange", "mae"),
    ]
    rows = [row for row in rows_of(models, TABLE_2, TUNING) if row.model]
    assert [row.name for row in rows] == [
        "DC_TAE: small", "DC_TAE: paper", "DC_TAE 8/8/8", "strange"
    ]  # fmt: skip
    printed = [row.printed(("pixel", "mass", "auprc")) for row in rows]
    assert [None if one is None else one.value for one in printed] == [0.4250, 0.4250, 0.5193, None]


def test_a_model_of_paper_3_stands_where_its_codes_are() -> None:
    models = [
        a_model("v", "vae", code=256),
        a_model("q", "vqvae", code_length=32, codebook=32),
    ]
    rows = rows_of(models, TABLES_5)
    assert [(row.name, row.model and row.model.name) for row in rows] == [
        ("VAE", "v"), ("VQVAE", "q"), ("VQGAN", None), ("VQGAN", None)
    ]  # fmt: skip
    total = ("pixel", "mass", "dice_t")
    assert [row.printed(total) for row in rows] == [
        Printed(0.2434), Printed(0.1824), Printed(0.2730), Printed(0.2587)
    ]  # fmt: skip
    assert [row.paper.size for row in rows if row.paper] == ["256", "256 x 128", "64 x 128",
                                                             "64 x 64"]  # fmt: skip


def test_parameters_are_those_of_just_these_sizes() -> None:
    same = row_of_these_sizes(a_model("q", "vqvae", code_length=128, codebook=256), TABLE_4_3)
    assert same is not None
    assert same.figures["size", "", "parameters"].value == 1_022_209
    assert (
        row_of_these_sizes(a_model("q", "vqvae", code_length=64, codebook=256), TABLE_4_3) is None
    )


@pytest.mark.parametrize("row", [*TABLE_2, *TUNING, *TABLES_5, *TABLE_4_3], ids=lambda r: r.name)
def test_rows_name_families_and_sizes_that_there_are(row: PaperRow) -> None:
    if not row.family or row.family not in FAMILIES:
        return
    [kind] = FAMILIES[row.family].networks.values()
    assert set(row.sizes) <= set(kind.sizes)


def test_the_means_of_the_paper_are_those_that_its_text_has() -> None:
    """Section 5.2: averages of both data sets, and SSIM above the best others by some percent."""
    figures = {row.name: row.figures for row in TABLE_2}

    def mean(name: str, measure: str) -> float:
        values = [figures[name]["pixel", kind, measure].value for kind in ("mass", "plaques")]
        return sum(values) / 2

    assert mean("DC_TAE", "dice_of_slices") == pytest.approx(0.337, abs=6e-4)
    assert mean("H_TAE_S", "dice_of_slices") == pytest.approx(0.339, abs=6e-4)
    assert mean("DC_TAE", "auprc") == pytest.approx(0.313, abs=1e-3)
    assert mean("H_TAE_S", "auprc") == pytest.approx(0.264, abs=1e-3)
    ssim = {name: found[key].value for name, found in figures.items()
            if (key := ("fidelity", "healthy", "ssim")) in found}  # fmt: skip
    assert ssim["H_TAE_S"] - ssim["AE (spatial)"] == pytest.approx(0.0543)
    assert ssim["SC_TAE"] - ssim["VAE"] == pytest.approx(0.1023)


def test_no_logic_asks_for_a_family_by_name() -> None:
    data = {f"paper{number}_figures.py" for number in (2, 3, 4)}
    for path in (MODULE / "PETAnomalyLib" / "engine" / "evaluation" / "slices").glob("*.py"):
        if path.name not in data:
            words = {
                node.value
                for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(node, ast.Constant)
            }
            assert not words & set(FAMILIES), path.name
