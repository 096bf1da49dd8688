"""What a training stage is: what its section of a configuration says, and how it is trained.

A family describes each of its stages by a `Stage` and enters it into `bundles/kinds.py`;
`configuration.py` reads and checks the file by it, `run.py` trains by it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from PETAnomalyLib.engine.bundles.kinds import Family, NetworkKind
from PETAnomalyLib.engine.runtime.json_section import Section
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.checkpoint import Run

PICTURES = "pictures"
"""Section of a configuration that says what pictures become: `size` (rows, columns) and `channels`
(1 or 3)."""

Key = Callable[[Section, str], Any]
"""Reads and checks one key of a section. Raises the section's error."""


def whole(low: int, high: int) -> Key:
    """A whole number from `low` to `high`."""
    return lambda section, name: section.integer(name, low, high)


def number(low: float, high: float) -> Key:
    """A number from `low` to `high`."""
    return lambda section, name: section.number(name, low, high)


def choice(*known: str) -> Key:
    """One of a few words."""
    return lambda section, name: section.choice(name, known)


def rising(low: float, high: float) -> Key:
    """A list of numbers from `low` to `high`, each above the one before; it may be empty."""

    def read(section: Section, name: str) -> tuple[float, ...]:
        values = section.numbers(name, 0, 1000, low, high)
        if list(values) != sorted(set(values)):
            raise section.error(name, "must rise")
        return values

    return read


COMMON_KEYS: Mapping[str, Key] = {
    "steps": whole(1, 1_000_000_000),
    "batch": whole(1, 65536),
    "learning_rate": number(1e-9, 10.0),
    "gamma": number(0.1, 1.0),
    "seed": whole(0, 2**31 - 1),
}
"""What every stage's section may hold, where its settings have it, beside `sizes`."""


@dataclass(frozen=True)
class Stage:
    """One stage of training a family.

    Attributes:
        name: of its section, and on the command line.
        family: that it belongs to.
        network: what it trains.
        settings: dataclass of what its section says: `sizes`, and a field a key.
        keys: how each key of its own is read; `COMMON_KEYS` need not be named.
        runs_beside: keys that name runs which this one builds upon -> their modality; they are
            checked as text, and need not be there.
        fixed: keys that must not change when a run is resumed; the sizes never may.
        needs_ct: whether a study without CT is of no use to it.
        of_mr: whether it can train on MR as well as on PET.
        of_pictures: whether it can train on pictures too.
        of_stream: whether it can train on `Run.stream`; of the studies it is then given those of
            the training are none.
        check: more that must hold within its own file. Raises the section's error.
        load_beside: what it needs of the runs beside it, checked and loaded before the cohort is
            aligned, which takes hours. Given the folder of the runs.
        train: the network, trained. Given what `load_beside` gave, and the training and the
            validation studies.
    """

    name: str
    family: Family
    network: NetworkKind
    settings: type[Any]
    train: Callable[[StageConfiguration, Any, list[list[AlignedStudy]], Run, bool, Reporter],
                    nn.Module]  # fmt: skip
    keys: Mapping[str, Key] = field(default_factory=dict)
    runs_beside: Mapping[str, str] = field(default_factory=dict)
    fixed: Sequence[str] = ()
    needs_ct: Callable[[StageConfiguration], bool] = lambda _: False
    of_mr: bool = False
    of_pictures: bool = False
    of_stream: bool = False
    check: Callable[[StageConfiguration], None] = lambda _: None
    load_beside: Callable[[StageConfiguration, Path], Any] = lambda _, __: None


@dataclass(frozen=True)
class StageConfiguration:
    """One stage's file, checked.

    Attributes:
        stage: what it is a configuration of.
        file: the whole of it.
        section: the stage's own.
        size: voxels of the frame along slices, rows, columns; of pictures channels, rows, columns.
        settings: what the section says.
        runs_beside: of the stage's `runs_beside`, those that the section names -> name of the run.
    """

    stage: Stage
    file: Section
    section: Section
    size: tuple[int, ...]
    settings: Any
    runs_beside: dict[str, str]

    @property
    def frame(self) -> dict[str, Any]:
        """`size_voxels` and `spacing_mm` along x, y, z (LPS)."""
        return self.file.section("frame").values

    @property
    def intensity(self) -> dict[str, Any]:
        """How SUV and HU become the model's intensities."""
        return self.file.section("intensity").values

    @property
    def contrast(self) -> str:
        """Of the MR that a model is trained on: T1w, T2w or FLAIR; "" where it is PET."""
        inputs = self.file.values.get("inputs")
        return "" if inputs is None else str(self.file.section("inputs").values.get("mr", ""))

    @property
    def of_pictures(self) -> bool:
        """Whether it is trained on pictures: the file then has `pictures` and no frame."""
        return PICTURES in self.file.values

    @property
    def needs_ct(self) -> bool:
        """Whether a study without CT is of no use to it."""
        return self.stage.needs_ct(self)

    def refuse(self, misfit: tuple[str, str] | None) -> None:
        """Refuse sizes that do not fit together; `misfit`: what is wrong with which size, if any.

        Raises:
            InputError: naming the file and the key.
        """
        if misfit:
            raise self.section.section("sizes").error(misfit[0].split(".")[-1], misfit[1])
