"""Nothing that lies beside the user's data is run, however the engine is started."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hostile_folder import HostileFolder
from repository import MODULE

by_module = ["-m", "PETAnomalyLib.engine"]


def run(
    hostile: HostileFolder, *arguments: str, path: str = str(MODULE)
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=hostile.path,
        env=hostile.environment(path),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def hostile(tmp_path: Path) -> HostileFolder:
    return HostileFolder(tmp_path / "data")


@pytest.mark.parametrize(
    "start",
    [
        by_module,
        ["-u", *by_module],
        ["-P", *by_module] if sys.version_info >= (3, 11) else by_module,
    ],
)
@pytest.mark.parametrize("after", ["", os.pathsep, os.pathsep + os.curdir])
def test_the_command_line_imports_nothing_from_the_current_folder(
    hostile: HostileFolder, start: list[str], after: str
) -> None:
    done = run(hostile, *start, "models", "list", path=str(MODULE) + after)
    assert hostile.marks() == ""
    assert done.returncode == 0, done.stderr
    assert "petct-phantom" in done.stdout


@pytest.mark.slow
def test_nor_do_commands_that_need_every_library(hostile: HostileFolder) -> None:
    """PyTorch, MONAI, SimpleITK, pydicom: on the way to a file that is not there."""
    words = ["--pet", "none.nii.gz", "--model", "pet-phantom", "--out", "result"]
    done = run(hostile, *by_module, "detect", *words)
    assert hostile.marks() == ""
    assert done.returncode == 2
    assert "none.nii.gz" in done.stderr


@pytest.mark.skipif(sys.version_info < (3, 11), reason="Python 3.11 can be told to")
def test_nor_do_its_worker_processes(hostile: HostileFolder, tmp_path: Path) -> None:
    program = tmp_path / "petanomaly"  # as the installed script is called
    program.write_text(
        "import operator\n"
        "from PETAnomalyLib.engine.runtime.reporter import SilentReporter\n"
        "from PETAnomalyLib.engine.runtime.worker_pool import for_each\n"
        "if __name__ == '__main__':\n"
        "    print(for_each(operator.neg, [(1,), (2,)], 2, SilentReporter(), (0.0, 1.0)))\n"
    )
    done = run(hostile, str(program))
    assert hostile.marks() == ""
    assert done.stdout == "[-1, -2]\n", done.stderr


def test_a_checkout_may_be_the_current_folder() -> None:
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *by_module, "--version"],
        cwd=MODULE, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("petanomaly ")


def test_a_folder_that_somebody_named_stays_on_the_path(tmp_path: Path) -> None:
    """PYTHONPATH with the current folder in full is a wish; Slicer's path is not ours."""
    named = tmp_path / "named"
    named.mkdir()
    code = "import PETAnomalyLib.engine, os, sys; print(sys.path[:2], os.environ['PYTHONSAFEPATH'])"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=named, env={**os.environ, "PYTHONPATH": str(named), "PYTHONSAFEPATH": ""},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == f"{['', str(named)]} \n", done.stderr


@pytest.mark.slow
def test_setup_torch_imports_nothing_that_lies_beside_it(tmp_path: Path) -> None:
    hostile = HostileFolder(tmp_path / "downloads", by_module=False)
    script = shutil.copy(MODULE.parent / "setup_torch.py", hostile.path)
    for path in ("", str(tmp_path), str(tmp_path) + os.pathsep):
        done = run(hostile, str(script), "--dry-run", path=path)
        assert hostile.marks() == ""
        assert done.returncode == 0, done.stderr
        assert f"Python {sys.version_info[0]}.{sys.version_info[1]} at" in done.stdout


@pytest.mark.slow
def test_nor_does_the_python_that_it_asks_nor_pip(tmp_path: Path) -> None:
    hostile = HostileFolder(tmp_path / "data", by_module=False)
    script = MODULE.parent / "setup_torch.py"
    asks = (
        "import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('setup_torch', {str(script)!r})\n"
        "setup_torch = sys.modules['setup_torch'] = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(setup_torch)\n"
        "print(setup_torch.ask_python(sys.executable).python)\n"
        "print(setup_torch.run_pip([sys.executable, '-m', 'pip', '--version']))\n"
    )
    (tmp_path / "asks.py").write_text(asks)
    done = run(hostile, str(tmp_path / "asks.py"), path="")
    assert hostile.marks() == ""
    assert f"({sys.version_info[0]}, {sys.version_info[1]})" in done.stdout, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="other endings there")
def test_no_program_of_the_current_folder_is_taken_for_the_drivers(tmp_path: Path) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\ntouch ran\necho 'NVIDIA H200, 580.95.05, 9.0'\n")
    program.chmod(0o755)
    environment = {**os.environ, "PATH": os.pathsep + os.curdir + os.pathsep + os.environ["PATH"]}
    subprocess.run(
        [sys.executable, str(MODULE.parent / "setup_torch.py"), "--dry-run"],
        cwd=tmp_path, env=environment, capture_output=True, check=False,
    )  # fmt: skip
    assert not (tmp_path / "ran").exists()
