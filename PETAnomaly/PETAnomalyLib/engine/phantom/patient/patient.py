"""Who the patient is: build, pose, conditions and uptake, drawn by seed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.random import Generator

from PETAnomalyLib.engine.phantom.canvas.lines import rotation_matrix
from PETAnomalyLib.engine.phantom.canvas.pose import Pose
from PETAnomalyLib.engine.phantom.canvas.random_numbers import stream, within
from PETAnomalyLib.engine.phantom.organs import Organ
from PETAnomalyLib.engine.phantom.patient.attenuation import draw_attenuation
from PETAnomalyLib.engine.phantom.patient.build import Build, draw_build
from PETAnomalyLib.engine.phantom.patient.conditions import Conditions, draw_conditions
from PETAnomalyLib.engine.phantom.patient.uptake import Uptake, draw_uptake
from PETAnomalyLib.engine.phantom.patient.volumes import draw_volume

VERTEX_MM, SOLES_MM = 840.0, -870.0
"""Body z of the ends of the reference person."""
BENT = 0.12  # of patients have scoliosis, as many kyphosis


@dataclass
class Patient:
    """A patient to be painted.

    `variants` collects the physiological uptake and the conditions that were painted,
    `benign_findings` the masses without uptake (site, diameter_mm).
    """

    seed: int
    build: Build
    conditions: Conditions
    uptake: Uptake
    pose: Pose
    variants: list[str] = field(default_factory=list)
    benign_findings: list[dict[str, Any]] = field(default_factory=list)

    def stream(self, name: str) -> Generator:
        """The random numbers of one part of this patient."""
        return stream(self.seed, name)

    def suv(self, organ: Organ) -> float:
        """Mean SUV (g/ml) of an organ, before the scanner blurs it."""
        return self.uptake.of(organ)

    def hu(self, organ: Organ) -> float:
        """Mean attenuation (HU) of an organ, with contrast medium where the patient has had it."""
        return draw_attenuation(self.seed, organ, self.build, self.conditions.contrast)

    def volume_ml(self, organ: Organ) -> float:
        """Volume of an organ, both sides together, patient ml.

        Raises:
            KeyError: no volume of it is published for this sex.
        """
        return draw_volume(self.seed, organ, self.build)


def _pose(rng: Generator, build: Build) -> Pose:
    size = build.height_cm / 170.0
    # Heavier people are broader in bone and muscle, too; so bodies weigh what they should.
    breadth = np.sqrt(size) * (0.97 if build.female else 1.03) * (build.bmi / 26) ** 0.2
    scale = np.array(
        [
            breadth * within(rng, 1, 0.025),
            breadth * within(rng, 1, 0.025),
            size * within(rng, 1, 0.01),
        ]
    )
    bottom, top = _ends(rng)
    rotation = rotation_matrix(np.clip(rng.normal(0, [2.0, 1.5, 2.0]), -5, 5))
    length = float((top - bottom) * scale[2])
    # The middle of the scan lies near the scanner's axis, however the patient is tilted.
    offset = np.array([rng.normal(0, 7), rng.normal(-5, 8), 0.0]) - length / 2 * rotation[2]
    offset[2] = 0.0
    bent = rng.random() < BENT
    return Pose(
        scale=scale,
        rotation=rotation,
        offset_mm=offset,
        bottom_mm=bottom,
        length_mm=length,
        scoliosis_mm=float(rng.normal(0, 18 if bent else 2.5)),
        scoliosis_apex_mm=float(rng.uniform(200, 430)),
        kyphosis_mm=float(
            abs(rng.normal(0, 4)) + (rng.uniform(8, 24) if rng.random() < 0.12 else 0)
        ),
    )


def _ends(rng: Generator) -> tuple[float, float]:
    """Body z of the lowest and the highest slice: mostly skull base to mid thigh, now and then
    anything from the soles to above the vertex, but 500 mm at the least."""
    drawn = rng.random()
    top = (
        rng.uniform(640, 720) if drawn < 0.6
        else VERTEX_MM + rng.uniform(8, 40) if drawn < 0.85
        else rng.uniform(560, VERTEX_MM)
    )  # fmt: skip
    drawn = rng.random()
    bottom = (
        rng.uniform(-195, -110) if drawn < 0.7
        else SOLES_MM - rng.uniform(8, 40) if drawn < 0.8
        else rng.uniform(SOLES_MM, -195) if drawn < 0.9
        else rng.uniform(-110, 60)
    )  # fmt: skip
    return float(bottom), float(top)


def draw_patient(seed: int) -> Patient:
    """The patient of a seed: the same numbers give the same patient, on every machine."""
    build = draw_build(seed)
    conditions = draw_conditions(seed, build)
    return Patient(
        seed=seed,
        build=build,
        conditions=conditions,
        uptake=draw_uptake(seed, build, conditions),
        pose=_pose(stream(seed, "pose"), build),
    )
