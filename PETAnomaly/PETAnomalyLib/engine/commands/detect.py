"""`petanomaly detect`: from a PET/CT study to maps, findings and a report."""

from __future__ import annotations

import argparse
from typing import Any

from PETAnomalyLib.engine.bundles.kinds import SCORERS
from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.commands.arguments import COHORT, Subcommands
from PETAnomalyLib.engine.commands.remote import add_host, check_host, other_computer
from PETAnomalyLib.engine.commands.workers import OPTIONS, add_workers, check_workers, workers
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.imports import require_installed
from PETAnomalyLib.engine.runtime.reporter import Reporter

MOST_DRAWS = 1000
LARGEST_SEED = 2**63 - 1


def add_detect(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `detect`. A setting that is not given keeps the default of `DetectionSettings`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "detect",
        help="find anomalies in a study",
        description="Find anomalies in a PET/CT study, or in an MR of the brain. PATH is an image "
        "file (NIfTI, NRRD, MHA) or a DICOM folder. DIR must be new, empty or hold an earlier "
        "result.",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    add = parser.add_argument
    studies = parser.add_mutually_exclusive_group(required=True)
    studies.add_argument("--pet", type=arguments.path, metavar="PATH", help="the PET")
    studies.add_argument(
        "--mr", type=arguments.path, metavar="PATH", help="an MR of the brain, for a model of MR"
    )
    studies.add_argument(
        "--cohort",
        type=arguments.path,
        metavar="DIR|FILE.csv|DICOM_ROOT",
        help=f"many studies in one go: {COHORT}, or any folder of DICOM files",
    )
    add(
        "--ct",
        type=arguments.path,
        default=None,
        metavar="PATH",
        help="the CT, if the model uses one",
    )
    add(
        "--mask",
        type=arguments.path,
        metavar="PATH",
        help="the brain in the MR: an image on its grid, not 0 in the brain (default: what is left "
        "of a skull-stripped MR, or the model's own mask, registered)",
    )
    add(
        "--organs",
        type=arguments.path,
        metavar="PATH",
        help="segmented organs, to say where each finding lies: a label image with a JSON file of "
        "names beside it, a .seg.nrrd, or a folder of one mask an organ",
    )
    add("--out", type=arguments.new_path, required=True, metavar="DIR", help="where the results go")
    add("--model", metavar="NAME|DIR", help="the model; see: petanomaly models list")
    add("--scorer", type=arguments.scorer, metavar="|".join(SCORERS))
    draws = arguments.whole_number(1, MOST_DRAWS)
    add("--samples", type=draws, metavar="N", help="healed latents")
    add("--decodes", type=draws, metavar="K", help="dropout decodes of each")
    add("--seed", type=arguments.whole_number(0, LARGEST_SEED), metavar="S")
    add("--device", type=arguments.device, metavar="auto|cpu|cuda[:i]|mps")
    add(
        "--threshold",
        type=arguments.number(),
        metavar="T",
        help="findings start where the scorer's map is above T (default: the model's)",
    )
    add(
        "--grow",
        type=arguments.number(0, 1),
        metavar="FRACTION",
        help="grow findings to this fraction of their own SUVmax (default: 0.4; 0: no growing)",
    )
    add(
        "--min-volume",
        type=arguments.number(0),
        dest="min_volume_ml",
        metavar="ML",
        help="leave out findings smaller than this, in ml (default: the model's)",
    )
    add(
        "--all-uptake",
        action="store_false",
        dest="elevated_only",
        help="score uptake that is too low as well (default: elevated uptake only)",
    )
    add(
        "--keep-reconstructions",
        action="store_true",
        help="also write every pseudo-healthy reconstruction",
    )
    add(
        "--time-budget",
        type=arguments.number(1),
        metavar="SECONDS",
        help="draw fewer samples where the whole would take longer than this; never fewer than 4",
    )
    add("--anyway", action="store_true",
        help="go on where the study does not fit the model (upside down, another patient's CT, "
        "...): what would be refused is a warning")  # fmt: skip
    add(
        "--anonymous",
        action="store_true",
        help="write no name of a file, no date and no UID into the results",
    )
    add(
        "--dicom",
        action="store_true",
        help="also write the findings as a DICOM Segmentation and Measurement Report",
    )
    add_workers(parser, "studies of a cohort, about 2 GB each,")
    add(
        "--shard",
        type=arguments.shard,
        metavar="I/N",
        help="of a cohort every N-th study from the I-th on: for job arrays",
    )
    add_host(parser)
    add("--events", action="store_true", help=arguments.EVENTS)
    parser.set_defaults(run=run, cancellable=True)
    return parser


def run(options: argparse.Namespace, reporter: Reporter) -> None:
    """Detect, as the options say.

    Raises:
        ModuleNotFoundError: something that a detection needs is not installed.
        InputError: options that do not go together.
    """
    given: dict[str, Any] = vars(options)
    _check_mr(given)
    _check_cohort(given)
    check_workers(options)
    check_host(options)
    if "host" in given:
        from PETAnomalyLib.engine.remote.near_side import detect_there

        files = ("pet", "ct", "organs", "mr", "mask")
        inputs = {name: given[name] for name in files if given.get(name)}
        detect_there(other_computer(options), inputs, options.out, given, reporter)
        return
    require_installed("torch", "safetensors")  # before half a minute is spent
    if "dicom" in options:
        require_installed("highdicom")
    from PETAnomalyLib.engine.detection_settings import DetectionSettings

    names = (
        "model",
        "scorer",
        "samples",
        "decodes",
        "seed",
        "device",
        "threshold",
        "grow",
        "min_volume_ml",
        "elevated_only",
        "keep_reconstructions",
        "anonymous",
        "dicom",
        "anyway",
        "time_budget",
    )
    settings = DetectionSettings(**{name: given[name] for name in names if name in given})
    if "cohort" in given:
        from PETAnomalyLib.engine.cohorts.cohort_detection import detect_cohort

        with workers(options) as chosen:
            shard = given.get("shard", (1, 1))
            detect_cohort(options.cohort, options.out, settings, reporter, chosen, shard)
        return
    if "mr" in given:
        from PETAnomalyLib.engine.detection import detect_in
        from PETAnomalyLib.engine.head_examination import HeadInputs

        head = HeadInputs(options.mr, given.get("mask"))
        detect_in(head, options.out, settings, reporter)
        return
    from PETAnomalyLib.engine.detection import detect

    detect(options.pet, options.ct, options.out, settings, reporter, organs=given.get("organs"))


def _check_mr(given: dict[str, Any]) -> None:
    """Refuse what goes with one kind of study beside the other."""
    if "mr" not in given:
        if "mask" in given:
            raise InputError(
                "--mask is the brain in an MR, and no MR is given.",
                "Give the MR with --mr, or leave the mask out.",
            )
        return
    for name in ("ct", "organs", "grow"):
        if given.get(name) is not None:
            raise InputError(
                f"--{name} is for a PET, and --mr gives an MR.", "Leave one of them out."
            )


def _check_cohort(given: dict[str, Any]) -> None:
    if "cohort" in given:
        if given["ct"] is not None:
            raise InputError(
                "--ct is the CT of one study, and --cohort names many.",
                "A cohort's CTs lie in its folders, or stand in its list.",
            )
        if "organs" in given:
            raise InputError(
                "--organs are those of one study, and --cohort names many.",
                "Detect with --pet where findings are to be placed.",
            )
        return
    for name in (*OPTIONS, "shard"):
        if name in given:
            raise InputError(
                f"--{name.replace('_', '-')} is for many studies, and --pet names one.",
                "Give --cohort in the place of --pet, or leave it out.",
            )
