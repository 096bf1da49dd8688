"""`detect --host`, and `petanomaly remote`: another computer, by ssh."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any

from PETAnomalyLib.engine.commands.arguments import Subcommands
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.printable import printable
from PETAnomalyLib.engine.runtime.reporter import Reporter

if TYPE_CHECKING:
    from PETAnomalyLib.engine.remote.ssh import OtherComputer


def add_remote(subcommands: Subcommands) -> argparse.ArgumentParser:
    """Add `remote` and its own subcommands."""
    parser: argparse.ArgumentParser = subcommands.add_parser(
        "remote",
        help="what there is on another computer, for detect --host",
        description="Another computer that is reached by ssh, for: petanomaly detect --host HOST.",
        allow_abbrev=False,
    )
    actions = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    checking = actions.add_parser(
        "check",
        help="version, models, graphics cards, free memory and disk there",
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
    )
    checking.add_argument("host", metavar="HOST", help="as ssh knows it")
    _add_program(checking)
    checking.add_argument("--json", action="store_true", help="as JSON, for programs")
    checking.set_defaults(run=run_check, cancellable=True)

    serving = actions.add_parser(
        "serve", help="what ssh starts there: one errand on stdin and stdout", allow_abbrev=False
    )
    serving.set_defaults(run=run_serve, cancellable=False)
    return parser


def add_host(parser: argparse.ArgumentParser) -> None:
    """Add the options that name another computer."""
    parser.add_argument(
        "--host", metavar="HOST", help="detect on another computer, named as for ssh"
    )
    _add_program(parser)


def check_host(options: argparse.Namespace) -> None:
    """Raises:
    InputError: options that do not go together.
    """
    given = vars(options)
    if "host" not in given:
        for name in ("program", "before"):
            if name in given:
                raise InputError(f"--{name} is for another computer.", "Give --host with it.")
    elif "cohort" in given:
        raise InputError(
            "--host is for one study, and --cohort names many.",
            "Run the cohort there, or give it --scheduler.",
        )


def other_computer(options: argparse.Namespace) -> OtherComputer:
    """The one that the options name."""
    from PETAnomalyLib.engine.remote.ssh import OtherComputer

    given = vars(options)
    names = ("host", "program", "before")
    return OtherComputer(**{name: given[name] for name in names if name in given})


def run_check(options: argparse.Namespace, reporter: Reporter) -> None:
    """Print what is there."""
    from PETAnomalyLib.engine.remote.near_side import check_there

    found = check_there(other_computer(options), reporter)
    if getattr(options, "json", False):
        print(json.dumps(found, indent=2))
        return
    for name, value in _in_words(found).items():
        print(f"{name}: {printable(value)}")


def run_serve(options: argparse.Namespace, reporter: Reporter) -> None:  # noqa: ARG001
    """Do one errand for the program at the other end of stdin."""
    from PETAnomalyLib.engine.remote.far_side import serve

    code = serve()
    if code:
        sys.exit(code)


def _add_program(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--program", metavar="PATH", help="petanomaly there (default: petanomaly)")
    parser.add_argument(
        "--before",
        metavar="WORDS",
        help='what goes in front of it, as "srun --gres=gpu:1" on a login node',
    )


def _in_words(found: dict[str, Any]) -> dict[str, str]:
    cards = [
        card["name"]
        + (f", {card['free_bytes'] / 1e9:.1f} GB free" if card["free_bytes"] is not None else "")
        for card in found["cards"]
    ]
    memory = found["free_memory_bytes"]
    packages = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return {
        "petanomaly": f"{found['version']}, Python {found['python']} on {found['system']}",
        "packages": packages or "none",
        "models": ", ".join(model["name"] for model in found["models"]) or "none",
        "graphics cards": "; ".join(cards) or found["problem"] or "none",
        "free memory": "not known" if memory is None else f"{memory / 1e9:.1f} GB",
        "free disk": f"{found['free_disk_bytes'] / 1e9:.1f} GB",
    }
