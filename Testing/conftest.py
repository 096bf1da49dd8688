"""What every test shares."""

from __future__ import annotations

from pathlib import Path

import pytest
from repository import SHARED_DATA

REAL_DATA = SHARED_DATA

# Half a minute or more each, the longest first. Begun last, such a file runs on alone, the other
# processor idle.
LONG_FILES = (
    "test_training_processes.py",
    "test_detect_process.py",
    "test_training.py",
    "test_ending.py",
    "test_readme_training.py",
    "test_table1.py",
    "test_performer.py",
    "test_responsiveness.py",
    "test_detection.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first; `make test` has pytest-xdist keep this order."""
    place = {name: number for number, name in enumerate(LONG_FILES)}
    items.sort(key=lambda item: place.get(item.path.name, len(LONG_FILES)))


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real scans beside the repository; the test is skipped where there is none."""
    if not REAL_DATA.is_dir():
        pytest.skip("no real data beside the repository")
    return REAL_DATA
