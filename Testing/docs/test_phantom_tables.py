"""The docs' tables of what phantoms are drawn from are those of the program as it is."""

from __future__ import annotations

import importlib.util
import re
from types import ModuleType

import pytest
from PETAnomalyLib.engine.phantom.patient.conditions import SHARES
from PETAnomalyLib.engine.phantom.patient.references import REFERENCES
from repository import ROOT

DOCS = ROOT / "docs"
NAMES = ("build", "conditions", "uptake", "scanners", "references")
NAMED = re.compile(r"([A-Z][A-Za-z]+ (?:[a-z]+ )?(?:19|20)\d\d)\b")


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    path = DOCS / "tools" / "phantom_tables.py"
    spec = importlib.util.spec_from_file_location("phantom_tables", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_a_table_of_the_docs_is_what_the_program_draws_from(tool: ModuleType, name: str) -> None:
    """If this fails: python docs/tools/make_table.py phantom-NAME python docs/tools/..."""
    kept = (DOCS / "tables" / f"phantom-{name}.md").read_text(encoding="utf-8")
    assert kept.split("\n\n", 1)[1].strip() == "\n".join(tool.TABLES[name]())


def test_every_work_that_the_page_names_is_among_its_sources() -> None:
    texts = [(DOCS / "phantoms.md").read_text(encoding="utf-8")]
    texts += [share.seen for share in SHARES.values()]
    named = {name for text in texts for name in NAMED.findall(text)}
    assert len(named) > 15
    assert named <= set(REFERENCES)
