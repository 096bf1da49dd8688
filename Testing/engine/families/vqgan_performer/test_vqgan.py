"""The VQ-GAN against the paper's description and MONAI's own network."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from monai.networks.blocks import Convolution
from monai.networks.nets.vqvae import VQVAE, VQVAEResidualUnit
from PETAnomalyLib.engine.families.vqgan_performer.decoding import DecodedLatents
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import (
    VQGAN,
    Layer,
    ResidualBlock,
    VQGANSizes,
)

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


def monais(sizes: VQGANSizes, ours: VQGAN) -> VQVAE:
    """MONAI's network with the paper's residual blocks, and our weights."""
    levels = len(sizes.channels)
    network = VQVAE(
        spatial_dims=sizes.spatial_dims,
        in_channels=sizes.image_channels,
        out_channels=sizes.image_channels,
        channels=sizes.channels,
        num_res_layers=sizes.residual_blocks,
        num_res_channels=sizes.channels,
        downsample_parameters=((2, 4, 1, 1),) * levels,
        upsample_parameters=((2, 4, 1, 1, 0),) * levels,
        num_embeddings=sizes.codebook,
        embedding_dim=sizes.code_length,
        commitment_cost=0.25,
        decay=0.99,
    )
    for unit in network.modules():
        if isinstance(unit, VQVAEResidualUnit):
            unit.conv2 = Convolution(
                sizes.spatial_dims,
                unit.num_res_channels,
                unit.in_channels,
                kernel_size=1,
                conv_only=True,
            )
    names = {}
    for name, values in ours.state_dict().items():
        part, _, rest = name.partition(".")
        if part == "quantizer":
            names[f"quantizer.quantizer.{rest}"] = values
        elif part == "encoder":
            names[name] = values
        elif part == "before_dropout":
            names[f"decoder.blocks.{rest}"] = values
        else:
            names[f"decoder.blocks.{len(ours.before_dropout)}.{rest}"] = values
    network.load_state_dict(names)
    return network


@settings(max_examples=12, deadline=None)
@given(
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.integers(2, 20),
    st.integers(1, 6),
    st.integers(0, 2),
    st.sampled_from([(3, 1), (2, 1), (2, 3)]),
    st.integers(0, 1000),
)
def test_it_is_monais_network_with_the_papers_residual_blocks(
    channels: list[int],
    codebook: int,
    code_length: int,
    blocks: int,
    kind: tuple[int, int],
    seed: int,
) -> None:
    torch.manual_seed(seed)
    dims, image_channels = kind
    sizes = VQGANSizes(tuple(channels), codebook, code_length, blocks, dims, image_channels)
    ours = VQGAN(sizes).eval()
    theirs = monais(sizes, ours).eval()
    images = torch.rand(2, image_channels, *(8, 16, 8)[:dims])
    with torch.no_grad():
        tokens = ours.tokens(images)
        assert torch.equal(tokens, theirs.index_quantize(images))
        assert torch.equal(ours.image(ours.hidden(tokens)), theirs.decode_samples(tokens))


def test_its_codebook_follows_the_encodings_as_monais_does(vqgan: VQGAN) -> None:
    theirs = monais(TINY, vqgan).train()
    vqgan.train()
    for _ in range(5):
        images = torch.rand(2, 1, 16, 8, 8)
        encodings = vqgan.encoder(images).detach().requires_grad_()
        quantized, commitment, tokens = vqgan.quantizer(encodings)
        (quantized.square().sum() + commitment).backward()
        gradient = encodings.grad
        copy = encodings.detach().requires_grad_()
        expected, loss, indices = theirs.quantizer.quantizer(copy)
        (expected.square().sum() + loss).backward()
        assert torch.allclose(quantized, expected)
        assert torch.allclose(commitment, loss)
        assert torch.equal(tokens, indices)
        assert torch.allclose(gradient, copy.grad)
    for name, values in theirs.quantizer.quantizer.state_dict().items():
        assert torch.allclose(vqgan.quantizer.state_dict()[name], values), name


def test_a_residual_block_is_3x3x3_then_1x1x1_with_relu_after_each(vqgan: VQGAN) -> None:
    blocks = [module for module in vqgan.modules() if isinstance(module, ResidualBlock)]
    assert len(blocks) == 2 * 2 * 2  # encoder and decoder, two levels, two blocks each
    for block in blocks:
        first, second = block.conv1.conv, block.conv2.conv
        assert isinstance(first, torch.nn.Conv3d)
        assert isinstance(second, torch.nn.Conv3d)
        assert (first.kernel_size, second.kernel_size) == ((3, 3, 3), (1, 1, 1))
        x = torch.randn(1, first.in_channels, 5, 5, 5)
        with torch.no_grad():
            assert torch.allclose(block(x), (x + second(first(x).relu())).relu())


def test_the_dropout_is_ours_alone_and_the_last_layer_follows_it(vqgan: VQGAN) -> None:
    assert not any(isinstance(m, torch.nn.modules.dropout._DropoutNd) for m in vqgan.modules())
    assert isinstance(vqgan.after_dropout, Layer)
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
