"""The VQ-GAN against the paper's description and MONAI's own network."""

from __future__ import annotations

import pytest
import torch
from monai.networks.nets.vqvae import VQVAEResidualUnit
from PETAnomalyLib.engine.decoding import decode, dropout_generator
from PETAnomalyLib.engine.networks.vqgan import DROPOUT, VQGAN, VQGANSizes

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
    hidden = torch.ones(1, 4, 4, 4, 4)
    with torch.no_grad():
        outputs = {vqgan.image(hidden, dropout_generator(0, 0, k)).sum().item() for k in range(4)}
    assert len(outputs) == 4


def test_every_token_is_the_nearest_code(vqgan: VQGAN) -> None:
    images = torch.rand(1, 1, 8, 8, 8)
    with torch.no_grad():
        encodings = vqgan.encoder(images)[0].flatten(1).T  # tokens x code length
        nearest = torch.cdist(encodings, vqgan.quantizer.embedding.weight).argmin(1)
        assert torch.equal(vqgan.tokens(images).flatten(), nearest)


def test_dropout_keeps_the_mean_and_drops_the_papers_share(vqgan: VQGAN) -> None:
    hidden = torch.rand(1, 4, 6, 6, 6)
    with torch.no_grad():
        plain = vqgan.image(hidden)
        decodes = torch.stack(
            [vqgan.image(hidden, dropout_generator(0, 0, k)) for k in range(2000)]
        )
    assert DROPOUT == 0.05
    # 2,000 decodes: the standard error of the mean is a 45th of the spread.
    assert (decodes.mean(0) - plain).abs().max() < 5 * decodes.std(0).max() / 2000**0.5


def test_k_decodes_of_n_latents_are_those_of_whole_decoding_one_by_one(vqgan: VQGAN) -> None:
    latents = torch.randint(16, (3, 2, 2, 2), generator=torch.Generator().manual_seed(0))
    latents[1] = latents[0]
    with torch.no_grad():
        found = decode(vqgan, latents, decodes=2, seed=5)
        for i in range(3):
            for k in range(2):
                generator = dropout_generator(5, i, k)
                expected = vqgan.image(vqgan.hidden(latents[i : i + 1]), generator)
                assert torch.equal(torch.from_numpy(found[2 * i + k]), expected[0, 0])


def test_dropout_streams_differ_by_seed_sample_and_decode() -> None:
    first = {
        torch.rand(1, generator=dropout_generator(*key)).item()
        for key in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))
    }
    assert len(first) == 4
