"""How familiar a study looks to a model: measured by region, beside the studies of its own kind.

A bundle carries, from `petanomaly calibrate --familiarity`, the quantiles of each measure over
studies that no network was trained on: the mean log-likelihood of the body's tokens, the share of
them that is unlikely, and the error with which the networks reconstruct the body; over the whole
body and by region. Each measure of a study is told as its percentile among them.

Many measures find many exceptions, so that they alarm together: a measure's strangeness is its
distance from the median in units of the distance from there to the 95th percentile, and a study is
unfamiliar where its greatest strangeness exceeds that of 99 in 100 of those studies, each measured
among the others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from PETAnomalyLib.engine.frame.body_regions import RegionBorders
from PETAnomalyLib.engine.frame.measured_regions import QUANTILES, REGIONS, WHOLE

LIMIT_PERCENTILE = 99
REFUSED_SHARE = 1 / 3

_LOWER_IS_WORSE = frozenset({"log_likelihood"})
_PARTS = 10
_FEWEST_CELLS = 20  # of a region that the study shows

Values = Mapping[str, float]


@dataclass(frozen=True)
class Familiarity:
    """A study among those that a model knows.

    Attributes:
        values: `region/measure` -> value.
        percentiles: the same -> 0 (as familiar as any) to 100 (stranger than all).
        strangeness: the greatest of all measures'.
        strangeness_percentile: of that.
        unfamiliar: the model knows nothing like it.
        foreign_regions: those of `REGIONS` that make it so.
    """

    values: dict[str, float]
    percentiles: dict[str, float]
    strangeness: float
    strangeness_percentile: float
    unfamiliar: bool
    foreign_regions: tuple[str, ...]

    def report(self) -> dict[str, Any]:
        """What `report.json` says of it."""
        return {
            "unfamiliar": self.unfamiliar,
            "foreign_regions": list(self.foreign_regions),
            "strangeness": round(self.strangeness, 4),
            "strangeness_percentile": self.strangeness_percentile,
            "measures": {
                name: {"value": round(value, 5), "percentile": self.percentiles[name]}
                for name, value in self.values.items()
                if name in self.percentiles
            },
        }


def cell_regions(
    borders: RegionBorders,
    origin: Sequence[float],
    spacing: Sequence[float],
    size: Sequence[int],
    grid: Sequence[int],
) -> NDArray[np.uint8]:
    """Number in `REGIONS` of every cell of a frame.

    Args:
        borders: of the frame.
        origin, spacing, size: of the frame along x, y, z.
        grid: cells along z, y, x, each a divisor of the frame's size.
    """
    axes = []
    for start, step, voxels, cells in zip(origin, spacing, size, reversed(grid)):
        edge = voxels // cells
        axes.append(start + step * (edge * np.arange(cells) + (edge - 1) / 2))
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    return borders.region_at(np.stack([x, y, z], axis=-1))


def measures_of(
    body: NDArray[np.bool_],
    region: NDArray[np.uint8],
    log_likelihood: NDArray[np.floating] | None,
    error: NDArray[np.floating] | None,
    threshold: float,
) -> dict[str, float]:
    """The measures of one study, `region/measure` -> value; a region hardly shown has none.

    Args:
        body: d x h x w, the cells that hold body.
        region: of each cell, number in `REGIONS`.
        log_likelihood: of each cell's token, nats; None without tokens.
        error: mean absolute error of each cell's reconstruction, model intensity; or None.
        threshold: t, the likelihood under which a token is unlikely.
    """
    found = {}
    for number, name in enumerate((*REGIONS, WHOLE)):
        cells = body if name == WHOLE else body & (region == number)
        if np.count_nonzero(cells) < _FEWEST_CELLS:
            continue
        if log_likelihood is not None:
            own = log_likelihood[cells]
            found[f"{name}/log_likelihood"] = float(own.mean())
            if name == WHOLE:
                found[f"{name}/unlikely_share"] = float((own < np.log(threshold)).mean())
        if error is not None:
            found[f"{name}/reconstruction_error"] = float(error[cells].mean())
    return found


def distribution(studies: Sequence[Values]) -> dict[str, Any]:
    """What a bundle carries: the percentiles of each measure, and of the greatest strangeness."""
    greatest = []
    for first in range(_PARTS):
        others = [study for n, study in enumerate(studies) if n % _PARTS != first]
        known = {name: _quantiles(values) for name, values in _by_name(others).items()}
        # A study among those that drew the quantiles would look more familiar than it is.
        greatest += [
            max(_strangeness(study, known).values(), default=0.0)
            for study in studies[first::_PARTS]
        ]
    return {
        "studies": len(studies),
        "measures": {name: _quantiles(values) for name, values in _by_name(studies).items()},
        "strangeness": _quantiles(greatest),
    }


def _by_name(studies: Sequence[Values]) -> dict[str, list[float]]:
    names = sorted({name for study in studies for name in study})
    return {name: [study[name] for study in studies if name in study] for name in names}


def _quantiles(values: Sequence[float]) -> list[float]:
    return [round(float(q), 6) for q in np.percentile(values, np.linspace(0, 100, QUANTILES))]


def familiarity(values: Values, known: Mapping[str, Any]) -> Familiarity:
    """Place a study among those that the model knows.

    Args:
        values: from `measures_of`.
        known: from `distribution`.
    """
    strange = _strangeness(values, known["measures"])
    greatest = max(strange.values(), default=0.0)
    limit = known["strangeness"][LIMIT_PERCENTILE]
    return Familiarity(
        values=dict(values),
        percentiles={
            name: _percentile(value, known["measures"][name], name)
            for name, value in values.items()
            if name in known["measures"]
        },
        strangeness=greatest,
        strangeness_percentile=_rank(greatest, known["strangeness"]),
        unfamiliar=greatest > limit,
        foreign_regions=_foreign(strange, limit) if greatest > limit else (),
    )


def _foreign(strange: Values, limit: float) -> tuple[str, ...]:
    """The regions beyond the limit; where only the whole is, the strangest of them."""
    by_region = {
        region: max(
            (value for name, value in strange.items() if name.startswith(f"{region}/")),
            default=0.0,
        )
        for region in REGIONS
    }
    beyond = tuple(region for region, value in by_region.items() if value > limit)
    return beyond or (max(by_region, key=lambda region: by_region[region]),)


def _strangeness(values: Values, measures: Mapping[str, Sequence[float]]) -> dict[str, float]:
    """Distance from the median over that of the 95th percentile, of each measure; worse is more."""
    found = {}
    for name, value in values.items():
        if name not in measures:
            continue
        quantiles = measures[name]
        middle = quantiles[QUANTILES // 2]
        far = quantiles[5 if _is_lower_worse(name) else QUANTILES - 6]
        # Where nearly all studies have the same value, a millionth of it is no distance.
        unit = max(abs(far - middle), 1e-6 + 1e-3 * abs(middle))
        found[name] = (middle - value if _is_lower_worse(name) else value - middle) / unit
    return found


def _percentile(value: float, quantiles: Sequence[float], name: str) -> float:
    if _is_lower_worse(name):
        return _rank(-value, [-q for q in reversed(quantiles)])
    return _rank(value, quantiles)


def _rank(value: float, quantiles: Sequence[float]) -> float:
    """Percent of the studies below, one decimal."""
    return round(float(np.interp(value, quantiles, np.linspace(0, 100, len(quantiles)))), 1)


def _is_lower_worse(name: str) -> bool:
    return name.split("/")[1] in _LOWER_IS_WORSE
