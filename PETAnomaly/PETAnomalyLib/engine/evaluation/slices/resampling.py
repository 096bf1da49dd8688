"""Measures of S studies with their bootstrap intervals, and two models on the same studies.

As in `comparison.py`, studies are drawn, never pixels or slices, and the same cohorts for every
model and measure, so that differences are paired.

References:
    B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 16.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from PETAnomalyLib.engine.evaluation.comparison import (
    AT_ONCE,
    RESAMPLES,
    SEED,
    Comparison,
    Estimate,
    Measured,
    Values,
    compare_by,
    interval,
)

OfCohorts = Callable[[Values], Values]
"""B x S, how often each study is in each cohort -> the measure of each cohort, B."""


@dataclass(frozen=True)
class Measure:
    """One measure.

    Attributes:
        of: cohorts.
        by_study: of each study by itself, NaN where it has none; None where there is no such thing,
            as of the ranking of whole studies.
    """

    of: OfCohorts
    by_study: Values | None = None


def mean_of(values: Values) -> Measure:
    """The mean over studies of a value that each has, S; those that are NaN are left out."""
    known = ~np.isnan(values)
    zeros = np.where(known, values, 0.0)

    def of(times: Values) -> Values:
        with np.errstate(invalid="ignore"):
            return np.asarray(times @ zeros / (times @ known))

    return Measure(of, values)


def measured(measures: Mapping[str, Measure], strata: Sequence[int]) -> Measured:
    """Every measure with its interval.

    Args:
        measures: by name, over the same studies.
        strata: how many studies are of each kind, in their order; each is drawn within its own,
            so that no cohort lacks a kind.
    """
    studies = sum(strata)
    times = _drawn(strata)
    estimates, resampled = {}, {}
    for name, one in measures.items():
        [value] = one.of(np.ones((1, studies)))
        resampled[name] = np.concatenate(
            [one.of(times[start : start + AT_ONCE]) for start in range(0, RESAMPLES, AT_ONCE)]
        )
        low, high = interval(resampled[name], studies)
        own = np.full(studies, np.nan) if one.by_study is None else one.by_study
        each = [None if np.isnan(value) else float(value) for value in own]
        estimates[name] = Estimate(float(value), low, high, each)
    return Measured(estimates, resampled)


def compared(name: str, first: str, second: str, ways: Mapping[str, Measured]) -> Comparison:
    """Two of the ways by one measure: a paired t-test over the studies' own values.

    Where studies have no value of their own, the p is the paired bootstrap's: twice the share of
    cohorts in which the difference has the other sign, 0.002 at the least.
    """
    found = compare_by(name, first, second, ways)
    if found.studies:
        return found
    difference = ways[first].resampled[name] - ways[second].resampled[name]
    difference = difference[~np.isnan(difference)]
    other_sign = min((difference <= 0).sum(), (difference >= 0).sum())
    return replace(found, p=min(1.0, 2 * (1 + float(other_sign)) / (1 + len(difference))))


def _drawn(strata: Sequence[int]) -> Values:
    """How often each study is in each of `RESAMPLES` cohorts, B x S."""
    rng = np.random.default_rng(SEED)
    return np.hstack(
        [rng.multinomial(count, [1 / count] * count, RESAMPLES) for count in strata if count]
    ).astype(float)
