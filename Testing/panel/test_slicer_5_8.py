"""The panel, and what it imports of the engine, load in Slicer 5.8.1's Python 3.9.

No such Python is needed here: its grammar is `ast`'s, and what it lacks beside grammar is looked
for by name.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path

import pytest
from repository import MODULE

PYTHON = (3, 9)
LIBRARY = MODULE / "PETAnomalyLib"
TOO_NEW = {
    ("zip", "strict"),
    ("dataclass", "slots"),
    ("dataclass", "kw_only"),
    ("field", "kw_only"),
}
TOO_NEW_NAMES = {
    "contextlib": {"chdir", "aclosing"},
    "datetime": {"UTC"},
    "enum": {"StrEnum", "EnumType", "verify"},
    "importlib.resources": {"abc"},
    "inspect": {"get_annotations"},
    "itertools": {"pairwise", "batched"},
    "types": {"NoneType", "UnionType", "EllipsisType"},
    "typing": {
        "Concatenate", "LiteralString", "Never", "NotRequired", "ParamSpec", "Required", "Self",
        "TypeAlias", "TypeGuard", "TypeVarTuple", "Unpack", "assert_never", "assert_type",
        "dataclass_transform", "override", "reveal_type",
    },
    "tomllib": {"load", "loads"},
}  # fmt: skip


def imported(path: Path) -> Iterator[str]:
    """Dotted names of what a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def filesOf(name: str) -> Iterator[Path]:
    """The files that an import of one of the library's names runs: its packages', then its own."""
    place = MODULE
    for part in name.split("."):
        place = place / part
        for path in (place / "__init__.py", place.with_suffix(".py")):
            if path.is_file():
                yield path


def loadedByThePanel() -> list[Path]:
    """The module's file, the panel's, and what they import of the engine, however far away."""
    todo = [MODULE / "PETAnomaly.py", LIBRARY / "__init__.py", *(LIBRARY / "panel").rglob("*.py")]
    found: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in found:
            found.add(path)
            todo += [file for name in imported(path) for file in filesOf(name)]
    return sorted(found)


def isType(node: ast.expr) -> bool:
    """Whether this can only be a type: None, `list`, `dict[str, int]`."""
    if isinstance(node, ast.Subscript):
        return isType(node.value)
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Name) and isinstance(getattr(builtins, node.id, None), type)


def neverRun(tree: ast.Module) -> set[int]:
    """The ids of the nodes under `if TYPE_CHECKING:`."""
    return {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")
        for statement in node.body
        for inner in ast.walk(statement)
    }


def inAnnotations(tree: ast.Module) -> set[int]:
    """The ids of the nodes inside annotations."""
    found: set[int] = set()
    for node in ast.walk(tree):
        for name in ("annotation", "returns"):
            annotation = getattr(node, name, None)
            if isinstance(annotation, ast.AST):
                found |= {id(inner) for inner in ast.walk(annotation)}
    return found


def tooNew(source: str) -> list[str]:
    """What Python 3.9 can't load in a file; with the line."""
    try:
        tree = ast.parse(source, feature_version=PYTHON)
    except SyntaxError as error:
        return [f"{error.lineno}: {error.msg}"]
    lazy = any(
        isinstance(node, ast.ImportFrom)
        and node.module == "__future__"
        and any(alias.name == "annotations" for alias in node.names)
        for node in tree.body
    )
    unevaluated = neverRun(tree) | (inAnnotations(tree) if lazy else set())
    return [
        f"{node.lineno}: {complaint}"
        for node in ast.walk(tree)
        if isinstance(node, (ast.expr, ast.stmt)) and id(node) not in unevaluated
        for complaint in complaints(node)
    ]


def complaints(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Match):
        yield "match"
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        if isType(node.left) or isType(node.right):
            yield f"{ast.unparse(node)} is evaluated"
    elif isinstance(node, ast.Call):
        called = ast.unparse(node.func).split(".")[-1]
        for keyword in node.keywords:
            if (called, str(keyword.arg)) in TOO_NEW:
                yield f"{called}({keyword.arg}=)"
    elif isinstance(node, ast.ImportFrom):
        names = TOO_NEW_NAMES.get(str(node.module), set())
        yield from (f"{node.module}.{a.name}" for a in node.names if a.name in names)
    elif isinstance(node, ast.Attribute):
        owner = ast.unparse(node.value)
        if node.attr in TOO_NEW_NAMES.get(owner, set()):
            yield f"{owner}.{node.attr}"


@pytest.mark.parametrize("path", loadedByThePanel(), ids=lambda p: str(p.relative_to(MODULE)))
def test_a_file_that_the_panel_loads_is_loaded_by_python_3_9(path: Path) -> None:
    assert tooNew(path.read_text(encoding="utf-8")) == []


def test_what_the_panel_loads_of_the_engine_is_followed() -> None:
    loaded = {path.relative_to(LIBRARY).as_posix() for path in loadedByThePanel()[1:]
              if path.is_relative_to(LIBRARY)}  # fmt: skip
    assert {
        "panel/widget.py",
        "panel/jobs/watchdog.py",
        "engine/runtime/errors.py",
        "engine/bundles/bundle.py",
        "engine/findings/delineation.py",
        "engine/findings/__init__.py",
    } <= loaded


FUTURE = "from __future__ import annotations\n"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("match x:\n    case 1:\n        pass\n", "match"),
        ("def f(x: int | None) -> int: ...\n", "int | None is evaluated"),
        (FUTURE + "A = int | None\n", "int | None is evaluated"),
        (FUTURE + "isinstance(x, list[int] | Path)\n", "is evaluated"),
        (FUTURE + "zip(a, b, strict=True)\n", "zip(strict=)"),
        ("@dataclasses.dataclass(frozen=True, slots=True)\nclass A: ...\n", "dataclass(slots=)"),
        ("from itertools import pairwise\n", "itertools.pairwise"),
        ("import itertools\nitertools.pairwise([])\n", "itertools.pairwise"),
    ],
)
def test_what_is_too_new_is_found(source: str, complaint: str) -> None:
    assert any(complaint in found for found in tooNew(source)), tooNew(source)


@pytest.mark.parametrize(
    "source",
    [
        FUTURE + "def f(x: int | None) -> list[int] | None:\n    y: str | None = None\n",
        "if TYPE_CHECKING:\n    from typing import TypeGuard\n",
        "def f(x: Optional[int]) -> None: ...\n",
        "mask = inside | outside\nflags = qt.A | qt.B\nboth = {1} | {2}\n",
    ],
)
def test_what_python_3_9_can_load_is_left_alone(source: str) -> None:
    assert tooNew(source) == []
