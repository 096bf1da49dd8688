"""AutoDDPM masks, stitches and resamples: what is outside the mask stays, to the bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from PETAnomalyLib.engine.families.auto_ddpm.healer import AutoDDPMHealer, stream
from PETAnomalyLib.engine.families.auto_ddpm.network import AutoDDPM, dissimilarity
from PETAnomalyLib.engine.families.healer import HealingRequest
from slice_networks import SMALL, slice_network

CPU = torch.device("cpu")
SIZE = (18, 21)


def network(**more: Any) -> AutoDDPM:
    """With random weights that do not vanish: MONAI sets the last convolution to 0."""
    found: AutoDDPM = slice_network("auto-ddpm", {**SMALL["auto-ddpm"], **more}, SIZE)
    with torch.no_grad():
        for parameter in found.parameters():
            parameter.add_(0.05 * torch.randn(parameter.shape))
    return found


def images(count: int = 3) -> torch.Tensor:
    return torch.rand(count, 1, *SIZE, generator=torch.Generator().manual_seed(4))


def streams(count: int = 3, seed: int = 0) -> list[torch.Generator]:
    return [stream(seed, place) for place in range(count)]


@torch.inference_mode()
def test_what_is_outside_the_mask_stays() -> None:
    healed = network().heal(images(), streams())
    assert 0 < healed.mask.float().mean() < 1
    assert torch.equal(healed.images[~healed.mask], images()[~healed.mask])
    changed = (healed.images != images())[healed.mask]
    assert changed.float().mean() > 0.9
    assert healed.images.min() >= 0
    assert healed.images.max() <= 1


@torch.inference_mode()
def test_without_a_mask_nothing_changes_and_is_not_resampled() -> None:
    shares: list[float] = []
    healed = network(mask_percent=100).heal(images(), streams(), shares.append)
    assert not healed.mask.any()
    assert torch.equal(healed.images, images())
    assert len(shares) == 200 // 100 + 1


@torch.inference_mode()
def test_a_mask_is_resampled_from_what_lies_round_it() -> None:
    """Pixels under the mask count only as they were stitched, those outside by themselves."""
    found, mask = network(), torch.zeros(1, 1, *SIZE, dtype=torch.bool)
    mask[..., 5:12, 6:15] = True
    stitched = torch.full_like(images(1), 0.4)
    one, other = images(1), torch.where(mask, 1 - images(1), images(1))
    made = [found.resampled(x, stitched, mask, streams(1)) for x in (one, other)]
    assert torch.equal(*made)
    brighter = torch.where(mask, images(1), images(1).clamp(min=0.9))
    beside = found.resampled(brighter, stitched, mask, streams(1))
    assert not torch.equal(beside[mask], made[0][mask])


@torch.inference_mode()
def test_each_slice_is_healed_as_if_it_were_alone() -> None:
    together = network().heal(images(), streams()).images
    for place in range(3):
        alone = network().heal(images()[place : place + 1], [stream(0, place)]).images
        assert torch.allclose(together[place], alone[0], atol=1e-5)


@torch.inference_mode()
def test_air_is_not_denoised() -> None:
    with_air = images()
    with_air[1] = 0
    healed = network().heal(with_air, streams())
    assert not healed.pseudo_healthy[1].any()
    assert not healed.images[1].any()


def test_a_study_is_healed_by_its_seed_whatever_the_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    study = np.random.default_rng(0).random((5, *SIZE), np.float32)

    def healed(seed: int) -> np.ndarray:
        request = HealingRequest(1, 1, seed, 1.0, 1)
        healer = AutoDDPMHealer({"autoencoder": network()}, CPU)
        return healer.heal(study, None, request, lambda _: None).reconstructions[0]

    first = healed(3)
    assert np.array_equal(healed(3), first)
    assert not np.array_equal(healed(4), first)
    monkeypatch.setattr("PETAnomalyLib.engine.families.slices.VOXELS_AT_ONCE", 1)
    assert healed(3) == pytest.approx(first, abs=1e-5)


def test_cancel_ends_it_within_a_slice() -> None:
    class StoppedError(Exception):
        pass

    steps = []

    def on_progress(share: float) -> None:
        steps.append(share)
        if len(steps) == 2:
            raise StoppedError

    study = np.random.default_rng(0).random((5, *SIZE), np.float32)
    with pytest.raises(StoppedError):
        AutoDDPMHealer({"autoencoder": network()}, CPU).heal(
            study, None, HealingRequest(1, 1, 0, 1.0, 1), on_progress
        )
    assert 0 < steps[0] < steps[1] < 1


def test_heat_is_the_residuals_times_the_dissimilarity() -> None:
    """The residual over its 95th percentile, 1 at most (the paper's norm95)."""
    one, other = images(2), images(2).flip(0)
    residual = (one - other).abs().numpy()
    expected = [np.minimum(r / np.percentile(r, 95), 1) for r in residual]
    unlike = dissimilarity(one, other).numpy()
    found = network().heat_of(one, other).numpy()
    assert found == pytest.approx(np.stack(expected) * unlike, abs=1e-5)


def test_a_slice_is_not_unlike_itself_and_noise_is() -> None:
    assert dissimilarity(images(), images()).max() < 1e-5
    assert dissimilarity(images(), images().flip(0)).mean() > 0.5


def test_training_estimates_slices_and_gives_every_parameter_a_gradient() -> None:
    found = network().train()
    estimate, error = found(images())
    assert estimate.shape == images().shape
    error.backward()
    assert all(p.grad is not None for p in found.parameters())
    noise = found.noise_for(images(), streams())
    levels = torch.tensor([1, 100, 200])
    with torch.no_grad():
        _, one = found.denoised(images(), noise, levels)
        halves = [
            found.denoised(images()[n : n + 1], noise[n : n + 1], levels[n : n + 1])
            for n in range(3)
        ]
    assert float(one) == pytest.approx(float(sum(error for _, error in halves)) / 3, rel=1e-4)


def test_paper_4s_size_has_as_many_parameters_as_its_table_1_says() -> None:
    """18.50 M: MONAI's U-Net of 128, 256 and 256 channels."""
    sizes = {**SMALL["auto-ddpm"], "patch": 1, "channels": [128, 256, 256], "attention": 2}
    found = slice_network("auto-ddpm", sizes, (128, 128))
    assert round(sum(p.numel() for p in found.parameters()) / 1e6, 2) == 18.50


@torch.inference_mode()
@pytest.mark.parametrize("level", [1, 50, 200])
def test_an_untrained_network_gives_wieners_estimate(level: int) -> None:
    """Its last convolution is 0; power falls with the square of the frequency; by NumPy."""
    found = slice_network("auto-ddpm", SMALL["auto-ddpm"], SIZE)
    noise = found.noise_for(images(), streams())
    kept = float(torch.prod(1 - torch.linspace(1e-4, 0.02, 1000, dtype=torch.float64)[:level]))
    rows, columns = noise.shape[-2:]
    whole = np.zeros((3, rows, columns))
    whole[:, : SIZE[0], : SIZE[1]] = images()[:, 0]
    noisy = whole + ((1 - kept) / kept) ** 0.5 * noise[:, 0].numpy()
    down, across = np.meshgrid(np.fft.fftfreq(rows), np.fft.fftfreq(columns), indexing="ij")
    power = 1 / (down**2 + across**2 + 1 / (rows * columns))
    power *= 0.25**2 / power.mean()
    filtered = np.fft.ifft2(np.fft.fft2(noisy) * power / (power + (1 - kept) / kept)).real
    estimate, _ = found.denoised(images(), noise, torch.full((3,), level))
    expected = filtered[:, : SIZE[0], : SIZE[1]]
    assert estimate[:, 0].numpy() == pytest.approx(expected, abs=1e-4)
