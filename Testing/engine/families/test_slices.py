"""Healing slice by slice is the network on each slice, whatever the axis and the pieces."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PETAnomalyLib.engine.families import slices
from PETAnomalyLib.engine.families.healer import HealingRequest, Judged
from slice_networks import SMALL, slice_network

SHAPE = (11, 10, 14)
CPU = torch.device("cpu")


def plane(axis: int) -> tuple[int, int]:
    rows, columns = (n for place, n in enumerate(SHAPE) if place != axis)
    return rows, columns


def study() -> Any:
    return np.random.default_rng(0).random(SHAPE, np.float32)


def request(seed: int = 0, **more: Any) -> HealingRequest:
    return HealingRequest(3, 2, seed, 1.0, 3, **more)


def healed(family: str, axis: int = 0, seed: int = 0) -> Any:
    network = slice_network(family, SMALL[family], plane(axis), axis)
    kind = slices.DrawingHealer if family == "vae" else slices.SliceHealer
    healer = kind({"autoencoder": network}, CPU)
    return healer.heal(study(), None, request(seed), lambda _: None).reconstructions


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("family", SMALL)
def test_every_slice_is_reconstructed_by_itself(family: str, axis: int) -> None:
    network = slice_network(family, SMALL[family], plane(axis), axis)
    found = healed(family, axis)
    if family == "vae":
        found = found[:0]  # drawn: the test below
    for reconstruction in found:
        for k in range(SHAPE[axis]):
            image = torch.from_numpy(np.take(study(), k, axis))[None, None]
            with torch.no_grad():
                alone = network(image).images[0, 0]
            assert np.take(reconstruction, k, axis) == pytest.approx(alone.numpy(), abs=1e-5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_draws_are_those_of_the_seed_whatever_the_pieces(
    axis: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = healed("vae", axis, seed=5)
    assert together.shape == (6, *SHAPE)
    assert np.abs(together[0] - together[1]).max() > 1e-4
    assert not np.allclose(healed("vae", axis, seed=6), together, atol=1e-4)
    monkeypatch.setattr(slices, "VOXELS_AT_ONCE", 1)
    assert healed("vae", axis, seed=5) == pytest.approx(together, abs=1e-6)


@pytest.mark.parametrize(("shape", "at_once"), [((144, 68, 88), 21), ((30, 256, 256), 2),
                                                ((9, 1024, 1024), 1)])  # fmt: skip
def test_memory_does_not_grow_with_the_volume(shape: tuple[int, ...], at_once: int) -> None:
    found = list(slices.parts(shape, 0))
    assert [k for part in found for k in range(part.start, part.stop)] == list(range(shape[0]))
    assert found[0] == slice(0, at_once)


def test_slices_of_one_study_have_noise_of_their_own() -> None:
    network = slice_network("vae", SMALL["vae"], plane(0))
    twice = np.repeat(study()[:1], SHAPE[0], 0)
    drawn = slices.DrawnSlices(network, CPU, twice, 2, 0).array()
    assert np.abs(drawn[0, 0] - drawn[0, 1]).max() > 1e-4


def test_it_is_told_how_far_it_is_and_how_well_the_study_is_known() -> None:
    network = slice_network("ae-dense", SMALL["ae-dense"], plane(0))
    healer = slices.SliceHealer({"autoencoder": network}, CPU)
    judged: list[Judged] = []
    shares: list[float] = []
    healing = healer.heal(study(), None, request(on_judged=judged.append), shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    (found,) = judged
    error = np.abs(healing.reconstructions[0] - study())[:4, 4:8, 8:12].mean()
    assert found.error is not None
    assert found.error[0, 1, 2] == pytest.approx(error, rel=1e-5)


def test_cancel_ends_it_between_two_batches() -> None:
    class StoppedError(Exception):
        pass

    def stop(_share: float) -> None:
        raise StoppedError

    network = slice_network("ae-dense", SMALL["ae-dense"], plane(0))
    with pytest.raises(StoppedError):
        slices.SliceHealer({"autoencoder": network}, CPU).heal(study(), None, request(), stop)
