"""What is not in the CMake lists is missing from an installed extension."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "PETAnomaly"


def listed(name: str, file: Path = MODULE / "CMakeLists.txt") -> list[str]:
    found = re.search(rf"set\({name}\s+(.*?)\)", file.read_text(encoding="utf-8"), re.DOTALL)
    assert found, name
    return [word.replace("${MODULE_NAME}", "PETAnomaly") for word in found.group(1).split()]


def test_every_script_of_the_module_is_installed() -> None:
    scripts = {
        str(path.relative_to(MODULE).as_posix())
        for path in MODULE.rglob("*.py")
        if "__pycache__" not in path.parts
    }
    assert set(listed("MODULE_PYTHON_SCRIPTS")) == scripts


def test_every_resource_of_the_module_is_installed() -> None:
    resources = {
        str(path.relative_to(MODULE).as_posix())
        for path in (MODULE / "Resources").rglob("*")
        if path.is_file()
    }
    assert set(listed("MODULE_PYTHON_RESOURCES")) == resources


def test_every_bundle_is_installed() -> None:
    shipped = ROOT / "Resources" / "Models"
    bundles = {path.name for path in shipped.glob("*") if (path / "configs").is_dir()}
    assert set(listed("MODULE_BUNDLES")) == bundles


def test_no_file_is_listed_twice() -> None:
    for name in ("MODULE_PYTHON_SCRIPTS", "MODULE_PYTHON_RESOURCES", "MODULE_BUNDLES"):
        assert len(listed(name)) == len(set(listed(name)))


@pytest.mark.parametrize(
    "key",
    [
        "EXTENSION_HOMEPAGE",
        "EXTENSION_CONTRIBUTORS",
        "EXTENSION_DESCRIPTION",
        "EXTENSION_ICONURL",
        "EXTENSION_SCREENSHOTURLS",
        "EXTENSION_DEPENDS",
    ],
)
def test_the_extension_says_what_the_index_asks_for(key: Any) -> None:
    assert listed(key, ROOT / "CMakeLists.txt")


def test_the_index_entry_has_the_schemas_keys() -> None:
    entry = json.loads((ROOT / "PETAnomaly.json").read_text(encoding="utf-8"))
    required = {"$schema", "category", "scm_url", "scm_revision", "tier", "build_dependencies"}
    assert required <= set(entry)
    assert entry["category"] == "Nuclear Medicine"


def test_the_icon_has_the_indexs_size() -> None:
    from PIL import Image

    with Image.open(MODULE / "Resources" / "Icons" / "PETAnomaly.png") as icon:
        assert icon.size == (128, 128)
