"""A bundle's `configs/metadata.json`, read and checked key by key. No torch, nothing evaluated.

Every string is text: MONAI's `$expressions` and `@references` mean nothing here. Each check names
the file and the key, since the reader of the message will open that file.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from .errors import BundleError
from .families import FAMILIES, SCORERS, Family, NetworkKind, Size
from .intensity import MANIFEST, ct_window, pet_scaling

FORMAT = 1
LARGEST_MANIFEST_BYTES = 1 << 20
_LARGEST_FRAME_VOXELS = 1 << 27
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)
_HINT = "The model folder is damaged or made for another version of PETAnomaly; install it again."

# What MONAI's bundle specification demands, and what a user must be told about a medical model.
_TEXTS = (
    "version",
    "monai_version",
    "pytorch_version",
    "numpy_version",
    "task",
    "description",
    "authors",
    "copyright",
    "license",
    "intended_use",
    "data_source",
)


class Section:
    """One object of the manifest, with its place in the file.

    Args:
        values: the parsed JSON, of any type.
        key: where it stands, dotted; empty for the whole file.

    Raises:
        BundleError: from every method, where the key is missing or not what it must be.
    """

    def __init__(self, values: Any, key: str = "") -> None:
        self.key = key
        if not isinstance(values, dict):
            raise self.error("", "must be an object")
        self.values: dict[str, Any] = values

    def error(self, name: str, wrong: str) -> BundleError:
        key = ".".join(part for part in (self.key, name) if part) or "(whole file)"
        message = f"{MANIFEST}, key {key}: {wrong}."
        # A hostile key must not reach a terminal as control characters.
        return BundleError("".join(c if c.isprintable() else "?" for c in message), _HINT)

    def value(self, name: str) -> Any:
        if name not in self.values:
            raise self.error(name, "is missing")
        return self.values[name]

    def section(self, name: str) -> Section:
        return Section(self.value(name), ".".join(part for part in (self.key, name) if part))

    def text(self, name: str, longest: int = 20000) -> str:
        value = self.value(name)
        if not isinstance(value, str) or not value.strip() or len(value) > longest:
            raise self.error(name, f"must be text of 1 to {longest} characters")
        if not all(c.isprintable() or c in "\n\t" for c in value):
            raise self.error(name, "holds control characters")
        return value

    def choice(self, name: str, known: Sequence[str]) -> str:
        value = self.value(name)
        if not isinstance(value, str) or value not in known:
            raise self.error(name, f"is {_shown(value)}; known here: {', '.join(known)}")
        return value

    def number(self, name: str, low: float, high: float) -> float:
        return float(self._bounded(name, self.value(name), low, high))

    def integer(self, name: str, low: int, high: int) -> int:
        value = self._bounded(name, self.value(name), low, high)
        if not isinstance(value, int):
            raise self.error(name, f"is {_shown(value)}; it must be a whole number")
        return value

    def integers(self, name: str, least: int, most: int, low: int, high: int) -> tuple[int, ...]:
        values = self._list(name, least, most)
        if any(isinstance(value, float) for value in values):
            raise self.error(name, f"is {_shown(values)}; it must hold whole numbers")
        return tuple(int(self._bounded(name, value, low, high)) for value in values)

    def numbers(self, name: str, length: int, low: float, high: float) -> tuple[float, ...]:
        values = self._list(name, length, length)
        return tuple(float(self._bounded(name, value, low, high)) for value in values)

    def _list(self, name: str, least: int, most: int) -> list[Any]:
        values = self.value(name)
        if not isinstance(values, list) or not least <= len(values) <= most:
            raise self.error(name, f"must be a list of {least} to {most} values")
        return values

    def _bounded(self, name: str, value: Any, low: float, high: float) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:
            raise self.error(
                name, f"is {_shown(value)}; it must be a number from {low:g} to {high:g}"
            )
        return value  # type: ignore[no-any-return]  # int or float, just checked


def read_manifest(path: Path) -> dict[str, Any]:
    """Parse `configs/metadata.json` strictly and check every key that is used.

    Raises:
        BundleError: naming the file and the key.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_MANIFEST_BYTES + 1)
    except OSError as error:
        raise BundleError(
            f"{MANIFEST} cannot be read: {error.strerror or error}.", _HINT
        ) from error
    if len(content) > LARGEST_MANIFEST_BYTES:
        raise BundleError(f"{MANIFEST} is larger than {LARGEST_MANIFEST_BYTES} bytes.", _HINT)
    try:
        manifest = json.loads(
            content.decode("utf-8"), parse_constant=_not_json, object_pairs_hook=_once_each
        )
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{MANIFEST} is not valid JSON: {str(error)[:200]}.", _HINT) from error
    check_manifest(manifest)
    return manifest  # type: ignore[no-any-return]  # an object: `check_manifest` has seen it


def check_manifest(manifest: Any) -> None:
    """Check MONAI's keys and the `petanomaly` section, types and ranges.

    Raises:
        BundleError: naming the file and the key.
    """
    whole = Section(manifest)
    if not _NAME.fullmatch(whole.text("name", longest=64)):
        raise whole.error("name", "must be letters, digits, '.', '_' and '-' (it names a folder)")
    for name in _TEXTS:
        whole.text(name)
    data_format = whole.section("network_data_format")
    data_format.section("inputs")
    data_format.section("outputs")

    ours = whole.section("petanomaly")
    if ours.integer("format", 0, 1 << 30) != FORMAT:
        raise ours.error("format", f"is {ours.values['format']}; this version reads {FORMAT}")
    ours.text("title", longest=200)
    inputs = ours.section("inputs")
    inputs.choice("pet", ("required",))
    with_ct = inputs.choice("ct", ("required", "unused")) == "required"
    size = _check_frame(ours.section("frame"))
    family = _check_healer(ours, with_ct, size)
    _check_intensity(ours, with_ct)
    scorers = _check_scorers(ours, family)
    _check_thresholds(ours.section("thresholds"), scorers, family)
    _check_sampling(ours.section("sampling"), family)
    ours.number("min_volume_ml", 0.0, 1000.0)


def safe_path(text: Any) -> PurePosixPath | None:
    """`text` as a path inside the bundle, or None: no root, drive, backslash, `..`, hidden part."""
    if not isinstance(text, str) or len(text) > 200:
        return None
    parts = text.split("/")
    return PurePosixPath(text) if all(_NAME.fullmatch(part) for part in parts) else None


def _check_frame(frame: Section) -> tuple[int, ...]:
    """The frame's voxels along slices, rows, columns."""
    frame.choice("orientation", ("LPS",))
    frame.numbers("spacing_mm", 3, 0.5, 50.0)
    columns, rows, slices = frame.integers("size_voxels", 3, 3, 8, 1024)
    if columns * rows * slices > _LARGEST_FRAME_VOXELS:
        raise frame.error("size_voxels", f"is more than {_LARGEST_FRAME_VOXELS} voxels")
    _check_path(frame, "template", ".nii.gz")
    return slices, rows, columns


def _check_path(section: Section, name: str, ending: str) -> None:
    path = safe_path(section.value(name))
    if path is None or path.parts[0] != "models" or not path.name.endswith(ending):
        raise section.error(
            name,
            f"is {_shown(section.values[name])}; it must be a path inside the model folder, "
            f"models/NAME{ending}",
        )


def _check_healer(ours: Section, with_ct: bool, size: tuple[int, ...]) -> Family:
    healer, weights = ours.section("healer"), ours.section("weights")
    family = FAMILIES[healer.choice("family", tuple(FAMILIES))]
    expected = [n for n in family.networks if with_ct or n not in family.networks_with_ct]
    for name in expected:
        _check_sizes(healer.section(name), family.networks[name])
        _check_path(weights, name, ".safetensors")
    for section in (healer, weights):
        surplus = sorted(set(section.values) - set(expected) - {"family"})
        if surplus:
            raise section.error(
                surplus[0][:60],
                f"is not part of a '{family.name}' model {'with' if with_ct else 'without'} CT",
            )
    misfit = family.misfit({name: healer.values[name] for name in expected}, size)
    if misfit:
        raise healer.error(*misfit)
    return family


def _check_sizes(sizes: Section, kind: NetworkKind) -> None:
    for name, size in kind.sizes.items():
        if size.required or name in sizes.values:
            _check_size(sizes, name, size)
    unknown = sorted(set(sizes.values) - set(kind.sizes))
    if unknown:
        raise sizes.error(unknown[0][:60], "is not a size of this network")


def _check_size(sizes: Section, name: str, size: Size) -> None:
    if size.length is None:
        sizes.integer(name, size.low, size.high)
    else:
        sizes.integers(name, *size.length, size.low, size.high)


def _check_intensity(ours: Section, with_ct: bool) -> None:
    intensity = ours.section("intensity")
    pet_scaling(intensity.values)
    if with_ct or "ct" in intensity.values:
        ct_window(intensity.values)


def _check_scorers(ours: Section, family: Family) -> tuple[str, ...]:
    scorers = ours.value("scorers")
    if not isinstance(scorers, list) or not scorers:
        raise ours.error("scorers", "must be a list of at least one scorer")
    for scorer in scorers:
        if not isinstance(scorer, str) or scorer not in SCORERS:
            raise ours.error("scorers", f"holds {_shown(scorer)}; known here: {', '.join(SCORERS)}")
        if scorer not in family.scorers:
            raise ours.error(
                "scorers",
                f"holds '{scorer}', which needs several reconstructions; '{family.name}' gives one",
            )
    if len(set(scorers)) != len(scorers):
        raise ours.error("scorers", "names a scorer twice")
    return tuple(scorers)


def _check_thresholds(thresholds: Section, scorers: tuple[str, ...], family: Family) -> None:
    needed = {
        "resampling": (family.gives_many_reconstructions, 1e-9, 1.0),  # a probability
        "min_bandwidth": ("kde" in scorers, 1e-6, 1.0),  # model intensity
        "epsilon_percentile": ("zscore" in scorers, 0.0, 100.0),
    }
    for name, (is_needed, low, high) in needed.items():
        if is_needed or name in thresholds.values:
            thresholds.number(name, low, high)
    limits = {"kde": (-1e6, 1e6), "zscore": (0.0, 1e6), "residual": (0.0, 1.0)}
    own = thresholds.section("scorers")
    for scorer in scorers:
        own.number(scorer, *limits[scorer])


def _check_sampling(sampling: Section, family: Family) -> None:
    samples = sampling.integer("samples", 1, 1024)
    decodes = sampling.integer("decodes", 1, 1024)
    if not family.gives_many_reconstructions and samples * decodes > 1:
        raise sampling.error("samples", f"and decodes must be 1: '{family.name}' gives one")


def _shown(value: Any) -> str:
    """A value as a message can carry it: short, and never failing however odd it is."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > 1 << 64:
        return "a huge number"
    if isinstance(value, float) and not math.isfinite(value):
        return "not a finite number"
    text = repr(value) if isinstance(value, (str, int, float, type(None))) else type(value).__name__
    return text if len(text) <= 80 else text[:77] + "..."


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice[:60]!r} stands twice")
    return values
