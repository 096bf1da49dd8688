"""What a finding's uptake means beside the liver and the blood pool: Deauville's scale, PERCIST."""

from __future__ import annotations

from PETAnomalyLib.engine.findings.reference import Uptake

NO_UPTAKE = 1
MARKEDLY = 2.0  # times the liver


def deauville(suv_max: float, liver: Uptake, blood_pool: Uptake) -> int:
    """Score of a finding, 2 to 5; a study without lesions has `NO_UPTAKE`.

    2: at most the blood pool, 3: at most the liver, 4: above it, 5: more than twice the liver.
    SUVmax is compared with SUVmax, as Barrington et al. suggest (J Clin Oncol 2014;32:3048), who
    set 5 at two to three times: the lower bound is taken.

    Args:
        suv_max: the finding's, SUVbw.
        liver, blood_pool: in the same unit.
    """
    if suv_max > MARKEDLY * liver.maximum:
        return 5
    if suv_max > liver.maximum:
        return 4
    return 3 if suv_max > blood_pool.maximum else 2


def measurable_from(liver: Uptake | None, blood_pool: Uptake | None, sul_of_suv: float) -> float:
    """The SULpeak from which PERCIST calls a lesion measurable, g/ml.

    1.5 x liver's mean SUL + 2 SD; without a liver 2 x blood pool's mean SUL + 2 SD (Wahl et al.,
    J Nucl Med 2009;50 Suppl 1:122S, table 2).

    Args:
        liver, blood_pool: SUVbw; one of them at least.
        sul_of_suv: see `lean_body_mass.sul_of_suv`.
    """
    if liver is not None:
        return sul_of_suv * (1.5 * liver.mean + 2.0 * liver.sd)
    assert blood_pool is not None
    return sul_of_suv * (2.0 * blood_pool.mean + 2.0 * blood_pool.sd)
