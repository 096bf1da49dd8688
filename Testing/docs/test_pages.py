"""The pages hold together: built strictly, links and paths that are there, tables with a source."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
from documented_commands import PAGES, without_blocks
from PETAnomalyLib import __version__
from PETAnomalyLib.engine import cli
from repository import MODULE, ROOT

DOCS = ROOT / "docs"
TABLES = sorted((DOCS / "tables").glob("*.md"))
LIBRARY = MODULE / "PETAnomalyLib"
# Where a path that prose names may begin.
BEGINNINGS = (
    ROOT, DOCS, LIBRARY, LIBRARY / "engine", LIBRARY / "panel",
    LIBRARY / "engine" / "families" / "vqgan_performer", LIBRARY / "engine" / "findings",
)  # fmt: skip
NOT_HERE = re.compile(
    r"^(~|\$|<|/|imagesTr|labelsTr|demo/|table1/|wheels|site|result/|runs|aligned/|tokens/|docs/README"
    r"|tensorboard/|configs/calibration|PETAnomaly/$)"
)


def tool(name: str) -> ModuleType:
    """A file of docs/tools."""
    spec = importlib.util.spec_from_file_location(name, DOCS / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(site: Path) -> None:
    """As `make docs`, elsewhere."""
    from mkdocs.commands.build import build as build_site
    from mkdocs.config import load_config

    build_site(load_config(str(ROOT / "mkdocs.yml"), strict=True, site_dir=str(site)))


def test_the_documentation_is_built_strictly(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    build(tmp_path / "site")
    models = (tmp_path / "site" / "models.html").read_text(encoding="utf-8")
    assert "<table>" in models
    assert "Written by <code>petanomaly evaluate --table1" in models
    assert (tmp_path / "site" / "changelog.html").is_file()
    assert (tmp_path / "site" / "pictures" / "petanomaly.png").is_file()


def test_a_table_that_is_not_there_fails_the_build() -> None:
    exceptions = pytest.importorskip("mkdocs.exceptions")
    with pytest.raises(exceptions.PluginError, match=r"not in docs/tables"):
        tool("pages").table("no-such-table.md", "models.md")


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.name)
def test_a_table_says_which_command_wrote_it_and_stands_on_a_page(path: Path) -> None:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    written = re.fullmatch(r"<!-- Written by `([^`]+)`.* commit [0-9a-f]{7}.* -->", first)
    assert written is not None
    words = written[1].split()
    if words[0] == "petanomaly":
        cli.parser().parse_args(words[1:])
    else:
        assert words[0] == "python"
        assert (ROOT / words[1]).is_file()
    assert any(f"](tables/{path.name})\n" in page.read_text("utf-8") for page in PAGES) or any(
        f"](../tables/{path.name})\n" in page.read_text("utf-8") for page in PAGES
    )


def test_a_commands_table_is_kept_with_its_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_table = tool("make_table")
    monkeypatch.setattr(make_table, "TABLES", tmp_path)
    command = [sys.executable, "-c", "print('| a |\\n|---|\\n| 1 |')"]
    assert make_table.main(["one", *command]) == 0
    first, empty, *table = (tmp_path / "one.md").read_text(encoding="utf-8").splitlines()
    assert re.match(r"<!-- Written by `python\S* -c .*` at .*processors.*, Python 3.* -->$", first)
    assert (empty, table) == ("", ["| a |", "|---|", "| 1 |"])
    (tmp_path / "written.md").write_text("| b |\n")
    file = ["--from", str(tmp_path / "written.md")]
    assert make_table.main([*file, "two", sys.executable, "-c", "print('not this')"]) == 0
    assert (tmp_path / "two.md").read_text(encoding="utf-8").endswith("-->\n\n| b |\n")


def test_a_command_that_fails_leaves_the_table_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_table = tool("make_table")
    monkeypatch.setattr(make_table, "TABLES", tmp_path)
    assert make_table.main(["one", sys.executable, "-c", "raise SystemExit(4)"]) == 4
    assert list(tmp_path.iterdir()) == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 150


def slug(heading: str) -> str:
    """The anchor of a heading, on GitHub."""
    words = re.sub(r"[`*]", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere_on_github_too(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", without_blocks(page)):
        if re.match(r"https?://", target):
            continue
        name, _, anchor = target.partition("#")
        path = page.parent / name if name else page
        assert path.exists(), f"{page.name}: {target}"
        if anchor:
            headings = re.findall(r"^#+ (.*)$", path.read_text(encoding="utf-8"), re.M)
            assert anchor in {slug(heading) for heading in headings}, f"{page.name}: {target}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_files_that_prose_names_are_there(page: Path) -> None:
    if page.name == "experiments.md":  # history
        return
    for name in re.findall(r"`([\w.<>~$/-]+/[\w.<>/-]*|[\w-]+\.py)`", without_blocks(page)):
        if NOT_HERE.match(name) or "<" in name:
            continue
        there = any((beginning / name).exists() for beginning in BEGINNINGS)
        assert there or ("/" not in name and any(ROOT.rglob(name))), f"{page.name}: {name}"


def test_the_citation_has_what_the_format_asks_for() -> None:
    yaml = pytest.importorskip("yaml")
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    assert {"cff-version", "message", "title", "authors", "version", "license"} <= set(citation)
    assert citation["authors"] == [{"name": "PETAnomaly contributors"}]
    assert citation["version"] == __version__
    assert "doi" not in citation


def test_the_changelog_has_the_coming_and_the_present_version() -> None:
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.M)
    assert headings[0] == "Unreleased"
    assert headings[1].startswith(f"{__version__} - ")
