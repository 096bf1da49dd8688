"""The commands that stand in the README and in docs/, and what is said of each block of them.

Commands stand in fenced blocks marked `sh`. The line before a block may be a comment:

    <!-- not run in a test: REASON -->
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from repository import ROOT

PAGES = (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))

_FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^ *```$", re.M | re.S)
_MARK = re.compile(r"<!-- not run in a test: (.+) -->$")
_HEREDOC = re.compile(r"<<(\w+)\n.*?^\1$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        page: its file.
        language: as the fence says; `sh` for commands.
        text: what stands between the fences.
        reason: why no test runs it; empty where none is given.
        before: the paragraph before it, which the reader has just read.
    """

    page: Path
    language: str
    text: str
    reason: str
    before: str

    def lines(self) -> list[str]:
        """The commands as they are typed, without comments, continuation lines joined."""
        text = _HEREDOC.sub("", self.text.replace("\\\n", " "))
        lines = (re.sub(r"(^|\s+)# .*$", "", line).strip() for line in text.splitlines())
        return [re.sub(r"\s+", " ", line) for line in lines if line]


@dataclass(frozen=True)
class Command:
    """One command.

    Attributes:
        block: where it stands.
        line: as it is typed, in one line.
    """

    block: Block
    line: str

    @property
    def words(self) -> list[str]:
        """Its words, variables that the block sets before it in place."""
        text = self.line
        for line in self.block.lines():
            name, is_set, value = line.partition("=")
            if is_set and name.isidentifier() and " " not in value:
                text = text.replace(f"${name}", value)
        return shlex.split(text)

    def __str__(self) -> str:
        return f"{self.block.page.relative_to(ROOT)}: {self.line}"


def blocks(page: Path) -> list[Block]:
    """All fenced blocks of a page."""
    text = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(text):
        paragraphs = text[: match.start()].rstrip().split("\n\n")
        *above, last = paragraphs[-1].splitlines()
        mark = _MARK.match(last.strip())
        before = "\n".join(above) if mark and above else paragraphs[-2] if mark else paragraphs[-1]
        reason = mark[1] if mark else ""
        found.append(Block(page, match["language"], match["text"], reason, before))
    return found


def commands(*pages: Path) -> Iterator[Command]:
    """All commands of the pages; of all pages where none is named."""
    for page in pages or PAGES:
        for block in blocks(page):
            if block.language == "sh":
                for line in block.lines():
                    if not re.fullmatch(r"\w+=\S+", line):  # a variable for the lines that follow
                        yield Command(block, line)


def without_blocks(page: Path) -> str:
    """The page's prose."""
    return _FENCE.sub("", page.read_text(encoding="utf-8"))
