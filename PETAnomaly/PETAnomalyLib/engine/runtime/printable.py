"""Text that was written elsewhere, as a terminal may be given it."""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` in one line, with `?` for what is no printable character.

    Escape sequences and marks that turn the direction of writing make a terminal show something
    else than what is there; a line break makes one entry look like two.
    """
    return "".join(c if c.isprintable() else " " if c in "\n\t" else "?" for c in text)
