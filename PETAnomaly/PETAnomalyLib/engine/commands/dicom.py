"""`petanomaly dicom`: the findings of a result folder as DICOM objects."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from PETAnomalyLib.engine.commands import arguments
from PETAnomalyLib.engine.commands.arguments import Subcommands
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.imports import require_installed
from PETAnomalyLib.engine.runtime.reporter import Reporter


def add_dicom(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `dicom`."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "dicom",
        help="write a result's findings as DICOM",
        description="Write the findings of a result folder, also after its segmentation and table "
        "were corrected by hand, as a DICOM Segmentation and a Measurement Report.",
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("result", type=arguments.new_path, metavar="RESULT", help="the result folder")
    add(
        "--pet",
        type=arguments.path,
        required=True,
        metavar="DICOM_DIR",
        help="the DICOM PET that the result is of",
    )
    add(
        "--anonymous",
        action="store_true",
        help="write no name, ID, date or UID of the source",
    )
    add(
        "--send",
        metavar="URL",
        default=None,
        help="store them in the archive with this DICOMweb root as well",
    )
    add(
        "--token-file",
        type=arguments.path,
        default=None,
        metavar="FILE",
        help="with the archive's access token (default: PETANOMALY_DICOMWEB_TOKEN, else none)",
    )
    add("--events", action="store_true", help=arguments.EVENTS)
    parser.set_defaults(run=run, cancellable=False)
    return parser


def run(options: argparse.Namespace, reporter: Reporter) -> None:
    """Write both objects into the result folder, and send them where that is asked for.

    Raises:
        ModuleNotFoundError: highdicom or dicomweb-client is not installed.
        InputError: options that do not go together; see also `read_result` and `sending`.
    """
    require_installed("highdicom")
    deliver = _delivery(options)
    from PETAnomalyLib.engine.dicom_results.result_folder import read_result
    from PETAnomalyLib.engine.dicom_results.writing import write_objects

    reporter.stage("read", "Reading result and PET")
    reading, notes = read_result(options.result, options.pet, options.anonymous)
    for note in notes:
        reporter.log("warning", note)
    reporter.stage("write", "Writing DICOM objects")
    files = write_objects(options.result, reading)
    reporter.log("info", f"Wrote {' and '.join(file.name for file in files)}: "
                 f"{len(reading.reported)} findings")  # fmt: skip
    if deliver is not None:
        reporter.stage("send", "Sending to the archive")
        deliver(files)
        reporter.log("info", "The archive has stored them")
    reporter.progress(1.0)
    reporter.result(options.result)


def _delivery(options: argparse.Namespace) -> Callable[[Sequence[Path]], None] | None:
    """What sends the files, or None; all that can be wrong about it is said now."""
    if options.send is None:
        if options.token_file is not None:
            raise InputError("--token-file is for --send, which is not given.", "Add --send URL.")
        return None
    require_installed("dicomweb_client")
    from PETAnomalyLib.engine.dicom_results import sending

    sending.refuse_anonymous(options.anonymous)
    archive = sending.archive_at(options.send)
    token = sending.read_token(options.token_file)
    return lambda files: sending.send(files, archive, token)
