"""Whether one way of finding lesions is better than another: paired tests and bootstrap intervals.

Studies are what is drawn at random, so studies are paired and resampled, never voxels.

References:
    Paper 1, section 4: paired t-tests over the test studies, of Dice and AUPRC.
    B. Efron, R. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (percentiles).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
import numpy.typing as npt
from scipy import stats

from PETAnomalyLib.engine.evaluation.metrics import VoxelCounts, pooled

Values = npt.NDArray[np.float64]

RESAMPLES = 1000
AT_ONCE = 50  # resamples x thresholds: 2 MB
SEED = 0
MEASURES = ("auprc", "dice")


@dataclass(frozen=True)
class Estimate:
    """A measure of one way.

    Attributes:
        value: over the voxels of all studies.
        low, high: its 95 % bootstrap interval over studies; None with fewer than two studies.
        by_study: of each study by itself; Dice at the threshold that is best over all studies.
            None where a study has no lesion.
    """

    value: float
    low: float | None
    high: float | None
    by_study: list[float | None]


@dataclass(frozen=True)
class Comparison:
    """Two ways on the same studies.

    Attributes:
        first, second: their names.
        measure: such as `auprc` or `dice`.
        difference: first - second, over the voxels of all studies.
        low, high: its 95 % bootstrap interval; None with fewer than two studies.
        studies: with lesions, on which the test is.
        mean_difference: of the studies' own values.
        p: two-sided, of the paired t-test on those; None where it cannot be made.
    """

    first: str
    second: str
    measure: str
    difference: float
    low: float | None
    high: float | None
    studies: int
    mean_difference: float
    p: float | None


@dataclass(frozen=True)
class Measured:
    """One way's measures, and what they become on each resampled cohort."""

    estimates: dict[str, Estimate]
    resampled: dict[str, Values]


def measure(studies: VoxelCounts) -> Measured:
    """AUPRC and best Dice of one way.

    Args:
        studies: `stacked`, S x T; the same S studies in the same order for ways to be compared.
    """
    everything = pooled(studies)
    dice = everything.dice()
    best = int(dice.argmax())
    with_lesions = studies.in_lesions > 0
    by_study = {
        "auprc": studies.auprc(),
        "dice": np.where(with_lesions, studies.dice()[:, best], np.nan),
    }
    values = {"auprc": float(everything.auprc()), "dice": float(dice[best])}
    resampled = _resampled(studies)
    estimates = {}
    for name in MEASURES:
        low, high = interval(resampled[name], len(with_lesions))
        own = [None if math.isnan(value) else float(value) for value in by_study[name]]
        estimates[name] = Estimate(values[name], low, high, own)
    return Measured(estimates, resampled)


def compare(ways: Mapping[str, Measured]) -> list[Comparison]:
    """Every two of the ways, in their order, by every measure."""
    return [
        compare_by(name, first, second, ways)
        for first, second in combinations(ways, 2)
        for name in MEASURES
    ]


def between(comparisons: Sequence[Comparison], first: str, second: str, measure: str) -> Comparison:
    """The comparison of two ways, the first minus the second, whichever came first."""
    for one in comparisons:
        if one.measure == measure and (one.first, one.second) == (first, second):
            return one
        if one.measure == measure and (one.first, one.second) == (second, first):
            return replace(
                one,
                first=first,
                second=second,
                difference=-one.difference,
                low=None if one.high is None else -one.high,
                high=None if one.low is None else -one.low,
                mean_difference=-one.mean_difference,
            )
    raise KeyError((first, second, measure))


def paired_t_test(first: Values, second: Values) -> float | None:
    """The two-sided p of equal means; None with fewer than two pairs, or all the same.

    Args:
        first, second: of the same studies, in the same order.
    """
    if len(first) < 2 or np.ptp(first - second) == 0:
        return None
    return float(stats.ttest_rel(first, second).pvalue)


def compare_by(name: str, first: str, second: str, ways: Mapping[str, Measured]) -> Comparison:
    """Two of the ways by one measure, on the same studies in the same order."""
    one, other = ways[first].estimates[name], ways[second].estimates[name]
    low, high = interval(
        ways[first].resampled[name] - ways[second].resampled[name], len(one.by_study)
    )
    pairs = [
        (x, y) for x, y in zip(one.by_study, other.by_study) if x is not None and y is not None
    ]
    x, y = np.array(pairs, float).reshape(-1, 2).T
    return Comparison(
        first=first,
        second=second,
        measure=name,
        difference=one.value - other.value,
        low=low,
        high=high,
        studies=len(pairs),
        mean_difference=float((x - y).mean()) if pairs else 0.0,
        p=paired_t_test(x, y),
    )


def interval(resampled: Values, studies: int) -> tuple[float | None, float | None]:
    """The middle 95 % of the resampled cohorts that have a lesion; None with fewer than 2 studies.

    SciPy's own interval is NaN as soon as one has none; else it is the same.
    """
    usable = resampled[~np.isnan(resampled)]
    if studies < 2 or not len(usable):
        return None, None
    low, high = np.percentile(usable, [2.5, 97.5])
    return float(low), float(high)


def _resampled(studies: VoxelCounts) -> dict[str, Values]:
    """Each measure on each of the resampled cohorts; NaN where one has no lesion."""
    count = len(studies.in_lesions)
    if count < 2:
        return {name: np.empty(0) for name in MEASURES}
    taken, hits = studies.taken.astype(float), studies.hits.astype(float)  # for the fast product

    def of_cohorts(drawn: npt.NDArray[np.int64], axis: int) -> Values:  # B x S, or S
        times = (drawn[..., None] == np.arange(count)).sum(axis=axis - 1)  # how often each study
        cohort = VoxelCounts(times @ taken, times @ hits, times @ studies.in_lesions)
        dice = np.where(cohort.in_lesions > 0, cohort.dice().max(axis=-1), np.nan)
        return np.stack([cohort.auprc(), dice])

    with warnings.catch_warnings():
        # SciPy's word for a cohort without lesions, which `interval` leaves out.
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        found = stats.bootstrap(
            (np.arange(count),),
            of_cohorts,
            n_resamples=RESAMPLES,
            batch=AT_ONCE,
            vectorized=True,
            method="percentile",
            # The same cohorts whatever is measured: differences are paired.
            random_state=np.random.default_rng(SEED),
        )
    return dict(zip(MEASURES, found.bootstrap_distribution))
