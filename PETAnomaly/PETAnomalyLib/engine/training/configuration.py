"""Configuration files, and a stage's checked to the last key before hours go into the cohort.

What a bundle may hold is checked here already (`manifest.py`): a network that could not be exported
is not worth training.
"""

from __future__ import annotations

from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import numpy as np

from PETAnomalyLib.engine.bundles.kinds import STAGES
from PETAnomalyLib.engine.bundles.manifest import check_frame, check_sizes
from PETAnomalyLib.engine.frame.intensity import check_intensity
from PETAnomalyLib.engine.runtime.errors import InputError, PETAnomalyError
from PETAnomalyLib.engine.runtime.json_file import read_json
from PETAnomalyLib.engine.runtime.json_section import Document, Section
from PETAnomalyLib.engine.study.contrast import CONTRASTS
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.training.stage import (
    COMMON_KEYS,
    PICTURES,
    Stage,
    StageConfiguration,
)

FRAME_KEYS = ("size_voxels", "spacing_mm")


def read_configuration(path: Path) -> dict[str, Any]:
    """The object in a JSON file.

    Raises:
        InputError: the file cannot be read, or is something else.
    """
    try:
        settings = read_json(path)
    except (OSError, ValueError) as error:  # of encodings and of JSON too
        raise InputError(f"the settings in {path} cannot be read: {error}") from error
    if not isinstance(settings, dict):
        raise InputError(f"the settings in {path} are not a JSON object")
    return settings


def read_section(path: Path) -> Section:
    """The same, to be checked key by key.

    Raises:
        InputError: the file cannot be read, or is something else; and from the section's checks.
    """
    return Section(read_configuration(path), Document(str(path), "Correct it there.", InputError))


def read_stage(config: Path, name: str) -> StageConfiguration:
    """Read and check a stage's configuration.

    Args:
        config: JSON file with the sections `frame`, `intensity` and the stage's own; of pictures
            `pictures` and the stage's own.
        name: of the stage, one of `STAGES`.

    Raises:
        InputError: naming the file and the key.
    """
    stage: Stage = STAGES[name]()
    file = read_section(config)
    section = file.section(name)
    if PICTURES in file.values:
        size: tuple[int, ...] = _check_pictures(file, stage)
    else:
        frame = file.section("frame")
        frame.values.setdefault("orientation", "LPS")  # the only one: it need not be said
        size = check_frame(frame)
    sizes = section.section("sizes")
    check_sizes(sizes, stage.network)
    runs = {key: section.text(key, 255) for key in stage.runs_beside if section.values.get(key)}
    settings = _settings(stage, section, sizes)
    found = StageConfiguration(stage, file, section, size, settings, runs)
    stage.check(found)
    if found.of_pictures:
        return found
    if "inputs" in file.values:
        _check_inputs(file.section("inputs"), found)
    check_intensity(file.section("intensity"), found.needs_ct, bool(found.contrast))
    return found


def _check_pictures(file: Section, stage: Stage) -> tuple[int, int, int]:
    """Channels, rows and columns."""
    pictures = file.section(PICTURES)
    for name in ("frame", "intensity", "inputs"):
        if name in file.values:
            raise file.error(name, "is of volumes, and the file is of pictures")
    rows, columns = pictures.integers("size", 2, 2, 16, 1024)
    channels = pictures.integer("channels", 1, 3)
    if channels == 2:
        raise pictures.error("channels", "must be 1 (grey) or 3 (colour)")
    surplus = sorted(set(pictures.values) - {"size", "channels"})
    if surplus:
        raise pictures.error(surplus[0][:60], "is unknown; known here: size, channels")
    if not stage.of_pictures:
        raise file.error(PICTURES, f"are nothing that the stage '{stage.name}' trains on")
    return channels, rows, columns


def _check_inputs(inputs: Section, found: StageConfiguration) -> None:
    inputs.choice("mr", CONTRASTS)
    surplus = sorted(set(inputs.values) - {"mr"})
    if surplus:
        raise inputs.error(surplus[0][:60], "is unknown; a model of PET has no inputs here")
    if not found.stage.of_mr:
        raise inputs.error("mr", f"is nothing that the stage '{found.stage.name}' trains on")


def load_what_lies_beside(configuration: StageConfiguration, models: Path) -> Any:
    """Check that a stage fits the template, where there is one yet, and the runs it builds on.

    Args:
        configuration: from `read_stage`.
        models: the folder of the runs.

    Returns:
        What the stage needs of those runs.

    Raises:
        InputError: naming the file and the key.
    """
    template = models / "template.nii.gz"
    if template.exists() and not configuration.of_pictures:
        _check_template(configuration.file.section("frame"), template)
    return configuration.stage.load_beside(configuration, models)


def run_beside(
    configuration: StageConfiguration, key: str, models: Path, stage: str
) -> StageConfiguration:
    """The configuration of a run that another one builds upon, of the same frame and intensities.

    Args:
        configuration: from `read_stage`.
        key: of its section, which names the run.
        models: the folder of the runs.
        stage: what the run must be of.

    Raises:
        InputError: there is no such run, or it does not fit; naming the file and the key.
    """
    name, modality = configuration.runs_beside[key], configuration.stage.runs_beside[key]
    place = models / name / "config.json"
    if not place.exists():
        raise InputError(f"{models / name} holds no training run", f"train its {stage} stage first")
    run = read_stage(place, stage)
    if configuration.of_pictures or run.of_pictures:
        if run.file.values.get(PICTURES) != configuration.file.values.get(PICTURES):
            raise configuration.section.error(key, f"is a run of other pictures, or none: {name}")
        return run
    frame, intensity = (configuration.file.section(part) for part in ("frame", "intensity"))
    if run.section.value("modality") != modality:
        raise configuration.section.error(key, f"is no run of {modality}: {name}")
    if run.frame["spacing_mm"] != frame.value("spacing_mm"):
        raise frame.error("spacing_mm", f"is not that of {place}")
    if run.intensity[modality] != intensity.value(modality):
        raise intensity.error(modality, f"is not that of {place}")
    return run


def check_same_run(configuration: StageConfiguration, run: Path) -> None:
    """Check that a run can go on so: its network, and what that sees, are as when it began.

    Args:
        configuration: from `read_stage`.
        run: the folder of a run that has begun.

    Raises:
        InputError: naming the file and the key.
    """
    stage = configuration.stage
    begun = read_stage(run / "config.json", stage.name)
    if configuration.contrast != begun.contrast:
        raise _begun_otherwise(configuration.file, "inputs", run)
    modalities = ("pet", "ct") if configuration.needs_ct else ("pet",)
    if configuration.contrast:
        modalities = ("mr",)
    own = configuration.section, begun.section.values, (*stage.fixed, *stage.runs_beside)
    if configuration.of_pictures or begun.of_pictures:
        if configuration.file.values.get(PICTURES) != begun.file.values.get(PICTURES):
            raise _begun_otherwise(configuration.file, PICTURES, run)
        sections = [own]
    else:
        sections = [
            (configuration.file.section("frame"), begun.frame, FRAME_KEYS),
            (configuration.file.section("intensity"), begun.intensity, modalities),
            own,
        ]
    for section, earlier, keys in sections:
        for key in keys:
            if section.values.get(key) != earlier.get(key):
                raise _begun_otherwise(section, key, run)
    if configuration.settings.sizes != begun.settings.sizes:
        raise _begun_otherwise(configuration.section, "sizes", run)


def _begun_otherwise(section: Section, key: str, run: Path) -> PETAnomalyError:
    return section.error(key, f"is not what {run} began with; choose another folder to begin anew")


def _check_template(frame: Section, path: Path) -> None:
    try:
        template = read_float_image(path)
    except InputError as error:
        raise InputError(f"{path} is damaged", "remove it, and the runs beside it") from error
    for name, found in zip(FRAME_KEYS, (template.GetSize(), template.GetSpacing())):
        if not np.allclose(frame.value(name), found):
            raise frame.error(
                name,
                f"is {frame.value(name)}, but {path}, to which the runs beside it are aligned, has "
                f"{[round(n, 3) for n in found]}: give a model with another frame a folder of "
                "its own",
            )


def _settings(stage: Stage, section: Section, sizes: Section) -> Any:
    known = {field.name: field for field in fields(stage.settings)}
    more = tuple(stage.runs_beside)
    unknown = sorted(set(section.values) - set(known) - set(more))
    if unknown:
        raise section.error(
            unknown[0][:60], f"is unknown; known here: {', '.join([*known, *more])}"
        )
    keys = {**COMMON_KEYS, **stage.keys}
    values = {
        name: keys[name](section, name)
        for name, field in known.items()
        if name != "sizes" and (field.default is MISSING or name in section.values)
    }
    network = {k: tuple(v) if isinstance(v, list) else v for k, v in sizes.values.items()}
    _, sizes_type = stage.network.architecture()
    return stage.settings(sizes=sizes_type(**network), **values)
