"""Which slices are laid into the plane, and what is masked in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from ellipsoid_heads import aligned_head, write_head
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.evaluation.slices.latent import (
    layers_of,
    patches_of,
    slices_at,
    slices_with_lesion,
    vectors_of,
)
from PETAnomalyLib.engine.runtime.errors import InputError
from PIL import Image
from slice_networks import SMALL, slice_network
from tiny_head_bundles import write_tiny_head_bundle

ILL, WELL = ([aligned_head(kind, 61, "FLAIR")] for kind in ("mass", "healthy"))


def test_slices_are_those_with_most_lesion_and_others_at_their_places() -> None:
    slices = slices_with_lesion(ILL, 0)
    assert ILL[0].lesions is not None
    amount = (ILL[0].lesions > 0).sum(axis=(1, 2))
    taken = amount[slices.places]
    assert len(taken) == min(10, (amount > 0).sum())
    assert taken.min() >= np.delete(amount, slices.places).max()
    assert np.array_equal(slices.lesions.sum(axis=(1, 2)), taken)
    healthy = slices_at(WELL, 0, slices.places)
    assert np.array_equal(healthy.images, WELL[0].image[slices.places].astype(np.float32))
    with pytest.raises(InputError, match="no head has a lesion"):
        slices_with_lesion(WELL, 0)


def test_a_masked_lesion_is_not_seen() -> None:
    """To the bit: the vector is the same whatever stands in the patches with lesion."""
    slices = slices_with_lesion(ILL, 0)
    network = slice_network("ano-swinmae", SMALL["ano-swinmae"], slices.images.shape[1:])
    hidden = network.voxels(patches_of(network, torch.from_numpy(slices.lesions)))[:, 0].numpy()
    assert hidden[slices.lesions].all()
    assert hidden.sum() < 6 * slices.lesions.sum()
    others = slices_with_lesion(ILL, 0)
    others.images[hidden] = 0.123
    assert np.array_equal(vectors_of(network, slices, True), vectors_of(network, others, True))
    assert not np.array_equal(
        vectors_of(network, slices, False), vectors_of(network, others, False)
    )


def test_each_layer_is_shown_as_the_mean_of_its_channels() -> None:
    slices = slices_with_lesion(ILL, 0)
    size = slices.images.shape[1:]
    network = slice_network("ano-swinmae", {**SMALL["ano-swinmae"], "mask": 8}, size)
    plain, masked = layers_of(network, slices)
    grid = network.grid
    assert [layer.shape for layer in plain.layers] == [grid, (grid[0] // 2, grid[1] // 2)]
    largest = slices.images[slices.lesions.sum(axis=(1, 2)).argmax()]
    assert np.array_equal(plain.images[0], largest)
    under = masked.images[0] != largest
    assert 0 < under.sum() <= 64
    tokens = network.tokens(torch.from_numpy(largest)[None, None])
    nothing = torch.zeros(1, *grid, dtype=torch.bool)
    first = network.encoder[0](network.placed(tokens, nothing))
    assert plain.layers[0] == pytest.approx(first[0].mean(-1).detach().numpy(), abs=1e-5)


@pytest.mark.slow
def test_the_pictures_are_made_by_one_command(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = write_tiny_head_bundle(tmp_path / "models" / "tiny", "ano-swinmae").path
    other = write_tiny_head_bundle(tmp_path / "models" / "other", "vae").path
    for kind in ("mass", "healthy"):
        write_head(tmp_path / kind, kind, 63)
    words = ["evaluate", "--latent", "--cohort", str(tmp_path / "mass"), "--out"]
    words += [str(tmp_path / "out"), "--healthy", str(tmp_path / "healthy"), "--model"]
    assert main([*words, str(other)]) == 2
    assert "family vae, whose layers" in capsys.readouterr().err
    assert main([*words, str(model)]) == 0
    said = capsys.readouterr().out
    assert "| nothing masked |" in said
    assert "| lesions masked |" in said
    for name in ("latent.png", "layers.png"):
        assert Image.open(tmp_path / "out" / name).size[0] > 500
    assert (tmp_path / "out" / "latent.json").is_file()
