"""What holds of every family of slices: sizes and their bounds, gradients, misfits."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.bundles.kinds import FAMILIES, Size
from PETAnomalyLib.engine.families.slice_family import NETWORK
from slice_networks import PAPER_2, SMALL, slice_network


def parameters(network: Any) -> int:
    return sum(p.numel() for p in network.parameters())


@pytest.mark.parametrize("family", SMALL)
@pytest.mark.parametrize("size", [(16, 16), (13, 18)])
def test_a_reconstruction_has_the_size_of_its_slice(family: str, size: tuple[int, int]) -> None:
    network = slice_network(family, SMALL[family], size)
    with torch.no_grad():
        images, penalty = network(torch.rand(3, 1, *size))
    assert images.shape == (3, 1, *size)
    assert penalty.shape == ()
    assert penalty >= 0.0


@pytest.mark.slow
@pytest.mark.parametrize("family", PAPER_2)
def test_the_papers_size_learns(family: str) -> None:
    """One slice of 256 x 256 forward and backward: every parameter has a gradient."""
    network = slice_network(family, PAPER_2[family], (256, 256)).train()
    image = torch.rand(2, 1, 256, 256)
    images, penalty = network(image)
    ((images - image).abs().mean() + penalty).backward()
    unmoved = [name for name, p in network.named_parameters() if p.grad is None]
    assert unmoved == (["quantizer.embedding.weight"] if family == "vq-vae" else [])


@settings(max_examples=8, deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("family", SMALL)
def test_the_bound_is_below_the_number_of_parameters(family: str, data: st.DataObject) -> None:
    kind = FAMILIES[family].networks[NETWORK]
    sizes: dict[str, Any] = {}
    for name, size in kind.sizes.items():
        if name not in SMALL[family]:
            continue
        sizes[name] = data.draw(small_size(size, SMALL[family][name]))
    if "depths" in sizes:
        sizes["heads"] = [sizes["heads"][0]] * len(sizes["depths"])
        sizes["width"] *= sizes["heads"][0]
    elif "heads" in sizes:
        for name in sizes.keys() & {"width", "decoder_width"}:
            sizes[name] *= sizes["heads"]
        sizes["layers"] = 2 * (sizes.get("mergings", 0) + 1) * sizes["layers"]
    plane = data.draw(st.tuples(st.integers(8, 30), st.integers(8, 30)))
    network = slice_network(family, sizes, plane)
    least = kind.least_parameters({**sizes, "size": list(plane)})
    assert parameters(network) / 12 < least <= parameters(network)


def small_size(size: Size, known: Any) -> st.SearchStrategy[Any]:
    if size.length is not None:
        return st.lists(st.integers(1, 9), min_size=size.length[0], max_size=3)
    return st.integers(max(size.low, 1), min(size.high, known + 2))


@pytest.mark.parametrize("family", SMALL)
def test_slices_of_another_size_than_the_frames_are_refused(family: str) -> None:
    sizes = {**SMALL[family], "size": [16, 20]}
    misfit = FAMILIES[family].misfit
    assert misfit({NETWORK: sizes}, (30, 16, 20)) is None
    assert misfit({NETWORK: {**sizes, "axis": 1}}, (16, 30, 20)) is None
    assert misfit({NETWORK: {**sizes, "axis": 2}}, (16, 20, 30)) is None
    assert misfit({NETWORK: sizes}, (16, 20, 30)) == (
        "autoencoder.size", "is [16, 20]; the frame's slices have [20, 30] voxels",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("family", "wrong", "key"),
    [
        ("b-tae", {"heads": 3}, "autoencoder.heads"),
        ("b-tae", {"patch": 1, "size": [129, 128]}, "autoencoder.patch"),
        ("h-tae-s", {"patch": 1, "size": [129, 128]}, "autoencoder.patch"),
        ("sc-tae", {"layers": 3}, "autoencoder.layers"),
        ("dc-tae", {"heads": 3}, "autoencoder.heads"),
        ("h-tae", {"layers": 6}, "autoencoder.layers"),
        ("h-tae-s", {"mergings": 2}, "autoencoder.layers"),
        ("vae", {"upward": [4]}, "autoencoder.upward"),
        ("ano-swinmae", {"heads": [2, 3]}, "autoencoder.heads"),
        ("ano-swinmae", {"heads": [2, 4, 8]}, "autoencoder.heads"),
        ("ano-swinmae", {"patch": 1, "size": [257, 257]}, "autoencoder.patch"),
        ("ano-swinmae", {"hidden_patches": 8}, "autoencoder.hidden_patches"),
        ("ano-swinmae", {"mask": 5}, "autoencoder.mask"),
        ("ano-swinmae", {"mask": 16}, "autoencoder.mask"),
        ("ano-swinmae", {"mask": 2, "size": [66, 66]}, "autoencoder.mask"),
        ("vqgan", {"channels": [4] * 5, "size": [15, 40]}, "autoencoder.channels"),
        ("vqgan", {"channels": [4, 4], "size": [256, 256]}, "autoencoder.channels"),
    ],
)
def test_sizes_that_do_not_go_together_are_refused(
    family: str, wrong: dict[str, Any], key: str
) -> None:
    sizes = {**SMALL[family], "size": [16, 16], **wrong}
    rows, columns = sizes["size"]
    misfit = FAMILIES[family].misfit({NETWORK: sizes}, (8, rows, columns))
    assert misfit is not None
    assert misfit[0] == key
