"""The rooms of the house, and which may use which, read from the imports themselves.

Imports count wherever they stand: at the top, in functions, under TYPE_CHECKING.
"""

from __future__ import annotations

import ast
import functools
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from cmake_lists import missing_from_cmake
from repository import MODULE, ROOT

LIBRARY = "PETAnomalyLib"

# From the ground up; the rooms of a line are on one floor and use none of that floor.
ENGINE_FLOORS = (
    "runtime",
    "phantom",
    "scoring",
    "findings",
    "study",
    "dicom_results",
    "figures",
    "frame",
    "bundles",
    "remote",
    "training",
    "families",
    "detection",
    "cohorts",
    "benchmark",
    "evaluation",
    "publishing",
    "commands",
    "cli",
)
PANEL_FLOORS = ("ground", "environment", "scene", "jobs", "sections", "widget")

ENGINE_FILES = {"report": "detection", "detection": "detection", "maps": "detection",
                "detection_settings": "detection", "judgement": "detection",
                "schedule": "detection", "placing": "detection", "examination": "detection",
                "pet_examination": "detection", "head_examination": "detection", "cli": "cli",
                "demo": "cli",
                "__main__": "cli", "__init__": "runtime"}  # fmt: skip
PANEL_FILES = {"parameters": "ground", "settings": "ground", "background": "ground",
               "__init__": "ground", "widget": "widget"}  # fmt: skip

WITHOUT_TORCH = ("panel", "engine.bundles", "engine.findings", "engine.study", "engine.phantom",
                 "engine.frame", "engine.figures", "engine.dicom_results")  # fmt: skip
RUN_ELSEWHERE = f"{LIBRARY}.panel.environment.probe"  # by the engine's Python, which it asks
TORCH = frozenset({"torch", "monai", "safetensors.torch", "lightning_fabric"})
SLICER = frozenset({"slicer", "qt", "ctk", "vtk"})


def module_of(path: Path, root: Path) -> str:
    """Dotted name of a file below the folder that holds the library."""
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, known: frozenset[str]) -> Iterator[str]:
    """Every module that a file imports, wherever in it, by its full name.

    Args:
        path: the file.
        known: the library's own modules: of `from package import name`, whether `name` is one.
    """
    for node in import_statements(path.read_text(encoding="utf-8")):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        else:
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute in this house"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in known else str(node.module)


@functools.cache
def import_statements(source: str) -> tuple[ast.Import | ast.ImportFrom, ...]:
    """Of one source text, which sixteen copies of the house have in common."""
    nodes = ast.walk(ast.parse(source))
    return tuple(node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom)))


def graph(root: Path) -> dict[str, set[str]]:
    """Every module of the library below `root` -> what it imports."""
    files = [path for path in (root / LIBRARY).rglob("*.py") if "__pycache__" not in path.parts]
    known = frozenset(module_of(path, root) for path in files)
    return {module_of(path, root): set(imports_of(path, known)) for path in files}


def room_of(module: str) -> tuple[str, str] | None:
    """Wing and room of one of the library's modules; None for what is neither's."""
    wing, _, rest = module.removeprefix(f"{LIBRARY}.").partition(".")
    if wing == "engine":
        first = rest.split(".")[0] or "__init__"
        return wing, ENGINE_FILES.get(first, first)
    if wing == "panel":
        first = rest.split(".")[0] or "__init__"
        return wing, PANEL_FILES.get(first, first)
    return None


def upward(modules: dict[str, set[str]]) -> list[str]:
    """Imports from a lower room to a higher one, or from the engine to the panel."""
    found = []
    for module, imported in modules.items():
        here = room_of(module)
        for other in sorted(imported):
            there = room_of(other) if other.startswith(f"{LIBRARY}.") else None
            if here is None or there is None:
                continue
            if here[0] == "engine" and there[0] == "panel":
                found.append(f"{module} imports the panel: {other}")
            elif here[0] == there[0]:
                floors = ENGINE_FLOORS if here[0] == "engine" else PANEL_FLOORS
                if floors.index(there[1]) > floors.index(here[1]):
                    found.append(f"{module} reaches up to {other}")
    return found


def circles(arrows: dict[str, set[str]]) -> list[str]:
    """Nodes of a graph that lead back to themselves."""
    found = []
    for start, first in arrows.items():
        seen: set[str] = set()
        todo = list(first)
        while todo:
            node = todo.pop()
            if node not in seen:
                seen.add(node)
                todo += arrows.get(node, ())
        if start in seen:
            found.append(start)
    return sorted(found)


def between_rooms(modules: dict[str, set[str]]) -> dict[str, set[str]]:
    """Room -> rooms that its files import."""
    rooms: dict[str, set[str]] = {}
    for module, imported in modules.items():
        here = room_of(module)
        if here is None:
            continue
        own = rooms.setdefault(".".join(here), set())
        for other in imported:
            there = room_of(other) if other.startswith(f"{LIBRARY}.") else None
            if there is not None and there != here:
                own.add(".".join(there))
    return rooms


def between_files(modules: dict[str, set[str]]) -> dict[str, set[str]]:
    """File -> files that it imports, within the library."""
    return {module: imported & modules.keys() for module, imported in modules.items()}


def foreign(
    modules: dict[str, set[str]], places: Iterable[str], forbidden: frozenset[str]
) -> list[str]:
    """Modules below `places` that import something forbidden, or a part of it."""
    prefixes = tuple(f"{LIBRARY}.{place}" for place in places)
    return [
        f"{module} imports {other}"
        for module, imported in modules.items()
        if module in prefixes or module.startswith(tuple(f"{prefix}." for prefix in prefixes))
        for other in sorted(imported)
        if any(other == name or other.startswith(f"{name}.") for name in forbidden)
    ]


def families_using_each_other(modules: dict[str, set[str]]) -> list[str]:
    """Imports from one family's folder into another's, or from what they share into one."""
    base = f"{LIBRARY}.engine.families."
    folders = {
        module.removeprefix(base).split(".")[0]
        for module in modules
        if module.startswith(base) and module.count(".") > base.count(".")
    }
    found = []
    for module, imported in modules.items():
        if not module.startswith(base):
            continue
        own = module.removeprefix(base).split(".")[0]
        for other in sorted(imported):
            family = other.removeprefix(base).split(".")[0]
            if other.startswith(base) and family in folders and family != own:
                found.append(f"{module} imports {other}")
    return found


def breaches(root: Path) -> list[str]:
    """All that is wrong with the house that stands below `root`."""
    modules = graph(root)
    return [
        *upward(modules),
        *(f"a circle through the room {room}" for room in circles(between_rooms(modules))),
        *(f"a circle through {file}" for file in circles(between_files(modules))),
        *foreign({k: v for k, v in modules.items() if k != RUN_ELSEWHERE}, WITHOUT_TORCH, TORCH),
        *foreign(modules, ("engine",), SLICER),
        *families_using_each_other(modules),
        *(f"CMake does not list {file}" for file in missing_from_cmake(root)),
    ]


def test_the_house_stands() -> None:
    assert breaches(MODULE) == []


@pytest.mark.parametrize(
    ("file", "line", "complaint"),
    [
        ("engine/runtime/errors.py", "import PETAnomalyLib.engine.detection", "reaches up"),
        (
            "engine/findings/measures.py",
            "def late():\n    from PETAnomalyLib.engine.study import study",
            "reaches up",
        ),
        ("engine/study/study.py", "import torch", "study.study imports torch"),
        ("engine/findings/measures.py", "def late():\n    import torch", "imports torch"),
        ("engine/bundles/bundle.py", "from monai.networks import nets", "imports monai"),
        ("panel/widget.py", "from torch import nn", "imports torch"),
        ("engine/detection.py", "import slicer.util", "detection imports slicer"),
        ("engine/scoring/scoring.py", "def late():\n    import qt", "imports qt"),
        ("engine/cli.py", "from PETAnomalyLib.panel import widget", "imports the panel"),
        ("panel/scene/inputs.py", "from PETAnomalyLib.panel.jobs import task", "reaches up"),
        (
            "engine/families/dense_autoencoder/healer.py",
            "from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN",
            "dense_autoencoder.healer imports",
        ),
        (
            "engine/scoring/reconstructions_file.py",
            "if TYPE_CHECKING:\n    from PETAnomalyLib.engine.bundles import kinds",
            "reaches up",
        ),
        (
            "engine/phantom/canvas/canvas.py",
            "from PETAnomalyLib.engine.phantom import cohort",
            "a circle through PETAnomalyLib.engine.phantom.canvas.canvas",
        ),
        ("engine/scoring/new.py", "", "CMake does not list PETAnomalyLib/engine/scoring/new.py"),
        ("engine/phantom/table.json", "", "CMake does not list"),
    ],
)
def test_a_breach_of_each_kind_is_found(
    tmp_path: Path, file: str, line: str, complaint: str
) -> None:
    house = copy_of_the_house(tmp_path)
    place = house / LIBRARY / file
    place.write_text(
        (place.read_text(encoding="utf-8") if place.exists() else "") + f"\n{line}\n",
        encoding="utf-8",
    )
    assert any(complaint in breach for breach in breaches(house)), breaches(house)


def copy_of_the_house(folder: Path) -> Path:
    """The module's files without their contents' history, to be spoilt."""
    house = folder / "PETAnomaly"
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(MODULE, house, ignore=ignore)
    return house


def test_every_room_says_what_it_is_for_and_what_it_may_use() -> None:
    for folder in sorted(path.parent for path in (MODULE / LIBRARY).rglob("__init__.py")):
        text = ast.get_docstring(ast.parse((folder / "__init__.py").read_text(encoding="utf-8")))
        assert text, folder
        if room_of(module_of(folder / "__init__.py", MODULE)) is None:
            continue
        inner = folder.parent.name == "families" or folder.name in ("engine", "panel", LIBRARY)
        assert inner or "ay use" in text, f"{folder} does not say what it may use"


def test_bundles_and_every_family_are_known_without_torch_or_monai() -> None:
    script = (
        "import sys\n"
        "sys.modules['torch'] = sys.modules['monai'] = None\n"
        "from PETAnomalyLib.engine import families\n"
        "from PETAnomalyLib.engine.bundles import installed, kinds\n"
        "assert installed.installed_bundles()\n"
        "print(*sorted(kinds.FAMILIES)); print(*kinds.STAGES)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False,
        cwd=ROOT, env={"PYTHONPATH": str(MODULE), "PATH": ""},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    families, stages = (line.split() for line in ran.stdout.splitlines())
    folders = (MODULE / LIBRARY / "engine" / "families").glob("*/kind.py")
    assert len(families) == len(list(folders))
    assert {"autoencoder-dense", "h-tae-s", "vqgan-performer"} <= set(families)
    assert {"autoencoder", "h-tae-s", "transformer", "vqgan"} <= set(stages)


def test_the_tests_mirror_the_rooms() -> None:
    """A folder of tests is named after the room that it tests."""
    for wing in ("engine", "panel"):
        for folder in (ROOT / "Testing" / wing).rglob("*"):
            if folder.is_dir() and "__pycache__" not in folder.parts and any(folder.iterdir()):
                room = folder.relative_to(ROOT / "Testing")
                assert (MODULE / LIBRARY / room).is_dir(), room
