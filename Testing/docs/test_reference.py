"""What the reference pages list (options, files, columns, keys, errors) is what the engine has."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from PETAnomalyLib.engine import cli, report
from PETAnomalyLib.engine.findings.measures import Finding
from PETAnomalyLib.engine.remote.frames import RemoteError
from PETAnomalyLib.engine.runtime.errors import PETAnomalyError
from PETAnomalyLib.engine.runtime.output import RESULT_FILES
from repository import MODULE, ROOT

DOCS = ROOT / "docs"


def section(page: str, heading: str) -> str:
    """From a heading to the next of any level."""
    text = (DOCS / page).read_text(encoding="utf-8")
    match = re.search(rf"^#+ {re.escape(heading)}\n(.*?)(?=^#+ |\Z)", text, re.M | re.S)
    assert match is not None, f"{page} has no section {heading!r}"
    return match[1]


def rows(text: str) -> list[list[str]]:
    """The cells of all tables of a text, without their first two lines."""
    tables = re.findall(r"(?:^\|.*\|\n)+", text, re.M)
    return [
        [cell.strip() for cell in line.strip("|").split(" | ")]
        for table in tables
        for line in table.splitlines()[2:]
    ]


def in_code(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def leaves(
    parser: argparse.ArgumentParser, name: str = "petanomaly"
) -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that does something, by its words."""
    inner = [action.choices for action in parser._actions if isinstance(action.choices, dict)]
    if not inner:
        yield name, parser
    for actions in inner:
        for word, one in actions.items():
            yield from leaves(one, f"{name} {word}")


COMMANDS = dict(leaves(cli.parser()))


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_a_command_stands_on_its_page_and_no_other(name: str) -> None:
    documented = [in_code(row[0])[0].split()[0] for row in rows(section("command-line.md", name))]
    actions = [one for one in COMMANDS[name]._actions if one.dest != "help"]
    options = {one.option_strings[0] for one in actions if one.option_strings}
    assert {word for word in documented if word.startswith("-")} == options
    arguments = [word for word in documented if not word.startswith("-")]
    assert len(arguments) == sum(not one.option_strings for one in actions)


def test_no_command_stands_there_that_is_not() -> None:
    text = (DOCS / "command-line.md").read_text(encoding="utf-8")
    groups = {" ".join(name.split()[:2]) for name in COMMANDS}
    assert set(re.findall(r"^#+ (petanomaly .*)$", text, re.M)) == {*COMMANDS, *groups}


def test_every_required_option_says_so() -> None:
    for name, parser in COMMANDS.items():
        cells = {
            in_code(row[0])[0].split()[0]: row[2] for row in rows(section("command-line.md", name))
        }
        for action in parser._actions:
            if action.option_strings and action.dest != "help":
                option = action.option_strings[0]
                assert (cells[option] == "required") == action.required, (name, option)


def test_the_columns_of_the_findings_are_those_that_are_written() -> None:
    documented = [in_code(row[0])[0] for row in rows(section("what-is-written.md", "findings.csv"))]
    assert documented == [field.name for field in fields(Finding)]


@pytest.mark.parametrize("page", ["docs/what-is-written.md", "README.md"])
def test_the_results_files_are_those_that_are_written(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    heading = "## petanomaly detect" if page.startswith("docs") else "## What is written"
    whole = text.split(heading)[1].split("\n## ")[0]
    assert {name for row in rows(whole) for name in in_code(row[0])} == RESULT_FILES


def test_the_keys_of_the_report_are_those_that_are_written() -> None:
    tree = ast.parse(Path(report.__file__).read_text(encoding="utf-8"))
    (written,) = (
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "report"
    )
    assert isinstance(written, ast.Dict)
    keys = [str(key.value) for key in written.keys if isinstance(key, ast.Constant)]
    listed = rows(section("what-is-written.md", "report.json"))
    assert sorted(name for row in listed for name in in_code(row[0])) == sorted(keys)


def kinds_of(error: type[PETAnomalyError]) -> set[tuple[int, str]]:
    """Exit code and kind of an error and of all that are made from it, in the engine."""
    own = {(error.exit_code, error.kind)} if error.__module__.startswith("PETAnomalyLib") else set()
    return own.union(*(kinds_of(one) for one in error.__subclasses__()))


def test_the_kinds_of_errors_are_those_that_the_engine_has() -> None:
    listed = rows(section("troubleshooting.md", "Exit codes and kinds"))
    documented = {(int(row[0]), kind) for row in listed for kind in in_code(row[1])}
    assert RemoteError.kind in {kind for _, kind in kinds_of(PETAnomalyError)}
    assert documented == kinds_of(PETAnomalyError)
    codes = {int(row[0]) for row in rows(section("command-line.md", "Exit codes"))}
    assert codes == {0, *(code for code, _ in documented)}


@pytest.mark.parametrize(
    ("heading", "folder"), [("The engine's rooms", "engine"), ("The panel's rooms", "panel")]
)
def test_the_rooms_of_the_house_are_its_folders(heading: str, folder: str) -> None:
    listed = rows(section("develop/index.md", heading))
    named = {name.rstrip("/") for row in listed for name in in_code(row[0]) if name.endswith("/")}
    inside = (MODULE / "PETAnomalyLib" / folder).iterdir()
    assert named == {path.name for path in inside if (path / "__init__.py").is_file()}
