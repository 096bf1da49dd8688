"""The VQ-GAN against the paper's description and MONAI's own network."""

from __future__ import annotations

import pytest
import torch
from monai.networks.nets.vqvae import VQVAEResidualUnit
from PETAnomalyLib.engine.families.vqgan_performer.decoding import DecodedLatents
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN, VQGANSizes

TINY = VQGANSizes(channels=(4, 6), codebook=16, code_length=8, residual_blocks=2)


@pytest.fixture
def vqgan() -> VQGAN:
    torch.manual_seed(0)
    return VQGAN(TINY).eval()


def test_the_papers_sizes_give_27_x_21_x_26_tokens() -> None:
    sizes = VQGANSizes(channels=(2, 2, 2), codebook=64, code_length=256, residual_blocks=1)
    with torch.no_grad():
        tokens = VQGAN(sizes).eval().tokens(torch.zeros(1, 1, 216, 168, 208))
    assert tokens.shape == (1, 27, 21, 26)
    assert sizes.stride == 8


def test_a_residual_block_is_3x3x3_then_1x1x1_with_relu_after_each(vqgan: VQGAN) -> None:
    units = [module for module in vqgan.modules() if isinstance(module, VQVAEResidualUnit)]
    assert len(units) == 2 * 2 * 2  # encoder and decoder, two levels, two blocks each
    for unit in units:
        first, second = unit.conv1[0], unit.conv2[0]
        assert isinstance(first, torch.nn.Conv3d)
        assert isinstance(second, torch.nn.Conv3d)
        assert (first.kernel_size, second.kernel_size) == ((3, 3, 3), (1, 1, 1))
        x = torch.randn(1, unit.in_channels, 5, 5, 5)
        with torch.no_grad():
            assert torch.allclose(unit(x), (x + second(first(x).relu())).relu())


def test_there_is_a_single_dropout_and_the_last_layer_follows_it(vqgan: VQGAN) -> None:
    droppers = [m for m in vqgan.modules() if isinstance(m, torch.nn.modules.dropout._DropoutNd)]
    assert {dropper.p for dropper in droppers} <= {0.0}  # MONAI's own are there, but open
    assert isinstance(vqgan.after_dropout.conv, torch.nn.ConvTranspose3d)


def test_every_token_is_the_nearest_code(vqgan: VQGAN) -> None:
    images = torch.rand(1, 1, 8, 8, 8)
    with torch.no_grad():
        encodings = vqgan.encoder(images)[0].flatten(1).T  # tokens x code length
        nearest = torch.cdist(encodings, vqgan.quantizer.embedding.weight).argmin(1)
        assert torch.equal(vqgan.tokens(images).flatten(), nearest)


def test_a_code_stands_for_the_uptake_of_a_token_among_its_like(vqgan: VQGAN) -> None:
    with torch.no_grad():
        found = vqgan.code_uptake()
        for code in range(TINY.codebook):
            image = vqgan.image(vqgan.hidden(torch.full((1, 3, 3, 3), code)))[0, 0]
            assert found[code] == pytest.approx(float(image[4:8, 4:8, 4:8].mean()), abs=1e-6)
    assert found.std() > 0


def test_dropout_keeps_the_mean(vqgan: VQGAN) -> None:
    latents = torch.randint(16, (1, 3, 3, 3), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        plain = vqgan.image(vqgan.hidden(latents))[0, 0]
    decodes = torch.from_numpy(DecodedLatents(vqgan, latents, 2000, 0).array())
    # 2,000 decodes: the standard error of the mean is a 45th of the spread.
    assert (decodes.mean(0) - plain).abs().max() < 5 * decodes.std(0).max() / 2000**0.5
    assert decodes.std(0).min() > 0
