"""What every test shares."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from made_once import FOLDER
from repository import SHARED_DATA

# Half a minute or more each, the longest first. Begun last, such a file runs on alone, the other
# processor idle.
LONG_FILES = (
    "training/test_processes.py",
    "test_detect_process.py",
    "test_training_commands.py",
    "test_first_detections.py",
    "training/test_run.py",
    "fuzz/test_fuzz.py",
    "evaluation/test_table1.py",
    "publishing/test_calibration.py",
    "test_distributions.py",
    "test_ending.py",
    "test_performer.py",
    "test_detection.py",
    "test_responsiveness.py",
)


def pytest_configure(config: pytest.Config) -> None:
    """The processes of a session share the folder of what they make (made_once.py)."""
    of_worker = getattr(config, "workerinput", None)
    run = of_worker["testrunuid"] if of_worker else getattr(config.option, "testrunuid", None)
    os.environ.setdefault(
        FOLDER, str(Path(tempfile.gettempdir()) / f"petanomaly-tests-{run or os.getpid()}")
    )


def pytest_unconfigure(config: pytest.Config) -> None:
    """The first process removes it."""
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(FOLDER, ""), ignore_errors=True)


def pytest_make_parametrize_id(val: object) -> str | None:
    """Bytes are named by their length: gzip's hold the time, and xdist's processes must agree."""
    return f"{len(val)} bytes" if isinstance(val, bytes) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first; `make test` has pytest-xdist keep this order."""
    places = {name: number for number, name in enumerate(LONG_FILES)}

    def place(item: pytest.Item) -> int:
        path = f"/{item.path.as_posix()}"
        return next((n for name, n in places.items() if path.endswith(f"/{name}")), len(places))

    items.sort(key=place)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real scans beside the repository; the test is skipped where there is none."""
    if not SHARED_DATA.is_dir():
        pytest.skip("no real data beside the repository")
    return SHARED_DATA
