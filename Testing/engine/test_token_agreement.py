"""What token grids find together, against every voxel looked up one by one."""

from __future__ import annotations

import itertools

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PETAnomalyLib.engine.body_tokens import body_tokens
from PETAnomalyLib.engine.bundle import Bundle
from PETAnomalyLib.engine.healing import HealingRequest, build_healer
from PETAnomalyLib.engine.networks.performer import Performer
from PETAnomalyLib.engine.networks.registry import build_network, load_weights
from PETAnomalyLib.engine.networks.vqgan import VQGAN
from PETAnomalyLib.engine.resampling import token_log_likelihood
from PETAnomalyLib.engine.token_agreement import OCTANTS_THAT_COUNT, agreed_log_likelihoods
from PETAnomalyLib.engine.token_grids import UNMOVED, moved, token_grids

GRIDS = st.tuples(*[st.integers(1, 4)] * 3)


def random_likelihoods(grid: tuple[int, ...], seed: int) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [-random.exponential(3, grid).astype(np.float32) for _ in range(4)]


@settings(deadline=None)
@given(GRIDS, st.sampled_from([2, 4, 8]), st.integers(0, 99))
def test_a_token_is_as_unlikely_as_the_less_likely_half_of_its_place_on_all_grids(
    grid: tuple[int, int, int], stride: int, seed: int
) -> None:
    own = random_likelihoods(grid, seed)
    shifts = [shift for shift, _ in token_grids(4, stride)]
    end = np.multiply(grid, stride) - 1
    agreed = agreed_log_likelihoods(own, shifts, stride)
    for g, token in itertools.product(range(4), np.ndindex(grid)):
        octants = []
        for corner in itertools.product((0, stride // 2), repeat=3):
            voxel = np.minimum(np.multiply(token, stride) + corner + shifts[g], end)
            there = [np.clip(voxel - shift, 0, end) // stride for shift in shifts]
            p = np.prod([np.exp(float(own[k][tuple(at)]) / 4) for k, at in enumerate(there)])
            octants.append(np.log(p))
        place = np.mean(sorted(octants)[:OCTANTS_THAT_COUNT])
        assert np.isclose(agreed[g][token], min(own[g][token], place), atol=1e-4)


@given(GRIDS, st.integers(0, 99))
def test_one_grid_has_only_itself_to_agree_with(grid: tuple[int, int, int], seed: int) -> None:
    own = random_likelihoods(grid, seed)[:1]
    assert np.allclose(agreed_log_likelihoods(own, [UNMOVED], 4)[0], own[0], rtol=1e-6)


def test_what_one_grid_just_tolerates_the_others_condemn() -> None:
    """A lesion in the middle of a token of the frame's own grid: the others share it out."""
    own = [np.full((3, 3, 3), -1.0, np.float32) for _ in range(4)]
    own[0][1, 1, 1] = -5.0
    for shifted in own[1:]:
        shifted[:2, :2, :2] = -9.0
    shifts = [shift for shift, _ in token_grids(4, 4)]
    agreed = agreed_log_likelihoods(own, shifts, 4)
    assert agreed[0][1, 1, 1] == np.float32(-8.0)  # (-5 - 3 * 9) / 4
    assert agreed[0][2, 2, 2] == np.float32(-1.0)


def test_healing_draws_anew_what_the_grids_find_together(tiny_bundles: dict[str, Bundle]) -> None:
    bundle = tiny_bundles["pet"]
    networks = [
        load_weights(build_network(network, bundle.healer[name]), bundle.weights[name])
        for network, name in (("vqgan", "pet_vqgan"), ("performer", "transformer"))
    ]
    vqgan, performer = networks
    assert isinstance(vqgan, VQGAN)
    assert isinstance(performer, Performer)
    pet = np.random.default_rng(4).random(bundle.size_voxels[::-1], np.float32)
    grid, t = performer.sizes.grid, 0.02
    shifts = [shift for shift, _ in token_grids(4, vqgan.sizes.stride)]
    own, bodies = [], []
    for shift in shifts:
        seen = moved(pet, shift)
        bodies.append(body_tokens(seen, grid))
        with torch.no_grad():
            tokens = vqgan.tokens(torch.from_numpy(seen)[None, None]).flatten(1)
            body = torch.from_numpy(bodies[-1]).flatten()
            own.append(token_log_likelihood(performer, tokens, None, body, t).view(grid).numpy())
    expected = np.where(bodies[0], agreed_log_likelihoods(own, shifts, vqgan.sizes.stride)[0], 0.0)
    for samples in (1, 6):  # fewer samples than grids: all are asked all the same
        request = HealingRequest(samples, 1, 0, t, samples)
        healing = build_healer(bundle, torch.device("cpu")).heal(pet, None, request, lambda _: None)
        assert healing.token_log_likelihood is not None
        assert healing.resampling_mask is not None
        assert np.allclose(healing.token_log_likelihood, expected, atol=1e-5)
        assert np.array_equal(healing.resampling_mask, healing.token_log_likelihood < np.log(t))
    assert (expected < own[0] - 0.01).any()
