"""The maps against NumPy and scikit-learn."""

from __future__ import annotations

import weakref
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PETAnomalyLib.engine.scoring import scoring
from sklearn.neighbors import KernelDensity

SHAPE = (5, 6, 7)


def study(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    reconstructions = random.normal(0.3, 0.05, (n, *SHAPE)).astype(np.float32)
    # Bimodal in a part, as paper 1 sees in the heart; constant in another.
    reconstructions[: n // 2, :2] += 0.3
    reconstructions[:, 4] = 0.25
    image = random.uniform(0.0, 1.0, SHAPE).astype(np.float32)
    return image, reconstructions


@pytest.mark.parametrize("n", [2, 3, 64])
def test_kde_is_sklearns_kernel_density_with_the_papers_bandwidth(n: int) -> None:
    image, reconstructions = study(n)
    nats = scoring.kde(image, reconstructions, min_bandwidth=0.02)
    for at in np.ndindex(SHAPE):
        values = reconstructions[(slice(None), *at)].astype(np.float64)
        h = max(0.02, (4 * values.std() ** 5 / (3 * n)) ** 0.2)
        density = KernelDensity(kernel="gaussian", bandwidth=h).fit(values[:, None])
        expected = -density.score_samples([[float(image[at])]])[0]
        assert nats[at] == pytest.approx(expected, abs=1e-3)


def test_kde_is_finite_where_the_density_itself_underflows() -> None:
    image = np.full(SHAPE, 1.0, np.float32)
    reconstructions = np.zeros((4, *SHAPE), np.float32)
    nats = scoring.kde(image, reconstructions, min_bandwidth=0.01)
    # One Gaussian of width h at distance 1: (1/h)^2 / 2 + log(h sqrt(2 pi)), exp(-5000) being 0.
    assert np.allclose(nats, 5000 + np.log(0.01 * np.sqrt(2 * np.pi)), rtol=1e-6)


def test_kde_does_not_depend_on_how_the_volume_is_cut_into_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image, reconstructions = study(8)
    whole = scoring.kde(image, reconstructions, 0.02)
    monkeypatch.setattr(scoring, "BLOCK", 13)
    assert np.array_equal(scoring.kde(image, reconstructions, 0.02), whole)


# A scan's steps are no finer. Of values around 1e-30 the squares are zero in single precision.
INTENSITY = st.integers(0, 2**20).map(lambda step: step / 2**20)


@settings(max_examples=50, deadline=None)
@given(
    hnp.arrays(np.float32, (6, 3), elements=INTENSITY),
    hnp.arrays(np.float32, 3, elements=INTENSITY),
    st.floats(0, 100),
)
def test_zscore_and_residual_are_the_papers_formulas(
    reconstructions: np.ndarray, image: np.ndarray, percentile: float
) -> None:
    mean, std = reconstructions.astype(float).mean(0), reconstructions.astype(float).std(0)
    assert np.allclose(
        scoring.residual(image, reconstructions), np.maximum(0, image - mean), atol=1e-6
    )
    epsilon = np.percentile(std, percentile)
    denominator = np.maximum(std + epsilon, np.finfo(np.float32).tiny)
    assert np.allclose(
        scoring.zscore(image, reconstructions, percentile), (image - mean) / denominator, rtol=1e-5
    )


@pytest.mark.parametrize("scorer", ["kde", "zscore", "residual"])
def test_uptake_that_is_not_elevated_takes_the_lowest_value(scorer: str) -> None:
    image, reconstructions = study(8)
    maps = scoring.score_maps(
        image, reconstructions, scorers=(scorer,), min_bandwidth=0.02, epsilon_percentile=50
    )
    elevated = image > reconstructions.mean(0)
    score = maps[scorer]
    assert (score[~elevated] == score.min()).all()
    everywhere = scoring.score_maps(
        image, reconstructions, scorers=(scorer,), min_bandwidth=0.02, epsilon_percentile=50,
        elevated_only=False,
    )[scorer]  # fmt: skip
    assert np.array_equal(score[elevated], everywhere[elevated])


def test_a_single_reconstruction_gives_the_plain_positive_residual() -> None:
    image, reconstructions = study(1)
    expected = np.maximum(0, image - reconstructions[0])
    assert np.allclose(scoring.residual(image, reconstructions), expected, atol=1e-7)


def test_the_order_of_the_reconstructions_does_not_matter() -> None:
    image, reconstructions = study(16)
    shuffled = reconstructions[np.random.default_rng(1).permutation(16)]
    assert np.allclose(
        scoring.kde(image, reconstructions, 0.02), scoring.kde(image, shuffled, 0.02), atol=1e-4
    )


def test_a_tile_is_let_go_before_the_next_is_made() -> None:
    """Two tiles of a study at the paper's size are 4 GB."""
    released = []

    def tiles() -> Iterator[tuple[tuple[slice, ...], torch.Tensor]]:
        for start in (0, 2, 4):
            values = torch.rand(5, 2, 3, 4)
            reference = weakref.ref(values)
            yield (slice(start, start + 2), slice(None), slice(None)), values
            del values
            released.append(reference() is None)

    image = np.random.default_rng(0).random((6, 3, 4)).astype(np.float32)
    scoring.score_tiles(
        image, tiles(), scorers=("kde", "zscore"), min_bandwidth=0.1, epsilon_percentile=95.0
    )
    assert released == [True, True, True]
