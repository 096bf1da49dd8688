"""Healing on several token grids: where they lie, and what they make of a study."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.families.healer import HealingRequest
from PETAnomalyLib.engine.families.networks import build_healer, build_network, load_weights
from PETAnomalyLib.engine.families.vqgan_performer import kind
from PETAnomalyLib.engine.families.vqgan_performer.decoding import DecodedLatents
from PETAnomalyLib.engine.families.vqgan_performer.token_grids import (
    UNMOVED,
    Shift,
    moved,
    seen_from,
    token_grids,
)
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN

STRIDE = 4


@given(st.integers(1, 200), st.sampled_from([2, 4, 8]))
def test_every_sample_has_a_grid_and_no_grid_more_than_one_sample_above_another(
    samples: int, stride: int
) -> None:
    grids = token_grids(samples, stride)
    shares = [share for _, share in grids]
    assert sum(shares) == samples
    assert max(shares) - min(shares) <= 1
    assert min(shares) >= 1
    assert grids[0] == (UNMOVED, max(shares))


def test_the_middles_of_the_tokens_lie_half_a_token_apart() -> None:
    """Face-centred: the nearest middle of another grid is half a token off along two axes."""
    shifts = [np.array(shift) for shift, _ in token_grids(4, STRIDE)]
    for n, one in enumerate(shifts):
        for other in shifts[:n]:
            apart = (one - other) % STRIDE
            assert sorted(apart.tolist()) == [0, STRIDE // 2, STRIDE // 2]


@given(st.tuples(*[st.integers(1, 7)] * 3), st.tuples(*[st.integers(0, 3)] * 3), st.integers(0, 99))
def test_a_moved_volume_is_the_volume_from_there_on(
    size: tuple[int, int, int], shift: Shift, seed: int
) -> None:
    volume = np.random.default_rng(seed).random(size, np.float32)
    there = moved(volume, shift)
    assert there.shape == volume.shape
    for index in np.ndindex(size):
        source = tuple(min(i + steps, n - 1) for i, steps, n in zip(index, shift, size))
        assert there[index] == volume[source]


@given(st.integers(1, 20), st.integers(0, 3))
def test_going_there_and_back_changes_no_voxel_that_the_grid_covers(size: int, steps: int) -> None:
    volume = np.arange(size, dtype=np.float32)[:, None, None]
    there = moved(volume, (steps, 0, 0))[:, 0, 0]
    back = there[seen_from(np.arange(size), steps, size)]
    assert (back[steps:] == np.arange(steps, size)).all()
    assert (back[:steps] == min(steps, size - 1)).all()


def test_a_study_without_unlikely_tokens_is_what_the_tokens_of_each_grid_say(
    tiny_bundles: dict[str, Bundle],
) -> None:
    bundle = tiny_bundles["pet"]
    healer = build_healer(bundle, torch.device("cpu"))
    frame = bundle.size_voxels[::-1]
    pet = np.random.default_rng(0).random(frame, np.float32)
    request = HealingRequest(4, 2, 5, resampling_threshold=1e-300, samples_at_once=4)
    healing = healer.heal(pet, None, request, lambda _: None)
    assert healing.resampling_mask is not None
    assert not healing.resampling_mask.any()
    vqgan = load_weights(
        build_network(kind.VQGAN, bundle.healer["pet_vqgan"]), bundle.weights["pet_vqgan"]
    )
    assert isinstance(vqgan, VQGAN)
    for n, (shift, _) in enumerate(token_grids(4, vqgan.sizes.stride)):
        with torch.no_grad():
            tokens = vqgan.tokens(torch.from_numpy(moved(pet, shift))[None, None])
        expected = DecodedLatents(vqgan, tokens.repeat(4, 1, 1, 1), 2, 5).array()[2 * n]
        there = tuple(slice(steps, None) for steps in shift)
        own = tuple(slice(size - steps) for size, steps in zip(frame, shift))
        assert np.allclose(healing.reconstructions[2 * n][there], expected[own], atol=1e-5)


def test_the_first_sample_is_the_same_however_many_there_are(
    tiny_bundles: dict[str, Bundle],
) -> None:
    bundle = tiny_bundles["pet"]
    healer = build_healer(bundle, torch.device("cpu"))
    pet = np.random.default_rng(1).random(bundle.size_voxels[::-1], np.float32)
    first = [
        healer.heal(
            pet, None, HealingRequest(samples, 1, 3, 0.3, samples), lambda _: None
        ).reconstructions[0]
        for samples in (1, 3, 4)
    ]
    assert np.array_equal(first[0], first[1])
    assert np.array_equal(first[0], first[2])
