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

FAMILIES_FOLDER = MODULE / "PETAnomalyLib" / "engine" / "families"
STAGES = {"vae": "vae", "vqvae": "vqvae", "vqgan": "slice-vqgan"}


def paper_3(family: str) -> Path:
    return FAMILIES_FOLDER / family / "configs" / "paper3.json"


@pytest.mark.parametrize(("family", "stage"), STAGES.items())
def test_training_is_as_paper_3_has_it(family: str, stage: str) -> None:
    found = read_stage(paper_3(family), stage)
    assert found.size == (70, 95, 79)
    assert found.contrast == "T1w"
    settings = found.settings
    assert (settings.batch, settings.learning_rate) == (16, 1e-4)
    assert settings.steps == 1200 * 1859 // 16


@pytest.mark.slow
@pytest.mark.parametrize(("family", "stage"), STAGES.items())
def test_the_network_of_paper_3_learns(family: str, stage: str) -> None:
    """Two slices of 95 x 79 forward and backward: every parameter has a gradient."""
    sizes = json.loads(paper_3(family).read_text())[stage]["sizes"]
    network = build_network(FAMILIES[family].networks[NETWORK], sizes).train()
    image = torch.rand(2, 1, 95, 79)
    images, penalty = network(image)
    ((images - image).abs().mean() + penalty).backward()
    assert images.shape == image.shape
    assert [name for name, p in network.named_parameters() if p.grad is None] == []
