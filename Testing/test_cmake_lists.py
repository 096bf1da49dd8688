"""What is not in the CMake lists is missing from an installed extension."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from cmake_lists import listed, missing_from_cmake
from repository import MODULE, ROOT


def test_every_file_of_the_module_is_installed() -> None:
    assert missing_from_cmake(MODULE) == []


def test_slicer_finds_one_module_among_the_installed_files() -> None:
    """Its factory takes every .py file at the top of the folder for a module, and says so in a
    warning when it is none (qSlicerScriptedLoadableModuleFactory::isValidFile).
    """
    top = [script for script in listed("MODULE_PYTHON_SCRIPTS") if "/" not in script]
    assert top == ["PETAnomaly.py"]
    text = (MODULE / "CMakeLists.txt").read_text(encoding="utf-8")
    places = re.findall(r'install\(FILES[^)]*DESTINATION "([^"]*)"', text)
    assert places == ["${Slicer_INSTALL_QTSCRIPTEDMODULES_LIB_DIR}/PETAnomalyLib"]
    for script in (MODULE / "PETAnomaly.py", MODULE / "PETAnomalyLib" / "__init__.py"):
        assert not script.read_text(encoding="utf-8").startswith("#!")  # a CLI to Slicer


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


def test_the_index_entry_fits_the_schema() -> None:
    """slicer-extension-catalog-entry-schema-v1.0.1.json of Slicer's Schemas."""
    entry = json.loads((ROOT / "PETAnomaly.json").read_text(encoding="utf-8"))
    texts = {"$schema", "category", "scm_url", "scm_revision", "scm_type", "build_subdirectory"}
    assert {"$schema", "category", "scm_url"} <= set(entry)
    assert set(entry) <= {*texts, "build_dependencies", "enabled", "tier"}
    assert all(isinstance(entry[key], str) for key in texts & set(entry))
    assert entry["$schema"].endswith("/slicer-extension-catalog-entry-schema-v1.0.1.json#")
    assert entry["category"] == "Nuclear Medicine"
    assert entry["build_dependencies"] == []
    assert entry["tier"] in (1, 3, 5)


def test_the_icon_has_the_indexs_size() -> None:
    from PIL import Image

    with Image.open(MODULE / "Resources" / "Icons" / "PETAnomaly.png") as icon:
        assert icon.size == (128, 128)
