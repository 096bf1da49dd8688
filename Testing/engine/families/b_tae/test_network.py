"""Patches to tokens and back, and what attention sees."""

from __future__ import annotations

import torch
from slice_networks import PAPER_2, SMALL, slice_network


def test_paper_2s_tokens_are_256_of_96_numbers() -> None:
    network = slice_network("b-tae", PAPER_2["b-tae"], (256, 256))
    assert network.embed(torch.zeros(1, 1, 256, 256)).shape == (1, 256, 96)


def test_a_token_is_the_projection_of_its_patch() -> None:
    network = slice_network("b-tae", SMALL["b-tae"], (12, 16))
    image = torch.rand(1, 1, 12, 16)
    weight, bias = network.embed.project.weight, network.embed.project.bias
    with torch.no_grad():
        tokens = network.embed(image) - network.embed.places
    for number in range(12):
        row, column = divmod(number, 4)
        patch = image[0, 0, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
        assert torch.allclose(
            tokens[0, number], (weight[:, 0] * patch).sum((1, 2)) + bias, atol=1e-5
        )


def test_tokens_go_back_to_where_their_patches_were() -> None:
    network = slice_network("b-tae", SMALL["b-tae"], (12, 16))
    tokens = torch.zeros(1, 12, 8)
    tokens[0, 6] = 1.0
    with torch.no_grad():
        bias = network.to_image(torch.zeros(1, 12, 8), (12, 16))
        image = network.to_image(tokens, (12, 16)) - bias
    touched = image[0, 0].abs() > 0
    assert bool(touched[4:8, 8:12].any())
    touched[4:8, 8:12] = False
    assert not bool(touched.any())


def test_every_patch_is_seen_from_every_other() -> None:
    network = slice_network("b-tae", SMALL["b-tae"], (12, 16))
    image = torch.rand(1, 1, 12, 16)
    changed = image.clone()
    changed[..., :4, :4] += 3.0
    with torch.no_grad():
        difference = (network(changed).images - network(image).images).abs()[0, 0]
    for row in range(3):
        for column in range(4):
            assert difference[4 * row : 4 * row + 4, 4 * column : 4 * column + 4].max() > 1e-6
