"""The configurations of the papers' own sizes build networks that learn."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.families.networks import build_network
from PETAnomalyLib.engine.families.slice_family import NETWORK
from PETAnomalyLib.engine.training.configuration import read_stage
from repository import MODULE
from slice_networks import PAPER_2

FAMILIES_FOLDER = MODULE / "PETAnomalyLib" / "engine" / "families"
PAPER_3_STAGES = {"vae": "vae", "vqvae": "vqvae", "vqgan": "slice-vqgan"}
LEARNT = [*((family, "paper3", stage) for family, stage in PAPER_3_STAGES.items()),
          *((family, "paper4", family)
            for family in ("vae", "f-anogan", "auto-ddpm", "ano-swinmae"))]  # fmt: skip


def configuration(family: str, paper: str) -> Path:
    return FAMILIES_FOLDER / family.replace("-", "_") / "configs" / f"{paper}.json"


@pytest.mark.parametrize(("family", "stage"), PAPER_3_STAGES.items())
def test_training_is_as_paper_3_has_it(family: str, stage: str) -> None:
    found = read_stage(configuration(family, "paper3"), stage)
    assert found.size == (70, 95, 79)
    assert found.contrast == "T1w"
    settings = found.settings
    assert (settings.batch, settings.learning_rate) == (16, 1e-4)
    assert settings.steps == 1200 * 1859 // 16


@pytest.mark.parametrize("family", PAPER_2)
def test_training_is_as_paper_2_has_it(family: str) -> None:
    found = read_stage(configuration(family, "paper2"), family)
    assert found.size[1:] == (256, 256)
    assert found.contrast == "FLAIR"
    settings = found.settings
    assert (settings.batch, settings.learning_rate, settings.error) == (12, 1e-5, "absolute")
    assert settings.steps == 50 * 16896 // 12
    sizes = found.section.section("sizes").values
    assert sizes == {"size": [256, 256], **PAPER_2[family]}


@pytest.mark.parametrize(
    ("family", "contrast", "stage"),
    [
        *((family, "FLAIR", family) for family in PAPER_2),
        *((family, "T1w", stage) for family, stage in PAPER_3_STAGES.items()),
        *(
            (family, contrast, family)
            for family in ("f-anogan", "mae", "auto-ddpm")
            for contrast in ("FLAIR", "T2w")
        ),
        ("vae", "T2w", "vae"),
        ("auto-ddpm", "T1w", "auto-ddpm"),
    ],
)
def test_the_smaller_ones_are_of_slices_of_128_x_128(
    family: str, contrast: str, stage: str
) -> None:
    name = contrast.lower()
    found = read_stage(configuration(family, name), stage)
    assert found.size == (96, 128, 128)
    assert found.contrast == contrast
    folder = configuration(family, name).parents[1] / "bundles"
    settings = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
    assert (settings["family"], list(settings["networks"])) == (family, [NETWORK])
    assert settings["postprocessing"].get("darker_too", False) is (contrast == "T1w")
    assert (folder / settings["card"]).is_file()


@pytest.mark.parametrize(
    ("family", "phases", "millions"),
    [
        ("vae", 1, 4.96),
        ("f-anogan", 2, 5.56),
        ("auto-ddpm", 1, 18.50),
        ("ano-swinmae", 1, 26.63),  # the paper: 26.10
    ],
)
def test_training_and_size_are_as_paper_4_has_them(
    family: str, phases: int, millions: float
) -> None:
    found = read_stage(configuration(family, "paper4"), family)
    assert found.contrast == "T2w"
    assert found.settings.learning_rate == 1e-3
    assert found.settings.steps == round(phases * 400 * 580 / 24)
    sizes = found.section.section("sizes").values
    network = build_network(FAMILIES[family].networks[NETWORK], sizes)
    assert round(sum(p.numel() for p in network.parameters()) / 1e6, 2) == millions


@pytest.mark.slow
@pytest.mark.parametrize(("family", "paper", "stage"), LEARNT)
def test_the_network_of_a_papers_size_learns(family: str, paper: str, stage: str) -> None:
    """Two slices forward and backward: every parameter has a gradient."""
    sizes = json.loads(configuration(family, paper).read_text())[stage]["sizes"]
    network = build_network(FAMILIES[family].networks[NETWORK], sizes).train()
    image = torch.rand(2, 1, *sizes["size"])
    images, penalty = network(image)
    ((images - image).abs().mean() + penalty).backward()
    assert images.shape == image.shape
    assert [name for name, p in network.named_parameters() if p.grad is None] == []


@pytest.mark.parametrize("contrast", ["FLAIR", "T2w"])
@pytest.mark.parametrize(
    ("bundle", "mask_mm", "erosion", "kept"), [("", 60, 3, 2), ("-plaques", 36, 1, 7)]
)
def test_objects_are_as_paper_4_has_them(
    contrast: str, bundle: str, mask_mm: float, erosion: int, kept: int
) -> None:
    name = contrast.lower()
    found = read_stage(configuration("ano-swinmae", name), "ano-swinmae")
    assert (found.contrast, found.size) == (contrast, (96, 128, 128))
    folder = configuration("ano-swinmae", name).parents[1] / "bundles"
    texts = json.loads((folder / f"{name}{bundle}.json").read_text(encoding="utf-8"))
    chosen = texts.get("sizes", {NETWORK: {}})[NETWORK]
    sizes = {**found.section.section("sizes").values, **chosen}
    assert FAMILIES["ano-swinmae"].misfit({NETWORK: sizes}, found.size) is None
    assert sizes["mask"] * 1.5 == mask_mm
    objects = texts["postprocessing"]["objects"]
    assert (objects["eroded_edge"], objects["kept"]) == (erosion, kept)
    assert (objects["threshold"], objects["dilated_edge"], objects["classes"]) == (0.5, 3, 5)
    assert texts["thresholds"]["scorers"] == {"residual": 0.5}
    assert (folder / texts["card"]).is_file()
