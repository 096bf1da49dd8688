"""What a detection asks of whatever it looks at: a PET/CT, or an MR of a head.

`detection.py` reads, heals, scores and draws without knowing which it is; `pet_examination.py` and
`head_examination.py` say how each is read, laid onto the model's frame, measured and shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection_settings import DetectionSettings, ResolvedSettings
from PETAnomalyLib.engine.findings.delineation import Delineation
from PETAnomalyLib.engine.findings.measures import FindingRow
from PETAnomalyLib.engine.frame.alignment import Alignment
from PETAnomalyLib.engine.runtime.stages import Stages
from PETAnomalyLib.engine.study.disclosure import Disclosure

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Framed:
    """An examination in the frame of a model.

    Attributes:
        alignment: from the model's frame to the examination.
        image: D x H x W, the model's intensity.
        ct: the same of the CT, or None.
        brain: D x H x W, where it is known; None of a PET.
        scored: uint8 on the examination's grid, not 0 where the map is valid, 2 where it is unlike
            what the model knows.
        fit: what the report says of how well it fits the model.
        body_not_scored: share of the body, or brain, outside the model's field of view.
    """

    alignment: Alignment
    image: Array
    ct: Array | None
    brain: NDArray[np.bool_] | None
    scored: sitk.Image
    fit: Mapping[str, Any]
    body_not_scored: float


@dataclass(frozen=True)
class Measured:
    """The findings of an examination.

    Attributes:
        findings: rows of `findings.csv`.
        further: columns after those, a value a finding.
        totals: what the report says of all of them.
        reference: uptake that findings are compared with; empty where there is none.
    """

    findings: Sequence[FindingRow]
    further: Mapping[str, Sequence[float | str]]
    totals: Mapping[str, Any]
    reference: Mapping[str, Any]


class Examination(Protocol):
    """Something that was read and can be looked at."""

    @property
    def image(self) -> sitk.Image:
        """Float32, on the grid that results are written on; LPS, mm."""

    @property
    def row(self) -> type[FindingRow]:
        """What a finding is: its fields are the columns of `findings.csv`."""

    @property
    def description(self) -> dict[str, Any]:
        """JSON-able, for the report."""

    def framed(self, template: sitk.Image, run: Stages) -> Framed:
        """Lay it onto the model's template, and judge how it fits.

        Raises:
            InputError: it does not fit.
        """

    def grow(self, resolved: ResolvedSettings) -> float | None:
        """Fraction of a finding's maximum that it grows to; None for no growing."""

    def measured(
        self,
        delineation: Delineation,
        score: sitk.Image,
        framed: Framed,
        run: Stages,
    ) -> Measured:
        """Measure the findings.

        Args:
            delineation: their labels.
            score: the map that they were drawn from.
            framed: the examination in the model's frame.
            run: told of what is doubtful.
        """

    def write_further(
        self, folder: Path, labels: sitk.Image, measured: Measured, resolved: ResolvedSettings
    ) -> None:
        """Write what only this kind of examination has, such as DICOM objects."""

    def draw(
        self,
        path: Path,
        score: sitk.Image,
        labels: sitk.Image,
        measured: Measured,
        resolved: ResolvedSettings,
        told: Disclosure,
    ) -> None:
        """Draw the overview (PNG)."""


class Inputs(Protocol):
    """The files of an examination, as they were named."""

    @property
    def paths(self) -> Sequence[Path]:
        """All that were given."""

    def check(self, bundle: Bundle, settings: DetectionSettings) -> None:
        """Refuse what the model cannot use, before anything is read.

        Raises:
            InputError: an input that is missing, or of another kind than the model's.
        """

    def read(self, bundle: Bundle, settings: DetectionSettings, run: Stages) -> Examination:
        """Read and check the files.

        Raises:
            InputError: they cannot be used.
        """
