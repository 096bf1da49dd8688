"""Files that many tests need, made once a test session and not once a test process.

`pytest -n` runs several processes; what one has made, the others copy. conftest.py names the folder
and removes it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

FOLDER = "PETANOMALY_TESTS_MADE"


def made_once(name: str, make: Callable[[Path], None], target: Path) -> None:
    """Fill `target` with what `make` writes into a folder; made anew only the first time.

    Args:
        name: says completely what is made.
        make: given an empty folder.
        target: may exist; files of the same names are replaced.
    """
    shared = os.environ.get(FOLDER)
    if shared is None:  # a script, not a test session
        target.mkdir(parents=True, exist_ok=True)
        make(target)
        return
    kept = Path(shared) / name
    if not kept.exists():
        Path(shared).mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".making-", dir=shared))
        make(partial)
        try:
            partial.rename(kept)
        except OSError:  # another process was quicker
            shutil.rmtree(partial)
    shutil.copytree(kept, target, dirs_exist_ok=True)
