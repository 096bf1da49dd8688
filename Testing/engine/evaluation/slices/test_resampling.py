"""Intervals and p values against distributions that are known."""

from __future__ import annotations

import numpy as np
import pytest
from PETAnomalyLib.engine.evaluation.slices.ranking import Ranking
from PETAnomalyLib.engine.evaluation.slices.resampling import (
    Measure,
    compared,
    mean_of,
    measured,
)
from scipy import stats


def test_the_interval_of_a_mean_is_that_of_scipy() -> None:
    values = np.random.default_rng(0).normal(3, 1, 30)
    found = measured({"m": mean_of(values)}, [30]).estimates["m"]
    theirs = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", random_state=1
    ).confidence_interval
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(theirs.low, abs=0.05)
    assert found.high == pytest.approx(theirs.high, abs=0.05)


def test_a_study_without_a_value_counts_nowhere() -> None:
    values = np.array([1.0, np.nan, 3.0])
    found = measured({"m": mean_of(values)}, [3]).estimates["m"]
    assert found.value == 2
    assert found.by_study == [1.0, None, 3.0]
    assert (found.low, found.high) == (1, 3)


def test_kinds_are_drawn_apart() -> None:
    seen = []

    def of(times: np.ndarray) -> np.ndarray:
        seen.append((times[:, :2].sum(1), times[:, 2:].sum(1)))
        return times.sum(1)

    measured({"m": Measure(of)}, [2, 5])
    for first, second in seen:
        assert set(first) == {2}
        assert set(second) == {5}


def test_two_models_are_compared_study_by_study() -> None:
    rng = np.random.default_rng(0)
    one = rng.normal(size=12)
    other = one - 0.1 + rng.normal(0, 0.05, 12)
    ways = {name: measured({"m": mean_of(v)}, [12]) for name, v in {"a": one, "b": other}.items()}
    found = compared("m", "a", "b", ways)
    assert found.p == pytest.approx(stats.ttest_rel(one, other).pvalue)
    assert found.low is not None
    assert found.low > 0  # far narrower than either interval: the same cohorts for both


def test_rankings_of_whole_studies_are_compared_by_their_cohorts() -> None:
    rng = np.random.default_rng(0)
    truths = [np.array([n >= 20]) for n in range(40)]
    noise = rng.normal(size=40)
    ways = {}
    for name, signal in {"good": 3.0, "poor": 0.0, "other": 0.1}.items():
        scores = [np.array([e + signal * t[0]], np.float32) for e, t in zip(noise, truths)]
        ways[name] = measured({"auroc": Measure(Ranking.of(scores, truths).auroc)}, [20, 20])
    clear = compared("auroc", "good", "poor", ways)
    assert clear.difference > 0.3
    assert clear.p == pytest.approx(2 / 1001)
    assert clear.studies == 0
    same = compared("auroc", "poor", "poor", ways)
    assert same.p == 1
    assert (same.low, same.high) == (0, 0)
    near = compared("auroc", "other", "poor", ways)
    assert near.low is not None
    assert near.low >= 0  # each cohort is better by it, or the same
