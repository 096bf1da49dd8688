"""What a killed `models add` or export left is removed by the next; what is in use is not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from engine_process import start_python
from PETAnomalyLib.engine.bundles.adding import add_bundle
from PETAnomalyLib.engine.bundles.search import user_folder
from PETAnomalyLib.engine.bundles.staging import staging_folder

HOLDS = """
import sys, time
from pathlib import Path
from PETAnomalyLib.engine.bundles.staging import staging_folder
with staging_folder(Path(sys.argv[1]), "adding") as folder:
    (folder / "half").write_text("half of a model")
    print(folder, flush=True)
    time.sleep(60)
"""


def holder(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    """A process that is in the midst of adding a model, and its folder."""
    process = start_python(["-c", HOLDS, str(parent)])
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


@pytest.mark.skipif(sys.platform == "win32", reason="a killed process lets go of its folder later")
def test_the_folder_of_a_killed_add_goes_with_the_next_and_that_of_a_live_one_stays(
    model: Path,
) -> None:
    user_folder().mkdir(parents=True)
    killed, its = holder(user_folder())
    alive, others = holder(user_folder())
    try:
        killed.kill()
        killed.communicate()
        assert (its / "half").is_file()
        add_bundle(model)
        assert not its.exists()
        assert (others / "half").is_file()
    finally:
        alive.kill()
        alive.communicate()
    add_bundle(model)
    assert [path.name for path in user_folder().iterdir()] == ["tiny"]


def test_what_an_earlier_version_left_goes_and_nothing_else(model: Path) -> None:
    number = os.getpid()  # in a container the last process had the same
    for name in (".adding-x1y2z3", f".adding-{number}-a", ".writing-1-a", ".adding", "mine"):
        (user_folder() / name).mkdir(parents=True)
    add_bundle(model)
    left = {path.name for path in user_folder().iterdir()}
    assert left == {".writing-1-a", ".adding", "mine", "tiny"}


def test_a_link_among_the_leftovers_leads_to_nothing_that_is_removed(tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "file").touch()
    (tmp_path / ".adding-abc").symlink_to(mine, target_is_directory=True)
    with staging_folder(tmp_path, "adding") as folder, staging_folder(tmp_path, "adding") as second:
        assert list(folder.iterdir()) == list(second.iterdir()) == []
    assert (mine / "file").is_file()
