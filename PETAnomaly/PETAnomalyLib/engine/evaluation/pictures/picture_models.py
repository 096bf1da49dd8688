"""Models of pictures from their training runs, and the maps that they make.

A VQ-VAE with a transformer heals the picture and its map is the KDE, as paper 5's is. The threshold
t is 0.01, as paper 1's is, or less where more than 5 % of the tokens of the model's own held-out
training pictures lie under it: a network that is sure of nothing would draw everything anew.
A VAE's map is the KDE of what it draws, an autoencoder's the absolute residual, having one
reconstruction only. Of colour, the map is the mean over the channels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.evaluation.pictures.pixel_metrics import Scores
from PETAnomalyLib.engine.families.healer import Array, HealingRequest
from PETAnomalyLib.engine.families.networks import build_network, load_weights
from PETAnomalyLib.engine.scoring.scoring import score_tiles
from PETAnomalyLib.engine.training.configuration import read_stage
from PETAnomalyLib.engine.training.stage import StageConfiguration

# Measured on nuts, 64 x 64 pixels, AUROC and AUPRO: 0.950 and 0.837 with nothing drawn anew, 0.960
# and 0.857 with t = 0.012, 0.944 and 0.780 with t = 0.12, which 5 % of those tokens lay under.
THRESHOLD = 0.01
UNLIKELY_SHARE = 0.05
SAMPLES, DECODES = 8, 2
MIN_BANDWIDTH = 0.05
"""Of the intensities, 0 to 1: about what a small VQ-VAE cannot reproduce of a texture's grain."""

MapOf = Callable[[Array], Scores]
"""H x W of a picture, C x H x W."""


def token_model(runs: Path, transformer: str, held_out: Sequence[Array]) -> MapOf:
    """The maps of a VQ-VAE and a transformer.

    Args:
        runs: folder of the runs; the transformer's configuration names the VQ-VAE's.
        transformer: name of its run.
        held_out: pictures without a known defect, C x H x W, that no network was trained on.
    """
    family = FAMILIES["vqgan-performer"]
    found = read_stage(runs / transformer / "config.json", "transformer")
    vqvae = found.runs_beside["pet_vqgan"]
    networks = {
        "pet_vqgan": _network(read_stage(runs / vqvae / "config.json", "vqgan"), runs / vqvae),
        "transformer": _network(found, runs / transformer),
    }
    threshold = _threshold(networks, held_out)
    return _maps(family.healer()(networks, torch.device("cpu")), threshold, True)


def slice_model(run: Path, stage: str) -> MapOf:
    """The maps of a family of slices, each channel a slice."""
    found = read_stage(run / "config.json", stage)
    family = found.stage.family
    networks = {family.whole_study: _network(found, run)}
    healer = family.healer()(networks, torch.device("cpu"))
    return _maps(healer, 0.0, family.gives_many_reconstructions)


def _network(configuration: StageConfiguration, run: Path) -> Any:
    sizes = configuration.section.section("sizes").values
    return load_weights(
        build_network(configuration.stage.network, sizes), run / "weights.safetensors"
    )


def _maps(healer: Any, threshold: float, many: bool) -> MapOf:
    request = HealingRequest(SAMPLES, DECODES, 0, threshold, SAMPLES)

    def of(picture: Array) -> Scores:
        healing = healer.heal(picture, None, request, lambda _: None)
        if not many:
            of_channels = np.abs(picture - healing.reconstructions[0])
        else:
            of_channels = score_tiles(
                picture,
                healing.decoded.tiles(lambda _: None),
                scorers=("kde",),
                min_bandwidth=MIN_BANDWIDTH,
                epsilon_percentile=50.0,
                elevated_only=False,
            )["kde"]
        return np.asarray(of_channels.mean(0), np.float32)

    return of


@torch.inference_mode()
def _threshold(networks: dict[str, Any], held_out: Sequence[Array]) -> float:
    found = []
    for picture in held_out:
        image = torch.from_numpy(np.ascontiguousarray(picture, np.float32))[None]
        tokens = networks["pet_vqgan"].tokens(image).flatten(1)
        log_p = torch.log_softmax(networks["transformer"](tokens), -1)
        found.append(log_p.gather(-1, tokens[..., None]).flatten())
    return min(THRESHOLD, math.exp(float(torch.quantile(torch.cat(found), UNLIKELY_SHARE))))
