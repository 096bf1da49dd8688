"""A training stage's configuration file, checked to the last key before hours go into the cohort.

What a bundle may hold is checked here already (`manifest.py`): a network that could not be exported
is not worth training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, Union

import numpy as np
import SimpleITK as sitk

from PETAnomalyLib.engine.errors import InputError, PETAnomalyError
from PETAnomalyLib.engine.families import FAMILIES, NetworkKind
from PETAnomalyLib.engine.intensity import check_intensity
from PETAnomalyLib.engine.json_section import Section
from PETAnomalyLib.engine.manifest import check_frame, check_sizes
from PETAnomalyLib.engine.networks.autoencoder import AutoencoderSizes
from PETAnomalyLib.engine.networks.performer import PerformerSizes
from PETAnomalyLib.engine.networks.vqgan import VQGANSizes
from PETAnomalyLib.engine.training.autoencoder import AutoencoderSettings
from PETAnomalyLib.engine.training.configuration import read_section
from PETAnomalyLib.engine.training.transformer import TransformerSettings
from PETAnomalyLib.engine.training.vqgan import VQGANSettings

Settings = Union[VQGANSettings, TransformerSettings, AutoencoderSettings]


@dataclass(frozen=True)
class _Stage:
    """What the section of one stage is made of."""

    settings: type[Any]
    sizes: type[Any]
    network: NetworkKind
    more_keys: tuple[str, ...] = ()  # of the section, beside those of `settings`


# Keys of the transformer's section that name the runs whose tokens it learns, and of what.
ENCODERS = {"pet_vqgan": "pet", "ct_vqgan": "ct"}

FRAME_KEYS = ("size_voxels", "spacing_mm")

_TOKENS, _DENSE = FAMILIES["vqgan-performer"], FAMILIES["autoencoder-dense"]
_STAGES: Mapping[str, _Stage] = {
    "vqgan": _Stage(VQGANSettings, VQGANSizes, _TOKENS.networks["pet_vqgan"]),
    "transformer": _Stage(
        TransformerSettings, PerformerSizes, _TOKENS.networks["transformer"], tuple(ENCODERS)
    ),
    "autoencoder": _Stage(AutoencoderSettings, AutoencoderSizes, _DENSE.networks["autoencoder"]),
}

_WHOLE_NUMBERS = {
    "steps": (1, 1_000_000_000),
    "batch": (1, 65536),
    "crop": (16, 1024),  # of 8 the critic leaves one voxel, which has no spread to normalise
    "variants": (1, 65536),
}
_NUMBERS = {
    "learning_rate": (1e-9, 10.0),
    "discriminator_learning_rate": (1e-9, 10.0),
    "adversarial_from": (0.0, 1.0),
    "adversarial_weight": (0.0, 1e6),
    "perceptual_weight": (0.0, 1e6),
    "body_intensity": (0.0, 1.0),
    "hidden_share": (0.0, 1.0),
    "masking_threshold": (0.0, 1.0),
}


@dataclass(frozen=True)
class StageConfiguration:
    """One stage's file, checked.

    Attributes:
        file: the whole of it.
        section: the stage's own.
        settings: what that says.
        encoders: of a transformer: `pet_vqgan` and, with CT, `ct_vqgan` -> name of the run.
    """

    file: Section
    section: Section
    settings: Settings
    encoders: dict[str, str]

    @property
    def frame(self) -> dict[str, Any]:
        """`size_voxels` and `spacing_mm` along x, y, z (LPS)."""
        return self.file.section("frame").values

    @property
    def intensity(self) -> dict[str, Any]:
        """How SUV and HU become the model's intensities."""
        return self.file.section("intensity").values

    @property
    def needs_ct(self) -> bool:
        """Whether a study without CT is of no use to it."""
        of_ct = isinstance(self.settings, VQGANSettings) and self.settings.modality == "ct"
        return of_ct or "ct_vqgan" in self.encoders


def read_stage(config: Path, stage: str) -> StageConfiguration:
    """Read and check a stage's configuration.

    Args:
        config: JSON file with the sections `frame`, `intensity` and the stage's own.
        stage: `vqgan`, `transformer` or `autoencoder`.

    Raises:
        InputError: naming the file and the key.
    """
    file = read_section(config)
    frame, section = file.section("frame"), file.section(stage)
    frame.values.setdefault("orientation", "LPS")  # the only one: it need not be said
    size = check_frame(frame)
    sizes = section.section("sizes")
    check_sizes(sizes, _STAGES[stage].network)
    settings = _settings(_STAGES[stage], section, sizes)
    if isinstance(settings, VQGANSettings):
        stride = settings.sizes.stride
        for within, name, edges in (
            (frame, "size_voxels", size),
            (section, "crop", (settings.crop,)),
        ):
            if any(edge % stride for edge in edges):
                raise within.error(name, f"does not divide by {stride}, the voxels of a token")
    if isinstance(settings, AutoencoderSettings):
        _refuse(_DENSE.misfit({"autoencoder": sizes.values}, size), sizes)
    encoders = {key: section.text(key, 255) for key in ENCODERS if section.values.get(key)}
    if stage == "transformer" and "pet_vqgan" not in encoders:
        raise section.error("pet_vqgan", "must name the run whose tokens are learnt")
    found = StageConfiguration(file, section, settings, encoders)
    check_intensity(file.section("intensity"), found.needs_ct)
    return found


def check_what_lies_beside(stage: StageConfiguration, models: Path) -> None:
    """Check that a stage fits the template, where there is one yet, and the runs it builds on.

    Args:
        stage: from `read_stage`.
        models: the folder of the runs.

    Raises:
        InputError: naming the file and the key.
    """
    template = models / "template.nii.gz"
    if template.exists():
        _check_template(stage.file.section("frame"), template)
    if stage.encoders:
        _check_encoders(stage, models)


def _check_encoders(stage: StageConfiguration, models: Path) -> None:
    frame, intensity = stage.file.section("frame"), stage.file.section("intensity")
    sizes = stage.section.section("sizes")
    networks = {"transformer": sizes.values}
    for key, name in stage.encoders.items():
        place = models / name / "config.json"
        if not place.exists():
            raise InputError(
                f"{models / name} holds no training run", "train its vqgan stage first"
            )
        run, modality = read_stage(place, "vqgan"), ENCODERS[key]
        if run.section.value("modality") != modality:
            raise stage.section.error(key, f"is no run of {modality}: {name}")
        if run.frame["spacing_mm"] != frame.value("spacing_mm"):
            raise frame.error("spacing_mm", f"is not that of {place}")
        if run.intensity[modality] != intensity.value(modality):
            raise intensity.error(modality, f"is not that of {place}")
        networks[key] = run.section.section("sizes").values
    _refuse(_TOKENS.misfit(networks, check_frame(frame)), sizes)


def check_same_run(stage: StageConfiguration, run: Path) -> None:
    """Check that a run can go on so: its network, and what that sees, are as when it began.

    Args:
        stage: from `read_stage`.
        run: the folder of a run that has begun.

    Raises:
        InputError: naming the file and the key.
    """
    begun = read_stage(run / "config.json", stage.section.key)
    for section, earlier, keys in (
        (stage.file.section("frame"), begun.frame, FRAME_KEYS),
        (
            stage.file.section("intensity"),
            begun.intensity,
            ("pet", "ct") if stage.needs_ct else ("pet",),
        ),
        (stage.section, begun.section.values, ("modality", *ENCODERS)),
    ):
        for key in keys:
            if section.values.get(key) != earlier.get(key):
                raise _begun_otherwise(section, key, run)
    if stage.settings.sizes != begun.settings.sizes:
        raise _begun_otherwise(stage.section, "sizes", run)


def _begun_otherwise(section: Section, key: str, run: Path) -> PETAnomalyError:
    return section.error(key, f"is not what {run} began with; choose another folder to begin anew")


def _check_template(frame: Section, path: Path) -> None:
    reader = sitk.ImageFileReader()
    reader.SetFileName(str(path))
    try:
        reader.ReadImageInformation()
    except RuntimeError as error:
        raise InputError(f"{path} is damaged", "remove it, and the runs beside it") from error
    for name, found in zip(FRAME_KEYS, (reader.GetSize(), reader.GetSpacing())):
        if not np.allclose(frame.value(name), found):
            raise frame.error(
                name,
                f"is {frame.value(name)}, but {path}, to which the runs beside it are aligned, has "
                f"{[round(n, 3) for n in found]}: give a model with another frame a folder of "
                "its own",
            )


def _settings(stage: _Stage, section: Section, sizes: Section) -> Settings:
    known = {field.name: field for field in fields(stage.settings)}
    unknown = sorted(set(section.values) - set(known) - set(stage.more_keys))
    if unknown:
        raise section.error(
            unknown[0][:60], f"is unknown; known here: {', '.join([*known, *stage.more_keys])}"
        )
    values = {
        name: _value(section, name)
        for name, field in known.items()
        if name != "sizes" and (field.default is MISSING or name in section.values)
    }
    network = {k: tuple(v) if isinstance(v, list) else v for k, v in sizes.values.items()}
    return stage.settings(sizes=stage.sizes(**network), **values)  # type: ignore[no-any-return]


def _value(section: Section, name: str) -> Any:
    if name == "modality":
        return section.choice(name, tuple(ENCODERS.values()))
    if name == "masking_rounds":
        rounds = section.numbers(name, 0, 1000, 0.0, 1.0)
        if list(rounds) != sorted(set(rounds)):
            raise section.error(name, "must rise")
        return rounds
    if name in _WHOLE_NUMBERS:
        return section.integer(name, *_WHOLE_NUMBERS[name])
    return section.number(name, *_NUMBERS[name])


def _refuse(misfit: tuple[str, str] | None, sizes: Section) -> None:
    """Refuse networks that do not fit together; `misfit`: what is wrong with which size, if any."""
    if misfit:
        raise sizes.error(misfit[0].split(".")[-1], misfit[1])
