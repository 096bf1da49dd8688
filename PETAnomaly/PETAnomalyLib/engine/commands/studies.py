"""`petanomaly suv` and `petanomaly phantom`: studies made for this program."""

from __future__ import annotations

import argparse
import json

from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.commands.arguments import Subcommands
from PETAnomalyLib.engine.commands.workers import add_workers, workers
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
        "DIR/<patient>/<study>/{SUV,CTres,SEG}.nii.gz.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--out", type=arguments.new_path, required=True, metavar="DIR")
    add("--count", type=arguments.whole_number(1, MOST_PHANTOMS), required=True, metavar="N")
    add("--seed", type=arguments.whole_number(0, LARGEST_SEED), required=True, metavar="S")
    add("--healthy", action="store_true", help="without lesions")
    add_workers(parser, "patients")
    told = parser.add_mutually_exclusive_group().add_argument
    told("--json", action="store_true", help="print what was made as JSON")
    told("--events", action="store_true", help=arguments.EVENTS)
    parser.set_defaults(run=run_phantom, cancellable=False)
    return parser


def run_phantom(options: argparse.Namespace, reporter: Reporter) -> None:
    """Make the cohort, patient by patient, so that it can be followed.

    Raises:
        InputError: options that do not go together, or a cluster that is not there.
    """
    from PETAnomalyLib.engine.phantom import write_cohort
    from PETAnomalyLib.engine.runtime.worker_pool import for_each

    reporter.stage("phantom", "Making phantoms")
    jobs = [(options.out, 1, options.seed + n, options.healthy) for n in range(options.count)]
    with workers(options) as chosen:
        made = for_each(write_cohort, jobs, chosen, reporter, (0.0, 1.0))
    studies = [study for of_one in made for study in of_one]
    if options.json:
        print(json.dumps(studies, indent=2, ensure_ascii=False))
        return
    for study in studies:
        print(f"{study['path']}  {study['lesion_count']} lesions")
