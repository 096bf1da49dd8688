"""What is reported of a study: findings with their voxels and verdicts, and what found them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from typing import Any

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PETAnomalyLib import __version__
from PETAnomalyLib.engine.dicom_results.identifiers import derived_uid
from PETAnomalyLib.engine.dicom_results.source import Source
from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.engine.findings.verdict import PHYSIOLOGICAL, UNSURE

# What the bytes depend on, beside the content.
_WRITERS = ("highdicom", "pydicom")


@dataclass(frozen=True)
class Detector:
    """What found the findings.

    Attributes:
        version: of PETAnomaly.
        model, sha256: the model's name, and the hash of all its files.
        settings: every setting that was in force, JSON-able.
    """

    version: str
    model: str
    sha256: str
    settings: Mapping[str, Any]

    @property
    def scorer(self) -> str:
        """The map that findings were drawn from, and `score_max`, `score_mean` are of."""
        return str(self.settings["scorer"])


@dataclass(frozen=True)
class Judged:
    """A finding, and what a reader made of it.

    Attributes:
        verdict: one of `findings.verdict.VERDICTS`.
        by_hand: a person has drawn or changed it.
        site: where in the body it lies, as in findings.csv; empty where that is not known.
    """

    finding: Finding
    verdict: str = UNSURE
    by_hand: bool = False
    site: str = ""

    @property
    def name(self) -> str:
        """What it is tracked by: the same in the segmentation and in the report."""
        return f"Finding {self.finding.number}"


@dataclass(frozen=True)
class Reading:
    """A study's findings as they are to be reported.

    Attributes:
        labels: the findings' numbers, on the PET's grid (third axis: its slices).
        judged: all findings, in the order of their numbers; what is physiological is not reported.
        detector: what found them.
        source: the PET series.
    """

    labels: sitk.Image
    judged: tuple[Judged, ...]
    detector: Detector
    source: Source

    @cached_property
    def reported(self) -> tuple[Judged, ...]:
        """Those that go into the objects; the n-th is segment n."""
        return tuple(one for one in self.judged if one.verdict != PHYSIOLOGICAL)

    @cached_property
    def segments(self) -> NDArray[np.uint16]:
        """Segment numbers 1.., slices x rows x columns; 0 where nothing is reported."""
        numbers = sitk.GetArrayViewFromImage(self.labels)
        segment_of = np.zeros(int(numbers.max()) + 1, np.uint16)
        for segment, one in enumerate(self.reported, 1):
            segment_of[one.finding.number] = segment
        return segment_of[numbers]

    @cached_property
    def identity(self) -> str:
        """A hash of all that the objects are made from: voxels, numbers, verdicts, sites, source,
        model, settings, and the versions of what writes them."""
        content = {
            "slices": [str(one.SOPInstanceUID) for one in self.source.slices],
            "anonymous": self.source.anonymous,
            "detector": self._origin,
            "findings": [
                (decimals(one.finding), one.verdict, one.by_hand, one.site) for one in self.reported
            ],
            "voxels": hashlib.sha256(self.segments.tobytes()).hexdigest(),
            "writers": [__version__, *(metadata.version(name) for name in _WRITERS)],
        }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    def uid(self, role: str) -> str:
        """Of one of the objects or series of this very content."""
        return derived_uid(self.identity, role)

    def tracking_uid(self, name: str) -> str:
        """Of a finding; the same after its outline or verdict was corrected."""
        series = str(self.source.slices[0].SeriesInstanceUID)
        return derived_uid(series, json.dumps(self._origin, sort_keys=True), name)

    @property
    def _origin(self) -> dict[str, Any]:
        detector = self.detector
        return {"model": detector.sha256, "settings": dict(detector.settings)}


def decimals(finding: Finding) -> dict[str, float]:
    """The numbers that are reported, each rounded as in findings.csv."""
    names = ("suv_max", "suv_mean", "suv_peak", "mtv_ml", "tlg_g", "score_max", "score_mean")
    return {name: rounded(getattr(finding, name)) for name in names}


def rounded(value: float) -> float:
    """Four decimals, no negative zero."""
    return round(value, 4) + 0.0
