"""The instant of decay correction that the frame times of all slices agree on.

IBSI manual on SUV computation: t_ref = t_acq + T_ave - Frame Reference Time (0054,1300), where
T_ave is when the activity is its mean over the frame. GE counts Frame Reference Time to the
beginning of the frame: a real GE series has 0 s, 243 s, ... and a DecayFactor of 1.0127, 1.0389,
... = mean decay in a frame of 240 s times that of 0 s, 243 s, ...
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.dicom.acquisition_time import (
    acquisition_start,
    frame_seconds,
    time_of_mean_activity,
)
from PETAnomalyLib.engine.study.dicom.moment import Moment
from PETAnomalyLib.engine.study.dicom.tags import number, tag_name, text

# Times are often whole seconds; 2 s are 0.02 % of F-18. Beds lie a minute or more apart.
AGREEMENT_S = 2.0
# Nothing is corrected to an instant after its acquisition began.
LATEST_S = 1.0
DECAY_FACTOR_TOLERANCE = 0.003


@dataclass(frozen=True)
class FrameReference:
    """What the frame times say.

    Attributes:
        reference: the instant that all slices agree on.
        notes: that DecayFactor says something else, where it does.
    """

    reference: Moment
    notes: tuple[str, ...]


def frame_reference(headers: Sequence[Dataset], half_life: float) -> FrameReference | None:
    """The instant, or None where a time is missing or no number, or the slices do not agree.

    Args:
        headers: one dataset a slice, all of one series.
        half_life: s.

    Raises:
        InputError: an acquisition time is there but is no time.
    """
    starts: list[Moment] = []
    rows: list[tuple[float, float]] = []  # s: frame reference time, time of mean activity
    for header in headers:
        start = acquisition_start(header)
        duration = reference_ms = None
        with contextlib.suppress(InputError):
            duration, reference_ms = frame_seconds(header), number(header, "FrameReferenceTime")
        if start is None or duration is None or reference_ms is None or reference_ms < 0:
            return None
        starts.append(start)
        rows.append((reference_ms / 1000.0, time_of_mean_activity(duration, half_life)))
    after_reference, of_mean = np.array(rows).T  # (n,) s each
    decay_factors: list[float | None] = []
    with contextlib.suppress(InputError):
        decay_factors = [number(header, "DecayFactor") for header in headers]
    begins, notes = _counts_to_the_beginning(
        decay_factors, after_reference, of_mean, half_life, headers[0]
    )
    offsets = -after_reference if begins else of_mean - after_reference  # (n,) s from the start
    if offsets.max() > LATEST_S:
        return None
    instants = [start.plus(float(offset)) for start, offset in zip(starts, offsets)]
    apart = np.array([instant.since(instants[0]) for instant in instants])
    if apart.max() - apart.min() > AGREEMENT_S:
        return None
    return FrameReference(instants[0].plus(float(np.median(apart))), tuple(notes))


def _counts_to_the_beginning(
    decay_factors: Sequence[float | None],
    after_reference: npt.NDArray[np.float64],
    of_mean: npt.NDArray[np.float64],
    half_life: float,
    header: Dataset,
) -> tuple[bool, list[str]]:
    """Whether Frame Reference Time is that of the frame's beginning, by DecayFactor where it is
    there, else by the manufacturer; and a note where DecayFactor fits neither."""
    by_vendor = text(header, "Manufacturer").upper().startswith("GE")
    stated = [factor for factor in decay_factors if factor is not None and factor > 0]
    if len(stated) < len(after_reference):
        return by_vendor, []
    decay = math.log(2.0) / half_life
    logarithms = np.log(np.array(stated))  # (n,)
    to_mean = float(np.abs(logarithms - decay * after_reference).max())
    to_beginning = float(np.abs(logarithms - decay * (after_reference + of_mean)).max())
    if min(to_mean, to_beginning) <= DECAY_FACTOR_TOLERANCE:
        return to_beginning < to_mean, []
    return by_vendor, [
        f"{tag_name('DecayFactor')} ({min(stated):g} to {max(stated):g}) does not fit "
        f"{tag_name('FrameReferenceTime')}, which was used: check the decay correction."
    ]
