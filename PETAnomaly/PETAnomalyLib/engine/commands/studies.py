"""`petanomaly suv` and `petanomaly phantom`: studies made for this program."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from typing import Any

from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.commands.arguments import Subcommands
from PETAnomalyLib.engine.commands.workers import add_workers, workers
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter

MOST_PHANTOMS = 100_000
LARGEST_SEED = 2**62


def add_suv(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `suv`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "suv",
        help="convert a DICOM PET to SUVbw",
        description="Convert a DICOM PET series to an image in SUV by body weight (g/ml).",
        allow_abbrev=False,
    )
    parser.add_argument("dicom", type=arguments.path, metavar="DICOM_DIR", help="the DICOM folder")
    parser.add_argument("--out", type=arguments.new_path, required=True, metavar="FILE.nii.gz")
    parser.add_argument("--events", action="store_true", help=arguments.EVENTS)
    parser.set_defaults(run=run_suv, cancellable=False)
    return parser


def run_suv(options: argparse.Namespace, reporter: Reporter) -> None:
    """Convert."""
    from PETAnomalyLib.engine.study.dicom.suv_file import write_suv

    description, warnings = write_suv(options.dicom, options.out)
    for warning in warnings:
        reporter.log("warning", warning)
    suv = description["suv"]
    factors = suv.get("factor_of_slices") or [suv["factor"]]
    factor = " to ".join(f"{value:.6g}" for value in factors)
    reporter.log("info", f"SUVbw = {factor} x stored value ({suv['units']}; {suv['rule']})")
    reporter.log("info", f"Wrote {options.out}")


def add_phantom(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `phantom`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "phantom",
        help="make synthetic studies with known lesions",
        description="Make synthetic whole-body PET/CT studies with ground truth, as a cohort: "
        "DIR/<patient>/<study>/{SUV,CTres,SEG}.nii.gz; or heads, as brain MR: "
        "{T1w,T2w,FLAIR,SEG,MASK}.nii.gz; or pictures of textures, as MVTec AD has them: "
        "DIR/<category>/{train,test,ground_truth}/.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--out", type=arguments.new_path, required=True, metavar="DIR")
    add("--count", type=arguments.whole_number(1, MOST_PHANTOMS), required=True, metavar="N")
    add("--seed", type=arguments.whole_number(0, LARGEST_SEED), required=True, metavar="S")
    add("--kind", choices=("body", "brain", "texture"), default="body",
        help="whole-body PET/CT (default), brain MR, or textured surfaces")  # fmt: skip
    add("--healthy", action="store_true", help="without lesions")
    add_brain(parser)
    parser.add_argument_group("texture phantoms").add_argument(
        "--category", action="append", metavar="NAME",
        help="leather, grid, tile, cable or nut; may be repeated (default: all five)")  # fmt: skip
    add_workers(parser, "patients")
    told = parser.add_mutually_exclusive_group().add_argument
    told("--json", action="store_true", help="print what was made as JSON")
    told("--events", action="store_true", help=arguments.EVENTS)
    parser.set_defaults(run=run_phantom, cancellable=False)
    return parser


def add_brain(parser: argparse.ArgumentParser) -> None:
    """Add what only brain phantoms have; each is None where it is not given."""
    add = parser.add_argument_group("brain phantoms").add_argument
    add("--disease", metavar="KIND",
        help="mass, plaques, hyperintensities or stroke (default: each head its own)")  # fmt: skip
    add("--contrast", action="append", metavar="NAME",
        help="T1w, T2w, FLAIR or T1c; may be repeated (default: the first three)")  # fmt: skip
    add("--voxel", type=arguments.number(), metavar="MM",
        help="edge of the voxels, 0.8 to 4 (default: 1)")  # fmt: skip
    add("--skull-stripped", action="store_true", default=None, help="0 outside the brain")


def run_phantom(options: argparse.Namespace, reporter: Reporter) -> None:
    """Make the cohort, patient by patient, so that it can be followed.

    Raises:
        InputError: options that do not go together, or a cluster that is not there.
        MissingPackageError: what brain phantoms are made of is not installed.
    """
    from PETAnomalyLib.engine.runtime.worker_pool import for_each

    make, rest = _maker(options)
    reporter.stage("phantom", "Making phantoms")
    jobs = [(options.out, 1, options.seed + n, options.healthy, *rest)
            for n in range(options.count)]  # fmt: skip
    with workers(options) as chosen:
        made = for_each(make, jobs, chosen, reporter, (0.0, 1.0))
    studies = [study for of_one in made for study in of_one]
    if options.json:
        print(json.dumps(studies, indent=2, ensure_ascii=False))
        return
    for study in studies:
        print(f"{study['path']}  {study['lesion_count']} lesions")


_OPTIONS_OF = {
    "brain": ("disease", "contrast", "voxel", "skull_stripped"),
    "texture": ("category",),
}
"""What only phantoms of a kind have."""


def _maker(
    options: argparse.Namespace,
) -> tuple[Callable[..., list[dict[str, Any]]], tuple[Any, ...]]:
    """What makes a cohort, and what it is told beside folder, count, seed and health."""
    for kind, names in _OPTIONS_OF.items():
        for name in names:
            if kind != options.kind and getattr(options, name) is not None:
                raise InputError(
                    f"--{name.replace('_', '-')} is for {kind} phantoms.",
                    f"Add --kind {kind}, or leave it out.",
                )
    if options.kind == "texture":
        from PETAnomalyLib.engine.phantom.texture.categories import TEXTURES
        from PETAnomalyLib.engine.phantom.texture.cohort import write_texture_cohort
        from PETAnomalyLib.engine.phantom.texture.picture import check_category

        categories = tuple(options.category or TEXTURES)
        for category in categories:
            check_category(category)
        return write_texture_cohort, (categories,)
    if options.kind == "body":
        from PETAnomalyLib.engine.phantom import write_cohort

        return write_cohort, ()
    from PETAnomalyLib.engine.phantom.brain.cohort import write_brain_cohort
    from PETAnomalyLib.engine.phantom.brain.sequences import ALWAYS
    from PETAnomalyLib.engine.phantom.brain.study import check_options
    from PETAnomalyLib.engine.phantom.brain.template import nilearn_folder

    contrasts = tuple(options.contrast or ALWAYS)
    voxel_mm = 1.0 if options.voxel is None else options.voxel
    check_options(options.healthy, options.disease, contrasts, voxel_mm)
    nilearn_folder()
    return write_brain_cohort, (options.disease, contrasts, voxel_mm, bool(options.skull_stripped))
