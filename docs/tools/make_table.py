"""Run a command and keep the table that it writes as docs/tables/NAME.md.

    python docs/tools/make_table.py NAME COMMAND ...                what it prints
    python docs/tools/make_table.py --from FILE NAME COMMAND ...    what it writes into FILE

The file's first line says which command wrote it, of which commit, when, and on what computer. No
number of the documentation's tables is typed. Standard library only.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import os
import platform
import shlex
import subprocess
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
TABLES = REPOSITORY / "docs" / "tables"
SOURCES = ("PETAnomaly", "Testing", "Resources/Models")  # what a number depends on


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code, the command's own where that failed."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0], allow_abbrev=False)
    parser.add_argument("name", help="of the table")
    parser.add_argument("--from", dest="file", type=Path, metavar="FILE",
                        help="where the command writes it; else what it prints")  # fmt: skip
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    if not options.command:
        parser.error("there is no command")
    commit = commit_of_sources()  # as it is now; the command may take an hour
    run = subprocess.run(
        options.command, stdout=None if options.file else subprocess.PIPE, text=True, check=False
    )
    if run.returncode:
        return run.returncode
    text = options.file.read_text(encoding="utf-8") if options.file else run.stdout
    path = TABLES / f"{options.name}.md"
    path.write_text(f"{written_by(options.command, commit)}\n\n{text.strip()}\n", encoding="utf-8")
    print(f"Wrote {path}")
    return 0


def written_by(command: Sequence[str], commit: str) -> str:
    """The first line of a table's file."""
    words = shlex.join([Path(command[0]).name, *command[1:]])
    day = datetime.date.today().isoformat()
    return f"<!-- Written by `{words}` at {commit}, {day}; {computer()}. -->"


def commit_of_sources() -> str:
    """`commit 1a2b3c4`, and whether what the numbers depend on had changed since."""
    head = _git("rev-parse", "--short", "HEAD")
    if not head:
        return "an unknown commit"
    changed = _git("status", "--porcelain", "--", *SOURCES)
    return f"commit {head}{' with changes' if changed else ''}"


def computer() -> str:
    """Processors, system, and the versions that seconds and last digits depend on."""
    parts = [f"{os.cpu_count()} processors", f"{platform.system()} {platform.machine()}"]
    parts.append(f"Python {platform.python_version()}")
    with contextlib.suppress(metadata.PackageNotFoundError):
        parts.append(f"torch {metadata.version('torch')}")
    return ", ".join(parts)


def _git(*words: str) -> str:
    command = ["git", "-C", str(REPOSITORY), *words]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


if __name__ == "__main__":
    sys.exit(main())
