"""Studies in the frame of a model, on disk: alignment and resampling take seconds a study, once.

A study is kept as `<cache>/<patient>__<study>-<inputs>.npz` (float16 intensities, uint8 lesions and
brain, in the model frame). <inputs> is a hash of what went into it: a study that was written anew,
another template or another intensity is aligned again, and never mistaken for what lies there under
its name.
"""

from __future__ import annotations

import hashlib
import json
import os
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from PETAnomalyLib.engine.runtime.errors import InputError, PETAnomalyError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import for_each

Kept = TypeVar("Kept")


@dataclass(frozen=True)
class AlignedStudy:
    """One study in the model frame.

    Attributes:
        name: `<patient>__<study>`.
        image: D x H x W float16, the model's intensity of the PET or the MR.
        ct: D x H x W float16, the model's CT intensity, or None.
        lesions: D x H x W uint8, 1 in lesions, or None.
        brain: D x H x W uint8, 1 in the brain; None of a PET.
    """

    name: str
    image: np.ndarray
    ct: np.ndarray | None
    lesions: np.ndarray | None
    brain: np.ndarray | None = None


@dataclass(frozen=True)
class Inputs:
    """What a study in the model frame is made of.

    Attributes:
        name: `<patient>__<study>`.
        places: its image files and DICOM folders.
        arguments: of what makes it, after the file to be written.
    """

    name: str
    places: tuple[Path, ...]
    arguments: tuple[Any, ...]


def aligned(
    studies: Sequence[Inputs],
    make: Callable[..., None],
    common: bytes,
    intensity: Mapping[str, Any],
    cache: Path,
    reporter: Reporter,
) -> list[AlignedStudy]:
    """Every usable study, from the cache where it already is.

    A study that cannot be used is named in a warning and left out.

    Args:
        studies: all of them.
        make: a function of a module: writes a study to the file that is its first argument.
        common: of all studies, such as the template's bytes.
        intensity: how stored values become the model's.
        cache: folder of the files.
        reporter: told of the progress.

    Raises:
        InputError: not a single study is usable.
    """
    return _usable(studies, make, common, intensity, cache, reporter, kept)


def aligned_files(
    studies: Sequence[Inputs],
    make: Callable[..., None],
    common: bytes,
    intensity: Mapping[str, Any],
    cache: Path,
    reporter: Reporter,
) -> list[tuple[str, Path]]:
    """Name and file of every usable study, for `kept`; else as `aligned`, which reads them all."""

    def found(name: str, file: Path) -> tuple[str, Path] | None:
        return None if kept(name, file) is None else (name, file)

    return _usable(studies, make, common, intensity, cache, reporter, found)


def _usable(
    studies: Sequence[Inputs],
    make: Callable[..., None],
    common: bytes,
    intensity: Mapping[str, Any],
    cache: Path,
    reporter: Reporter,
    look_up: Callable[[str, Path], Kept | None],
) -> list[Kept]:
    """What `look_up` finds of every study, which is made where it finds nothing."""
    cache.mkdir(parents=True, exist_ok=True)
    common += json.dumps(dict(intensity), sort_keys=True).encode()
    files = {study.name: cache / _file_name(study, common) for study in studies}
    found = {study.name: look_up(study.name, files[study.name]) for study in studies}
    missing = [study for study in studies if found[study.name] is None]
    if missing:
        reporter.stage("align", f"Aligning {len(missing)} studies")
        jobs = [(make, files[study.name], study.arguments) for study in missing]
        whys = for_each(_make_or_say_why_not, jobs, os.cpu_count() or 1, reporter, (0.0, 0.05))
        for study, why in zip(missing, whys):
            if why is not None:
                reporter.log("warning", f"{study.name} left out: {why}")
            else:
                found[study.name] = look_up(study.name, files[study.name])
    usable = [one for one in (found[study.name] for study in studies) if one is not None]
    if not usable:
        raise InputError("not one study of the cohort is usable", "the warnings above say why")
    return usable


def write_aligned(file: Path, arrays: Mapping[str, np.ndarray]) -> None:
    """Write a study's arrays whole, or not at all."""
    partial = file.with_suffix(f".{os.getpid()}.partial.npz")
    np.savez(partial, **arrays)  # type: ignore[arg-type]  # names of arrays, no options
    partial.replace(file)


def _file_name(study: Inputs, common: bytes) -> str:
    inputs = hashlib.sha256(common)
    for place in study.places:
        inputs.update(repr(_state(place)).encode())
    return f"{study.name}-{inputs.hexdigest()[:12]}.npz"


def _state(place: Path) -> list[tuple[str, int, int]]:
    """Name, size and time of the last change of an image file, or of all files of a folder.

    Not their content: reading a cohort of DICOM folders takes as long as aligning it.
    """
    found = sorted(place.rglob("*")) if place.is_dir() else [place]
    return [(f.name, f.stat().st_size, f.stat().st_mtime_ns) for f in found if f.is_file()]


def _make_or_say_why_not(
    make: Callable[..., None], file: Path, arguments: tuple[Any, ...]
) -> str | None:
    try:
        make(file, *arguments)
    except PETAnomalyError as error:
        return error.message
    return None


def kept(name: str, path: Path) -> AlignedStudy | None:
    """From the cache; None: not there, another version's, or left short by a power cut."""
    try:
        with np.load(path) as arrays:
            return AlignedStudy(
                name=name,
                image=arrays["image"],
                ct=arrays.get("ct"),
                lesions=arrays.get("lesions"),
                brain=arrays.get("brain"),
            )
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
