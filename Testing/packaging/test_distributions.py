"""The wheel and the source distribution: built, each installed in a fresh environment, and used.

Nothing is downloaded: the fresh environments borrow torch and all else from this one, which its own
`.pth` files do not reach, so that PETAnomaly itself comes from the distribution or not at all.
"""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from repository import ROOT
from tiny_bundle import write_tiny_study

LARGEST_BYTES = 60_000_000
MODELS = ROOT / "Resources" / "Models"
# What the distributions are made of; a copy of it is built, for setuptools adds what it once found.
SOURCES = ("PETAnomaly", "Resources/Models", "pyproject.toml", "setup.py", "setup_torch.py",
           "README.md", "LICENSE")  # fmt: skip

pytestmark = pytest.mark.slow


def run(*command: object, folder: Path) -> str:
    """Run a command in `folder` without this checkout's paths; returns what it prints."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PETANOMALY_MODELS")
    }
    done = subprocess.run(
        [str(word) for word in command],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**environment, "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1", "HOME": str(folder)},
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def distributions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source distribution, and with the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("built")
    sources = folder / "sources"
    for name in SOURCES:
        if (ROOT / name).is_dir():
            leave_out = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, sources / name, ignore=leave_out)
        else:
            shutil.copy(ROOT / name, sources / name)
    words = ("-m", "build", "--no-isolation", "--outdir", folder / "dist", sources)
    run(sys.executable, *words, folder=folder)
    return folder / "dist"


def contents(distribution: Path) -> dict[str, int]:
    """Name of a file, without the folder that a source distribution begins with -> bytes."""
    if distribution.suffix == ".whl":
        with zipfile.ZipFile(distribution) as wheel:
            return {info.filename: info.file_size for info in wheel.infolist()}
    with tarfile.open(distribution) as archive:
        return {info.name.split("/", 1)[-1]: info.size for info in archive if info.isfile()}


def distribution(distributions: Path, kind: str) -> Path:
    (found,) = distributions.glob("*.whl" if kind == "wheel" else "*.tar.gz")
    return found


@pytest.mark.parametrize("kind", ["wheel", "source"])
def test_it_holds_every_model_and_resource_and_is_small(distributions: Path, kind: str) -> None:
    archive = distribution(distributions, kind)
    assert archive.stat().st_size < LARGEST_BYTES
    top, package = ("", "PETAnomaly/") if kind == "source" else ("PETAnomalyLib/", "")
    wanted = {
        top + path.relative_to(ROOT).as_posix(): path.stat().st_size
        for path in (*MODELS.rglob("*"), ROOT / "setup_torch.py")
        if path.is_file()
    }
    families = ROOT / "PETAnomaly/PETAnomalyLib/engine/families"
    wanted |= {
        package + path.relative_to(ROOT / "PETAnomaly").as_posix(): path.stat().st_size
        for path in families.rglob("*")
        if path.suffix in {".json", ".md"}
    }
    held = contents(archive)
    assert {name: held.get(name) for name in wanted} == wanted
    assert any(name.endswith("LICENSE") for name in held)


@dataclass(frozen=True)
class Installation:
    """A fresh environment with PETAnomaly, and an empty folder to work in."""

    python: Path
    petanomaly: Path
    packages: Path
    folder: Path


@pytest.fixture(scope="module", params=["wheel", "source"])
def installed(
    request: pytest.FixtureRequest, distributions: Path, tmp_path_factory: pytest.TempPathFactory
) -> Installation:
    folder = tmp_path_factory.mktemp(f"from {request.param}")
    venv.create(folder / "environment", with_pip=False)
    scripts = folder / "environment" / ("Scripts" if os.name == "nt" else "bin")
    python = next(path for path in scripts.glob("python*") if path.stem == "python")
    purelib = 'import sysconfig; print(sysconfig.get_paths()["purelib"], end="")'
    packages = Path(run(python, "-c", purelib, folder=folder))
    borrowed = (sysconfig.get_paths()[kind] for kind in ("purelib", "platlib"))
    (packages / "borrowed.pth").write_text("\n".join(borrowed) + "\n", encoding="utf-8")
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index"),
        *("--no-deps", "--no-build-isolation", "--ignore-installed"),
        distribution(distributions, request.param),
        folder=folder,
    )
    work = folder / "work"
    work.mkdir()
    return Installation(python, scripts / f"petanomaly{python.suffix}", packages, work)


def test_what_is_imported_is_what_was_installed(installed: Installation) -> None:
    question = "import PETAnomalyLib; print(PETAnomalyLib.__file__)"
    file = Path(run(installed.python, "-c", question, folder=installed.folder).strip())
    assert file.is_relative_to(installed.packages)


def test_the_shipped_models_are_there_and_whole(installed: Installation) -> None:
    listed = run(installed.petanomaly, "models", "list", folder=installed.folder)
    for bundle in MODELS.iterdir():
        assert bundle.name in listed
        copy = installed.packages / "PETAnomalyLib" / "Resources" / "Models" / bundle.name
        run(installed.petanomaly, "models", "verify", copy, folder=installed.folder)


def test_it_detects(installed: Installation) -> None:
    """With a shipped model in a coarse study."""
    study = write_tiny_study(installed.folder / "study")
    scans = ("--pet", study / "SUV.nii.gz", "--ct", study / "CTres.nii.gz")
    fewest = ("--samples", 1, "--decodes", 1)
    run(installed.petanomaly, "detect", *scans, *fewest, "--out", "out", folder=installed.folder)
    with (installed.folder / "out" / "findings.csv").open(encoding="utf-8") as file:
        assert "mtv_ml" in (csv.DictReader(file).fieldnames or [])


def test_it_runs_as_a_module(installed: Installation) -> None:
    words = ("-m", "PETAnomalyLib.engine", "--version")
    assert run(installed.python, *words, folder=installed.folder).startswith("petanomaly ")


def test_setup_torch_runs_from_the_package(installed: Installation) -> None:
    """What the messages of the engine name is there."""
    words = ("-m", "PETAnomalyLib.setup_torch", "--dry-run")
    assert "Python" in run(installed.python, *words, folder=installed.folder)
