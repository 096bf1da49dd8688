"""Which tokens of a picture are unlikely, and which map a model has."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.evaluation.pictures.picture_models import (
    THRESHOLD,
    UNLIKELY_SHARE,
    _maps,
    _threshold,
)
from PETAnomalyLib.engine.families.vae.network import VAE, VAESizes
from PETAnomalyLib.engine.families.vqgan_performer.performer import Performer, PerformerSizes
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN, VQGANSizes

PICTURES = list(np.random.default_rng(0).random((4, 3, 32, 32), np.float32))


def token_networks(codebook: int) -> dict[str, Any]:
    torch.manual_seed(0)
    vqvae = VQGAN(VQGANSizes((4, 4), codebook, 4, 1, spatial_dims=2, image_channels=3))
    with torch.no_grad():
        vqvae.quantizer.embedding.weight.mul_(0.05)  # as far apart as the encodings are
    sizes = PerformerSizes((8, 8), codebook, 0, layers=1, heads=2, width=8, features=4)
    return {"pet_vqgan": vqvae.eval(), "transformer": Performer(sizes).eval()}


def test_no_more_of_a_models_own_pictures_is_unlikely_than_a_twentieth() -> None:
    networks = token_networks(512)  # 1 / 512 lies under the threshold
    threshold = _threshold(networks, PICTURES)
    assert threshold < THRESHOLD
    under = []
    for picture in PICTURES:
        tokens = networks["pet_vqgan"].tokens(torch.from_numpy(picture)[None]).flatten(1)
        with torch.no_grad():
            p = networks["transformer"](tokens).softmax(-1).gather(-1, tokens[..., None])
        under.append((p < threshold * 0.9999).float().mean())
    assert abs(float(torch.stack(under).mean()) - UNLIKELY_SHARE) <= 1 / 64
    assert _threshold(token_networks(4), PICTURES) == THRESHOLD  # 1 / 4 lies over it


def test_the_map_of_a_vae_is_the_kde_of_its_draws_and_one_a_picture() -> None:
    torch.manual_seed(0)
    vae = VAE(VAESizes(size=(32, 32), channels=(4,), narrow=2, code=4)).eval()
    healer = FAMILIES["vae"].healer()
    of = _maps(healer({"autoencoder": vae}, torch.device("cpu")), 0.0, True)
    found = of(PICTURES[0])
    assert found.shape == (32, 32)
    assert np.array_equal(found, of(PICTURES[0]))
    spoilt = PICTURES[0].copy()
    spoilt[:, 10, 10] = 5.0
    assert of(spoilt)[10, 10] > found.max()
