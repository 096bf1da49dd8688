"""CSV tables as people and spreadsheets write them: commas, semicolons, tabs; UTF-8, UTF-16."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.input_path import open_input, shown

SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_MOST_BYTES = 1 << 26
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


@dataclass(frozen=True)
class Line:
    """One line of a table.

    Attributes:
        number: in the file, the first is 1.
        values: column in small letters -> its entry, without the blanks around it.
    """

    number: int
    values: dict[str, str]


def read_table(path: Path, needed: Sequence[str], hint: str) -> list[Line]:
    """The lines of a table; those that are empty are left out.

    Args:
        path: the file. A first line such as `sep=;`, which Excel writes, is obeyed.
        needed: columns that must be there, in small letters; the file may write them otherwise.
        hint: for errors: what such a table looks like.

    Raises:
        InputError: no file, neither UTF-8 nor UTF-16, a column that is missing or there twice, a
            line with more entries than columns.
    """
    text = _text(path, hint)
    first, _, rest = text.partition("\n")
    said = first.rstrip("\r\n").removeprefix("sep=")
    separators, skipped = list(SEPARATORS), 0
    if first.startswith("sep=") and said in SEPARATORS:
        text, separators, skipped = rest, [said], 1
    tried = [_columns(text, separator) for separator in separators]
    # The separator is that with which the columns are found; where none is, with which most are.
    best = max(
        range(len(separators)),
        key=lambda n: (len(set(needed) & set(tried[n])), len(tried[n])),
    )
    columns, separator = tried[best], separators[best]
    where = f"the table {shown(path)}, read with {SEPARATORS[separator]} between its entries,"
    for name in needed:
        if columns.count(name) != 1:
            wrong = "has no column" if name not in columns else "has more than one column"
            raise InputError(f"{where} {wrong} '{name}'; it has {', '.join(columns)}", hint)
    lines = []
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
        next(reader)
        for entries in reader:
            values = [entry.strip() for entry in entries]
            number = reader.line_num + skipped
            if any(values[len(columns) :]):
                raise InputError(
                    f"line {number} of {where} has {len(values)} entries for {len(columns)} "
                    "columns",
                    "put an entry that holds the separator in quotation marks",
                )
            if any(values):
                lines.append(Line(number, dict(zip(columns, values))))
    except csv.Error as error:
        raise InputError(f"the table {shown(path)} cannot be read: {error}", hint) from error
    return lines


def _text(path: Path, hint: str) -> str:
    with open_input(path) as file:
        content = file.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise InputError(f"the table {shown(path)} is larger than {_MOST_BYTES} bytes", hint)
    mark = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
    # Latin text in UTF-16 has a zero byte in every character, which UTF-8 text never has.
    unmarked = "utf-16-be" if content[:1] == b"\0" else "utf-16-le"
    encoding = mark or (unmarked if b"\0" in content[:2] else "utf-8")
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(
            f"the table {shown(path)} is neither UTF-8 nor UTF-16",
            "save it as CSV UTF-8, as spreadsheets offer",
        ) from error


def _columns(text: str, separator: str) -> list[str]:
    try:
        header = next(csv.reader(io.StringIO(text, newline=""), delimiter=separator), [])
    except csv.Error:
        return []
    return [name.strip().lower() for name in header]
