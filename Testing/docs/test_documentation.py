"""Every command of the README and of docs/ is run here, or elsewhere, or says why it is not.

A command that is none of these fails: add it to `RUN` when it is cheap, to `ELSEWHERE` with the
test that runs it, or mark its block as docs/develop/documentation.md says.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from documented_commands import PAGES, Command, blocks, commands, without_blocks
from PETAnomalyLib.engine import cli
from repository import ROOT, TESTING
from synthetic_dicom import a_body, pet_header, write_series

# Run below, in a folder with a model `my-model` and a DICOM PET in `dicom/pet`.
RUN = (
    r"petanomaly --(help|version)",
    r"petanomaly models (list|show|verify|add)\b.*",
    r"petanomaly suv dicom/pet --out SUV\.nii\.gz",
    r"python docs/tools/make_table\.py --help",
)
# Command -> file of the test that runs it, and what stands in that file.
ELSEWHERE = (
    (r"petanomaly detect .*", "test_first_detections.py", 'commands("petanomaly detect ")'),
    (r"petanomaly dicom result --pet dicom/pet.*", "test_result_folder.py", 'words = ["dicom"'),
    (r"petanomaly phantom --kind brain .*", "test_brain_phantom.py", '"--kind", "brain"'),
    (r"petanomaly phantom --kind texture .*", "test_textures.py", '"--kind", "texture"'),
    (r"petanomaly phantom .*", "test_cli.py", 'run_petanomaly("phantom"'),
    (r"petanomaly cohort check .*", "test_training_commands.py", "way_to_a_model"),
    (r"petanomaly train .*/tiny-.*", "test_training_commands.py", "way_to_a_model"),
    (r"petanomaly calibrate .* runs/calibration\.json", "test_training_commands.py", "way_to_a_"),
    (r"petanomaly export .*", "test_training_commands.py", "way_to_a_model"),
    (r"python setup_torch\.py --dry-run", "test_setup_torch.py", '"--dry-run"'),
    (r"\.venv/bin/python -m pytest Testing/docs/test_documentation\.py", ".ci/run", "make test"),
    (r"make demo", "test_first_detections.py", "demo.main()"),
    (r"make (test|lint)", ".ci/run", "make test"),
    (r"make docs", "test_pages.py", "build("),
)
# What a reason must say, and the reader beside it.
REASONS = (
    "network", "minutes", "hour", "Slicer", "graphics card", "window", "until you stop it",
    "in this repository",
)  # fmt: skip

ALL = list(commands())


def ids(command: Command) -> str:
    return str(command)


def engine_words(command: Command) -> list[str] | None:
    """What the command tells `petanomaly`; None where it is another program."""
    words = command.words
    for start in (["petanomaly"], ["-m", "PETAnomalyLib.engine"]):
        for at in range(len(words)):
            if words[at : at + len(start)] == start and words[0] != "pip":
                return words[at + len(start) :]
    return None


def test_there_are_commands() -> None:
    assert len(ALL) > 50
    assert any(command.block.page.name == "README.md" for command in ALL)


@pytest.mark.parametrize("command", ALL, ids=ids)
def test_a_command_is_run_or_says_why_not(command: Command) -> None:
    if command.block.reason:
        return
    if any(re.fullmatch(pattern, command.line) for pattern in RUN):
        return
    for pattern, file, words in ELSEWHERE:
        if re.fullmatch(pattern, command.line):
            assert words in found(file).read_text(encoding="utf-8")
            return
    pytest.fail("nothing runs it, and it is not marked")


def found(file: str) -> Path:
    """A test's file, wherever it lies; or a file named from the top of the repository."""
    if (ROOT / file).is_file():
        return ROOT / file
    (path,) = TESTING.rglob(file)
    return path


@pytest.mark.parametrize("command", [one for one in ALL if one.block.reason], ids=ids)
def test_a_reason_not_to_run_it_is_told_to_the_reader(command: Command) -> None:
    reasons = [word for word in REASONS if word in command.block.reason]
    assert reasons, f"{command.block.reason!r} is none of {REASONS}"
    shown = f"{command.block.before}\n{command.block.text}".replace("\n", " ")
    for word in reasons:
        assert word.lower().removesuffix("s") in shown.lower()


@pytest.mark.parametrize("command", [one for one in ALL if engine_words(one) is not None], ids=ids)
def test_petanomaly_understands_it(command: Command) -> None:
    words = engine_words(command)
    if words in (["--help"], ["--version"]):
        return
    cli.parser().parse_args(words)  # raises where it does not


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the commands of `RUN` name; the home directory is elsewhere."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))  # Windows
    shutil.copytree(ROOT / "Resources" / "Models" / "pet-phantom", tmp_path / "my-model")
    write_series(tmp_path / "dicom" / "pet", pet_header(), a_body())
    return tmp_path


@pytest.mark.parametrize(
    "line",
    sorted({one.line for one in ALL if any(re.fullmatch(pattern, one.line) for pattern in RUN)}),
)
def test_it_runs(line: str, place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(line)
    if words[0] == "python":
        words = [sys.executable, str(ROOT / words[1]), *words[2:]]
        assert subprocess.run(words, cwd=place, check=False).returncode == 0
        return
    if words[1].startswith("--"):
        with pytest.raises(SystemExit) as end:
            cli.main(words[1:])
        assert end.value.code == 0
        return
    assert cli.main(words[1:]) == 0, capfd.readouterr().err


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_stand_in_blocks_that_say_what_they_are(page: Path) -> None:
    languages = {block.language for block in blocks(page)}
    assert languages <= {"sh", "json", "python", "text"}
    prose = without_blocks(page)
    assert not re.findall(r"^ {4,}(?:petanomaly|python|pip|make) .*$", prose, re.M)
    # MkDocs makes no block of a fence within a list.
    assert not re.findall(r"^ +```", page.read_text(encoding="utf-8"), re.M)


def subcommands() -> set[str]:
    """Of `petanomaly`."""
    (actions,) = (one for one in cli.parser()._actions if isinstance(one.choices, dict))
    return set(actions.choices or ())


def targets() -> set[str]:
    """Of the Makefile."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z][\w-]*):", makefile, re.M))


@pytest.mark.parametrize(("program", "known"), [("petanomaly", subcommands), ("make", targets)])
def test_commands_that_prose_names_are_there(program: str, known: Callable[[], set[str]]) -> None:
    for page in PAGES:
        named = re.findall(rf"`{program} ([a-z][\w-]*)", without_blocks(page))
        in_blocks = [one.words[1] for one in commands(page) if one.words[0] == program]
        unknown = {name for name in (*named, *in_blocks) if not name.startswith("-")} - known()
        assert not unknown, f"{page.relative_to(ROOT)} names {program} {unknown}"
