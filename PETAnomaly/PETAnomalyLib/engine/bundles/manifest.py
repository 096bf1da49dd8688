"""A bundle's `configs/metadata.json`, read and checked key by key. No torch, nothing evaluated.

Every string is text: MONAI's `$expressions` and `@references` mean nothing here.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from PETAnomalyLib.engine.bundles.kinds import FAMILIES, SCORERS, Family, NetworkKind, Size
from PETAnomalyLib.engine.bundles.names import is_portable, safe_path
from PETAnomalyLib.engine.frame.intensity import MANIFEST, check_intensity
from PETAnomalyLib.engine.frame.measured_regions import (
    BORDERS,
    MEASURES,
    QUANTILES,
    REGIONS,
    WHOLE,
)
from PETAnomalyLib.engine.runtime.errors import BundleError
from PETAnomalyLib.engine.runtime.json_file import parse_json
from PETAnomalyLib.engine.runtime.json_section import Section, shown
from PETAnomalyLib.engine.runtime.regular_file import read_regular
from PETAnomalyLib.engine.study.contrast import CONTRASTS

FORMAT = 1
_STRANGENESS = "strangeness"
LARGEST_MANIFEST_BYTES = 1 << 20
_LARGEST_FRAME_VOXELS = 1 << 27

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


def read_manifest(path: Path) -> dict[str, Any]:
    """Parse `configs/metadata.json` strictly and check every key that is used.

    Raises:
        BundleError: naming the file and the key.
    """
    try:
        content = read_regular(path, LARGEST_MANIFEST_BYTES)
    except OSError as error:
        raise BundleError(
            f"{MANIFEST.name} cannot be read: {error.strerror or error}.", MANIFEST.hint
        ) from error
    try:
        manifest = parse_json(
            content.decode("utf-8"),
            parse_float=_finite,
            parse_constant=_not_json,
            object_pairs_hook=_once_each,
        )
    except ValueError as error:
        raise BundleError(
            f"{MANIFEST.name} is not valid JSON: {str(error)[:200]}.", MANIFEST.hint
        ) from error
    check_manifest(manifest)
    return manifest  # type: ignore[no-any-return]  # an object: `check_manifest` has seen it


def check_manifest(manifest: Any) -> None:
    """Check MONAI's keys and the `petanomaly` section, types and ranges.

    Raises:
        BundleError: naming the file and the key.
    """
    whole = Section(manifest, MANIFEST)
    if not is_portable(whole.text("name", longest=64)):
        raise whole.error(
            "name",
            "must be letters, digits, '.', '_' and '-', and no name that Windows keeps for itself: "
            "it names a folder",
        )
    for name in _TEXTS:
        whole.text(name)
    data_format = whole.section("network_data_format")
    data_format.section("inputs")
    data_format.section("outputs")

    ours = whole.section("petanomaly")
    if ours.integer("format", 0, 1 << 30) != FORMAT:
        raise ours.error("format", f"is {ours.values['format']}; this version reads {FORMAT}")
    ours.text("title", longest=200)
    of_mr, with_ct = _check_inputs(ours.section("inputs"))
    frame = ours.section("frame")
    size = check_frame(frame)
    _check_path(frame, "template", ".nii.gz")
    if of_mr:
        _check_path(frame, "mask", ".nii.gz")
        if frame.values["mask"] == frame.values["template"]:
            raise frame.error("mask", "is the template")
    family = _check_healer(ours, with_ct, size)
    check_intensity(ours.section("intensity"), with_ct, of_mr)
    with_norms = "normative" in ours.values
    scorers = _check_scorers(ours, family, with_norms)
    _check_thresholds(ours.section("thresholds"), scorers, family, with_norms)
    _check_sampling(ours.section("sampling"), family)
    ours.number("min_volume_ml", 0.0, 1000.0)
    if "postprocessing" in ours.values:
        check_postprocessing(ours.section("postprocessing"))
        _check_objects_fit(ours, scorers)
    if with_norms:
        _check_normative(ours.section("normative"), frame)
    _refuse_other_modality(ours, of_mr)
    if "tracer" in ours.values:
        _check_tracer(ours.section("tracer"))
    if "region_atlas" in ours.values:
        _check_path(ours, "region_atlas", ".nii.gz")
        if ours.values["region_atlas"] == frame.values["template"]:
            raise ours.error("region_atlas", "is the template")
    if "familiarity" in ours.values:
        _check_familiarity(ours.section("familiarity"))


def _check_inputs(inputs: Section) -> tuple[bool, bool]:
    """Whether the model is of MR, and whether it needs a CT."""
    if "mr" not in inputs.values:
        inputs.choice("pet", ("required",))
        return False, inputs.choice("ct", ("required", "unused")) == "required"
    inputs.choice("mr", CONTRASTS)
    surplus = sorted(set(inputs.values) - {"mr"})
    if surplus:
        raise inputs.error(surplus[0][:60], "is nothing that a model of MR looks at")
    return True, False


def _refuse_other_modality(ours: Section, of_mr: bool) -> None:
    mine, other = ("MR", "PET") if of_mr else ("PET", "MR")
    for name in ("tracer", "region_atlas", "familiarity") if of_mr else ("normative",):
        if name in ours.values:
            raise ours.error(name, f"is of {other}, and the model is of {mine}")


def _check_normative(found: Section, frame: Section) -> None:
    """Where mean and standard deviation of healthy heads' residuals lie, and of how many heads."""
    found.integer("heads", 1, 1 << 30)
    taken = [frame.values["template"], frame.values.get("mask")]
    for name in ("mean", "std"):
        _check_path(found, name, ".nii.gz")
        if found.values[name] in taken:
            raise found.error(name, "is another image of the model")
        taken.append(found.values[name])
    surplus = sorted(set(found.values) - {"heads", "mean", "std"})
    if surplus:
        raise found.error(surplus[0][:60], "is not known of a normative residual")


def check_postprocessing(found: Section) -> None:
    """Check what is done to a map before findings are drawn from it.

    Raises:
        PETAnomalyError: that of the section's file, naming the key.
    """
    if found.integer("median_voxels", 1, 15) % 2 == 0:
        raise found.error("median_voxels", "must be odd")
    found.number("squash_percentile", 0.0, 50.0)
    found.integer("eroded_voxels", 0, 10)
    if "darker_too" in found.values and not isinstance(found.values["darker_too"], bool):
        raise found.error("darker_too", "must be true or false")
    if "objects" in found.values:
        _check_objects(found.section("objects"))
    known = {"median_voxels", "squash_percentile", "eroded_voxels", "darker_too", "objects"}
    surplus = sorted(set(found.values) - known)
    if surplus:
        raise found.error(surplus[0][:60], "is not known of post-processing")


def _check_objects(objects: Section) -> None:
    """Paper 4's steps: the fields of `scoring.objects.ObjectSteps`."""
    for edge in ("eroded_edge", "dilated_edge"):
        if objects.integer(edge, 1, 15) % 2 == 0:
            raise objects.error(edge, "must be odd")
    objects.number("threshold", 0.0, 1.0)
    objects.integer("kept", 1, 1000)
    if objects.integer("classes", 0, 12) == 1:
        raise objects.error("classes", "is 1: one class has no edges; 0 is for none")
    if not isinstance(objects.value("of_volume"), bool):
        raise objects.error("of_volume", "must be true or false")
    known = {"eroded_edge", "threshold", "kept", "dilated_edge", "classes", "of_volume"}
    surplus = sorted(set(objects.values) - known)
    if surplus:
        raise objects.error(surplus[0][:60], "is not known of objects")


def _check_objects_fit(ours: Section, scorers: tuple[str, ...]) -> None:
    """The residual's map is above one half where there are objects."""
    found = ours.section("postprocessing")
    if "objects" not in found.values:
        return
    if "residual" not in scorers:
        raise found.error("objects", "are made of the residual, which is none of the scorers")
    thresholds = ours.section("thresholds").section("scorers")
    if thresholds.values["residual"] != 0.5:
        raise thresholds.error("residual", "must be 0.5: objects are what lies above it")


def check_frame(frame: Section) -> tuple[int, ...]:
    """Check the grid of a model's frame.

    Returns:
        Its voxels along slices, rows, columns.
    """
    frame.choice("orientation", ("LPS",))
    frame.numbers("spacing_mm", 3, 3, 0.5, 50.0)
    columns, rows, slices = frame.integers("size_voxels", 3, 3, 8, 1024)
    if columns * rows * slices > _LARGEST_FRAME_VOXELS:
        raise frame.error("size_voxels", f"is more than {_LARGEST_FRAME_VOXELS} voxels")
    return slices, rows, columns


def check_sizes(sizes: Section, kind: NetworkKind) -> None:
    """Check every size of a network: there, in range, and none that it does not have."""
    for name, size in kind.sizes.items():
        if size.required or name in sizes.values:
            _check_size(sizes, name, size)
    unknown = sorted(set(sizes.values) - set(kind.sizes))
    if unknown:
        raise sizes.error(unknown[0][:60], "is not a size of this network")


def _check_path(section: Section, name: str, ending: str) -> None:
    path = safe_path(section.value(name))
    if path is None or path.parts[0] != "models" or not path.name.endswith(ending):
        raise section.error(
            name,
            f"is {shown(section.values[name])}; it must be a path inside the model folder, "
            f"models/NAME{ending}",
        )


def _check_healer(ours: Section, with_ct: bool, size: tuple[int, ...]) -> Family:
    healer, weights = ours.section("healer"), ours.section("weights")
    family = FAMILIES[healer.choice("family", tuple(FAMILIES))]
    expected = [n for n in family.networks if with_ct or n not in family.networks_with_ct]
    for name in expected:
        check_sizes(healer.section(name), family.networks[name])
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


def _check_size(sizes: Section, name: str, size: Size) -> None:
    if size.length is None:
        sizes.integer(name, size.low, size.high)
    else:
        sizes.integers(name, *size.length, size.low, size.high)


def _check_scorers(ours: Section, family: Family, with_norms: bool) -> tuple[str, ...]:
    scorers = ours.value("scorers")
    if not isinstance(scorers, list) or not scorers:
        raise ours.error("scorers", "must be a list of at least one scorer")
    for scorer in scorers:
        if not isinstance(scorer, str) or scorer not in SCORERS:
            raise ours.error("scorers", f"holds {shown(scorer)}; known here: {', '.join(SCORERS)}")
        if scorer not in family.scorers and not (with_norms and scorer == "zscore"):
            raise ours.error(
                "scorers",
                f"holds '{scorer}', which needs several reconstructions; '{family.name}' gives one",
            )
    if len(set(scorers)) != len(scorers):
        raise ours.error("scorers", "names a scorer twice")
    return tuple(scorers)


def _check_thresholds(
    thresholds: Section, scorers: tuple[str, ...], family: Family, with_norms: bool
) -> None:
    needed = {
        "resampling": ("resampling" in family.thresholds, 1e-9, 1.0),  # a probability
        "min_bandwidth": ("kde" in scorers, 1e-6, 1.0),  # model intensity
        "epsilon_percentile": ("zscore" in scorers and not with_norms, 0.0, 100.0),
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


def _check_tracer(tracer: Section) -> None:
    """What the model's studies were injected with; absent, it is F-18 FDG."""
    tracer.text("name", longest=64)
    tracer.number("half_life_s", 1.0, 1e7)  # O-15 has 122 s, Zr-89 282,276 s
    if "code" in tracer.values:
        tracer.text("code", longest=64)
    surplus = sorted(set(tracer.values) - {"name", "code", "half_life_s"})
    if surplus:
        raise tracer.error(surplus[0][:60], "is not known of a tracer")


def _check_familiarity(familiarity: Section) -> None:
    """How studies of the model's own kind look to it: quantiles that never fall."""
    familiarity.integer("studies", 1, 1 << 30)
    borders = familiarity.section("borders_mm")
    for border in BORDERS:
        borders.number(border, -10000.0, 10000.0)
    measures = familiarity.section("measures")
    known = {f"{region}/{measure}" for region in (*REGIONS, WHOLE) for measure in MEASURES}
    for part, surplus in (
        (
            familiarity,
            set(familiarity.values) - {"studies", "borders_mm", "measures", _STRANGENESS},
        ),
        (borders, set(borders.values) - set(BORDERS)),
        (measures, set(measures.values) - known),
    ):
        if surplus:
            raise part.error(min(surplus)[:60], "is not known of familiarity")
    for section, name in [
        *((measures, name) for name in measures.values),
        (familiarity, _STRANGENESS),
    ]:
        quantiles = section.numbers(name, QUANTILES, QUANTILES, -1e6, 1e6)
        if any(after < before for before, after in zip(quantiles, quantiles[1:])):
            raise section.error(name, "falls; quantiles never do")


def _finite(number: str) -> float:
    if not math.isfinite(float(number)):
        raise ValueError(f"{number[:60]} is too large a number")
    return float(number)


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not a JSON number")


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice[:60]!r} stands twice")
    return values
