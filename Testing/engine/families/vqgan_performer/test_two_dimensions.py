"""The family in two dimensions: the same equations, forms and masking rounds as in three."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.families.healer import HealingRequest
from PETAnomalyLib.engine.families.vqgan_performer.decoding import DecodedLatents
from PETAnomalyLib.engine.families.vqgan_performer.dropout import DROPOUT, drop, dropout_key
from PETAnomalyLib.engine.families.vqgan_performer.encoded_studies import EncodedStudies, Encoder
from PETAnomalyLib.engine.families.vqgan_performer.healer import VQGANPerformerHealer
from PETAnomalyLib.engine.families.vqgan_performer.overlap import overlap_add, tap_weights
from PETAnomalyLib.engine.families.vqgan_performer.performer import (
    Performer,
    PerformerSizes,
    known_neighbours,
    neighbour_positions,
)
from PETAnomalyLib.engine.families.vqgan_performer.token_grids import moved, token_grids
from PETAnomalyLib.engine.families.vqgan_performer.train_transformer import (
    TransformerSettings,
    train_transformer,
)
from PETAnomalyLib.engine.families.vqgan_performer.train_vqgan import _start_codes
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN, VQGANSizes
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.checkpoint import Run
from tiny_training import Interrupted, read_log

COLOUR = VQGANSizes(
    channels=(4, 6), codebook=16, code_length=5, residual_blocks=1, spatial_dims=2, image_channels=3
)
GREY = VQGANSizes(channels=(4,), codebook=16, code_length=5, residual_blocks=1)
GRIDS = {2: (6, 7), 3: (5, 6, 7)}


def strong(vqgan: VQGAN) -> VQGAN:
    """With weights as large as after training: margins and codes must matter."""
    with torch.no_grad():
        for parameter in vqgan.parameters():
            parameter.mul_(1.5)
    return vqgan.eval()


def colour_vqvae() -> VQGAN:
    torch.manual_seed(0)
    return strong(VQGAN(COLOUR))


@torch.no_grad()
def test_the_last_layer_is_the_transposed_convolution_of_every_channel() -> None:
    layer = torch.nn.ConvTranspose2d(5, 3, 4, stride=2, padding=1, bias=False)
    hidden = torch.rand(1, 5, 4, 6)
    taps = (tap_weights(layer.weight) @ hidden[0].flatten(1)).view(3, 16, 4, 6)
    found = torch.stack([overlap_add(of_channel) for of_channel in taps])
    assert torch.allclose(found, layer(hidden)[0], atol=1e-6)


@torch.no_grad()
@pytest.mark.parametrize("memory", [1e9, 3e4])
def test_tiles_of_colour_pictures_on_moved_grids_are_the_whole_reconstructions(
    memory: float,
) -> None:
    vqvae, seed, decodes = colour_vqvae(), 3, 2
    generator = torch.Generator().manual_seed(1)
    latents = torch.randint(16, (3, 9, 6), generator=generator)
    latents[1] = latents[0]
    latents[1, 2, 3] = 7
    shifts = [(0, 0), (0, 0), (2, 1)]
    decoded = DecodedLatents(vqvae, latents, decodes, seed, memory, shifts)
    assert decoded.shape == (3, 36, 24)
    whole = decoded.array()
    for sample, decode in itertools.product(range(3), range(decodes)):
        hidden = vqvae.hidden(latents[sample : sample + 1])
        pixels = hidden[0].flatten(1).T
        positions = torch.arange(len(pixels), dtype=torch.int32)
        kept = drop(pixels, positions, dropout_key(seed, sample, decode)) / (1 - DROPOUT)
        image = vqvae.image(kept.T.reshape(hidden.shape))[0].numpy()
        # Seen from where the grid begins, what lies before it is its first row or column.
        for axis, steps in enumerate(shifts[sample], start=1):
            size = image.shape[axis]
            image = image.take((np.arange(size) - steps).clip(0, size - 1), axis)
        found = whole[sample * decodes + decode]
        assert np.allclose(found, image, atol=1e-5), (sample, decode)


def test_known_neighbours_come_before_the_token_in_raster_order() -> None:
    grid = (5, 6)
    offsets = known_neighbours(2)
    assert {(-1, -1), (-1, 0), (-1, 1), (0, -1), (-2, 0), (0, -2)} == set(offsets)
    for i, row in enumerate(neighbour_positions(grid, offsets).tolist()):
        for position, (dy, dx) in zip(row, offsets):
            y, x = i // 6 + dy, i % 6 + dx
            assert position == (y * 6 + x if 0 <= y < 5 and 0 <= x < 6 else -1) < i


@torch.no_grad()
def test_the_two_forms_agree() -> None:
    performer = Performer(PerformerSizes((9, 10), 16, 0, layers=2, heads=2, width=16, features=8))
    tokens = torch.randint(16, (2, 90))
    whole = performer.eval()(tokens)
    conditioning, states, parts = performer.condition(None, 2), None, []
    for start, stop in itertools.pairwise([0, 1, 7, 64, 90]):
        logits, states = performer.advance(tokens, conditioning, states, start, stop)
        parts.append(logits)
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-5)


def test_dropout_changes_training_alone_and_no_names_of_weights() -> None:
    sizes = PerformerSizes((4, 5), 16, 0, layers=1, heads=2, width=16, features=8)
    plain, dropping = Performer(sizes), Performer(sizes, dropout=0.5)
    dropping.load_state_dict(plain.state_dict())
    tokens = torch.randint(16, (1, 20))
    assert torch.equal(plain.train()(tokens), plain.eval()(tokens))
    assert torch.equal(plain(tokens), dropping.eval()(tokens))
    torch.manual_seed(0)
    assert not torch.equal(dropping.train()(tokens), plain(tokens))


def test_the_four_grids_of_a_picture_are_half_a_token_apart() -> None:
    grids = token_grids(8, 4, spatial_dims=2)
    assert [samples for _, samples in grids] == [2, 2, 2, 2]
    shifts = {shift for shift, _ in grids}
    assert shifts == {(0, 0), (2, 2), (2, 0), (0, 2)}
    picture = np.random.default_rng(0).random((3, 8, 8), np.float32)
    assert np.array_equal(moved(picture, (2, 0))[:, :-2], picture[:, 2:])


def test_a_picture_is_healed_the_same_with_the_same_seed_and_all_of_it_is_judged() -> None:
    torch.manual_seed(0)
    networks = {
        "pet_vqgan": colour_vqvae(),
        "transformer": Performer(
            PerformerSizes((6, 8), 16, 0, layers=1, heads=2, width=16, features=8)
        ).eval(),
    }
    picture = np.random.default_rng(1).random((3, 24, 32), np.float32)
    healer = VQGANPerformerHealer(networks, torch.device("cpu"))
    judged: list[Any] = []
    request = HealingRequest(4, 2, 5, 0.06, 4, on_judged=judged.append)
    first, second = (healer.heal(picture, None, request, lambda _: None) for _ in range(2))
    assert first.reconstructions.shape == (8, 3, 24, 32)
    assert np.array_equal(first.reconstructions, second.reconstructions)
    assert judged[0].body.all()
    assert judged[0].error.shape == (6, 8)


def pictures(count: int, dims: int) -> list[AlignedStudy]:
    random = np.random.default_rng(0)
    shape = (3, 24, 28) if dims == 2 else (10, 12, 14)
    return [
        AlignedStudy(f"p{n}", random.random(shape).astype(np.float16), None, None)
        for n in range(count)
    ]


def trained(
    folder: Path, dims: int, rounds: tuple[float, ...], reporter: SilentReporter, steps: int = 6
) -> dict[str, torch.Tensor]:
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    vqgan = VQGAN(COLOUR if dims == 2 else GREY)
    some = torch.from_numpy(np.stack([one.image for one in pictures(3, dims)])).float()
    _start_codes(vqgan, some if dims == 2 else some[:, None])
    encoder = Encoder(vqgan.eval(), folder.parent / "tokens")
    sizes = PerformerSizes(GRIDS[dims], 16, 0, layers=1, heads=2, width=16, features=8)
    settings = TransformerSettings(
        sizes, steps, variants=2, hidden_share=0.3, masking_rounds=rounds,
        masking_threshold=0.06, dropout=0.1,
    )  # fmt: skip
    training, validation = (EncodedStudies(pictures(n, dims), encoder, None, 2) for n in (3, 1))
    run = Run(folder, steps, None, Fabric(accelerator="cpu", devices=1))
    resume = (folder / "checkpoint.pt").exists()
    return dict(
        train_transformer(settings, training, validation, run, resume, reporter).state_dict()
    )


@pytest.mark.parametrize("dims", [2, 3])
def test_masking_rounds_mark_unlikely_tokens_in_two_dimensions_and_in_three(
    tmp_path: Path, dims: int
) -> None:
    masked = trained(tmp_path / "masked", dims, (0.5,), SilentReporter())
    plain = trained(tmp_path / "plain", dims, (), SilentReporter())
    marked = [entry["marked"] for entry in read_log(tmp_path / "masked") if "marked" in entry]
    # An untrained network finds nearly all of 16 codes at about 1/16: many lie under 0.06.
    assert marked[:3] == [0.0, 0.0, 0.0]
    assert all(0.0 < share < 1.0 for share in marked[3:])
    assert any(not torch.equal(masked[name], plain[name]) for name in masked)


def test_a_training_with_dropout_and_masking_that_was_stopped_ends_as_one_that_was_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("PETAnomalyLib.engine.training.checkpoint.SAVE_EVERY", 2)
    whole = trained(tmp_path / "whole", 2, (0.3,), SilentReporter())
    with pytest.raises(Exception, match="stopped by the test"):
        trained(tmp_path / "parts", 2, (0.3,), Interrupted(after=4))
    parts = trained(tmp_path / "parts", 2, (0.3,), SilentReporter())
    assert all(torch.equal(whole[name], parts[name]) for name in whole)


@pytest.mark.parametrize(
    ("changes", "key"),
    [
        ({"image_channels": 1}, "pet_vqgan.image_channels"),
        ({"spatial_dims": 3}, "pet_vqgan.image_channels"),
        ({"channels": [8, 8]}, "transformer.grid"),
    ],
)
def test_sizes_that_do_not_fit_pictures_are_refused(changes: dict[str, Any], key: str) -> None:
    vqvae = {"spatial_dims": 2, "image_channels": 3, "channels": [8], "codebook": 4,
             "code_length": 3, **changes}  # fmt: skip
    transformer = {"grid": [8, 8], "codebook": 4, "context_codebook": 0, "width": 8}
    misfit = FAMILIES["vqgan-performer"].misfit
    networks = {"pet_vqgan": vqvae, "transformer": transformer}
    found = misfit(networks, (3, 16, 16))
    assert found is not None
    assert found[0] == key
    assert misfit({**networks, "pet_vqgan": {**vqvae, "spatial_dims": 2, "image_channels": 3,
                                             "channels": [8]}}, (3, 16, 16)) is None  # fmt: skip


def test_no_bundle_of_pictures_passes_for_one_of_volumes() -> None:
    """A frame has eight slices at least, a picture three channels at most."""
    networks = json.loads(
        '{"pet_vqgan": {"spatial_dims": 2, "image_channels": 3, "channels": [8], "codebook": 4,'
        '"code_length": 3}, "transformer": {"grid": [8, 8], "codebook": 4, "context_codebook": 0}}'
    )
    assert FAMILIES["vqgan-performer"].misfit(networks, (8, 16, 16)) is not None


@torch.no_grad()
def test_pictures_that_are_nearly_all_one_colour_begin_with_many_codes_and_at_their_mean() -> None:
    """As leather: what its pixels vary by is a hundredth of the square of its colour."""
    torch.manual_seed(0)
    colour = torch.tensor([0.55, 0.36, 0.22])[:, None, None]
    images = colour + 0.03 * torch.randn(4, 3, 16, 16)
    vqvae = VQGAN(COLOUR)
    _start_codes(vqvae, images)
    reconstruction, _, tokens = vqvae.eval()(images)
    assert float((reconstruction - images).square().mean()) < 1.3 * 0.03**2
    assert len(tokens.unique()) > COLOUR.codebook // 2
