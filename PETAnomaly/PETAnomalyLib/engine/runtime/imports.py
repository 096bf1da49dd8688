"""Importing what will be needed later while something else is done.

MONAI takes 3 s of processor time to import, for it loads all of its parts whatever one asks for.
Reading and aligning a study do not need it, and ITK works without Python's lock: on two cores both
go on at once.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

Loaded = TypeVar("Loaded")


def require_installed(*packages: str) -> None:
    """Say at once what is missing, and not after a minute.

    Raises:
        ModuleNotFoundError: with the package's name.
    """
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise ModuleNotFoundError(f"No module named '{package}'", name=package)


@contextmanager
def imported_meanwhile(load: Callable[[], Loaded]) -> Iterator[Future[Loaded]]:
    """Run `load` in a thread of its own; `result()` of what is given waits for it.

    torch is imported before, here and now: SciPy looks for its classes wherever it is in
    `sys.modules`, and fails on a torch that another thread has half imported. Nothing waits for the
    thread where the block ends by an exception: what was wrong with a study is said at once.
    """
    importlib.import_module("torch")
    executor = ThreadPoolExecutor(1, "imports")
    try:
        yield executor.submit(load)
    finally:
        executor.shutdown(wait=False)
