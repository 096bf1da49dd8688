"""Packages that are there and cannot be used are said in a sentence, whatever they raise."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from engine_process import environment, petanomaly_command, start_python
from PETAnomalyLib.engine.runtime.broken_package import broken_package

BROKEN = {
    "raises": "raise RuntimeError('compiled for another Python')",
    "raises an import error": "raise ImportError('libblas.so.3: cannot open shared object file')",
    "raises an error of the system": "raise OSError('libcudart.so.12: cannot open shared object')",
    "is no Python": "x = (",
    "holds nothing": "",
    "is another package": "__path__ = []",
}


def run(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    mine = environment()
    return subprocess.run(
        [sys.executable, *petanomaly_command(*words)],
        env={**mine, "PYTHONPATH": f"{path}{os.pathsep}{mine['PYTHONPATH']}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        cwd=path,
        timeout=120,
        check=False,
    )


TRAIN = ("train", "vqgan", "--cohort", "none", "--config", "none", "--out", "run")
SUV = ("suv", "none", "--out", "suv.nii.gz")


@pytest.mark.parametrize(
    ("package", "words", "kind"),
    [
        *(("numpy", ("models", "list"), kind) for kind in BROKEN),
        ("SimpleITK", SUV, "raises an import error"),
        ("torch", TRAIN, "raises an error of the system"),
    ],
)
def test_a_broken_package_is_named_with_its_file(
    tmp_path: Path, package: str, words: tuple[str, ...], kind: str
) -> None:
    broken = tmp_path / f"{package}.py"
    broken.write_text(BROKEN[kind])
    done = run(tmp_path, *words)
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert f"The Python package {package} cannot be used" in done.stderr
    assert str(broken) in done.stderr
    left = [path for path in tmp_path.iterdir() if path.name != "__pycache__"]  # Python's own
    assert left == [broken]


def caught(code: str) -> BaseException:
    """What running the code of a module of ours raises."""
    try:
        exec(compile(code, "ours.py", "exec"), {"__name__": "PETAnomalyLib.engine.ours"})
    except Exception as error:
        return error
    raise AssertionError("nothing was raised")


def test_an_error_of_our_own_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "brittle.py").write_text("def call(): raise ValueError('called')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert broken_package(caught("import brittle\nbrittle.call()")) is None
    assert broken_package(caught("import PETAnomalyLib.engine.gone")) is None
    assert broken_package(caught("(1).count")) is None
    assert broken_package(caught("1 / 0")) is None
    found = broken_package(caught("import brittle\nbrittle.write"))
    assert found is not None
    assert found.name == "brittle"
    assert found.file == str(tmp_path / "brittle.py")


def test_what_breaks_in_a_thread_is_found_as_well(tmp_path: Path) -> None:
    """As torch is imported while a study is aligned."""
    (tmp_path / "weak.py").write_text("import weaker\n")
    (tmp_path / "weaker.py").write_text("raise OSError('libweak.so: not found')\n")
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from concurrent.futures import ThreadPoolExecutor\n"
        "from PETAnomalyLib.engine.runtime.broken_package import broken_package\n"
        "ours = {'__name__': 'PETAnomalyLib.engine.ours'}\n"
        "exec('def load():\\n import weak', ours)\n"
        "try: ThreadPoolExecutor(1).submit(ours['load']).result()\n"
        "except OSError as error: print(broken_package(error))\n"
    )
    out, err = start_python(["-c", script]).communicate(timeout=60)
    assert "name='weaker', reason='OSError: libweak.so: not found'" in out, err
    assert str(tmp_path / "weaker.py") in out
