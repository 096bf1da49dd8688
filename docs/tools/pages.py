"""What MkDocs does with the pages before it renders them (a hook, named in mkdocs.yml).

- A line that is nothing but a link into `tables/` becomes that table, with the words of its first
  line, which say what wrote it, below. A table that is not there fails the build. On GitHub the
  link is a link.
- Pictures stay where CMake and the README have them, in `Resources/Screenshots`.
- The changelog is the repository's CHANGELOG.md.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

REPOSITORY = Path(__file__).resolve().parents[2]
TABLE = re.compile(r"^\[[^\]]+\]\((?:\.\./)*tables/([\w-]+\.md)\)$", re.MULTILINE)
WRITTEN = re.compile(r"<!-- (Written .*) -->\n", re.DOTALL)
PICTURES = re.compile(r"((?:\.\./)*)\.\./Resources/Screenshots/")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """The files that lie outside docs/."""
    for picture in sorted((REPOSITORY / "Resources" / "Screenshots").glob("*.png")):
        files.append(File.generated(config, f"pictures/{picture.name}", abs_src_path=str(picture)))
    changelog = str(REPOSITORY / "CHANGELOG.md")
    files.append(File.generated(config, "changelog.md", abs_src_path=changelog))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:  # noqa: ARG001 - MkDocs names them
    """The page with its tables in it."""
    with_tables = TABLE.sub(lambda link: table(link[1], page.file.src_uri), markdown)
    return PICTURES.sub(r"\1pictures/", with_tables)


def table(name: str, page: str) -> str:
    """A table and, below it, what wrote it.

    Args:
        name: of the file in docs/tables.
        page: that asks for it.

    Raises:
        PluginError: it is not there, or does not say what wrote it.
    """
    path = REPOSITORY / "docs" / "tables" / name
    if not path.is_file():
        raise PluginError(f"{page} has the table {name}, which is not in docs/tables.")
    text = path.read_text(encoding="utf-8")
    written = WRITTEN.match(text)
    if written is None:
        raise PluginError(f"docs/tables/{name} does not begin with a line that says what wrote it.")
    return f"{text[written.end() :].strip()}\n\n*{written[1]}*"
