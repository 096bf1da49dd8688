"""Places that cannot be used, for every command: a sentence, exit code 2, nothing left behind."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from engine_process import environment
from PETAnomalyLib.engine.bundles.bundle import Bundle
from tiny_training import configuration
from without_privilege import without_privilege

LONG = "n" * 300
SUFFIXES = {"suv": ".nii.gz", "calibrate": ".json", "bench": ".json"}


def commands(study: Path, model: Path, cohort: Path) -> dict[str, list[str]]:
    """Every command that reads or writes a place, with good arguments but for PLACE."""
    out, config = ["--out", "result"], ["--config", "pet-vqgan.json"]
    pet = ["--pet", f"{study}/SUV.nii.gz"]
    return {
        "detect out": ["detect", *pet, "--model", f"{model}", "--out", "PLACE"],
        "detect pet": ["detect", "--pet", "PLACE", "--model", f"{model}", *out],
        "detect ct": ["detect", *pet, "--ct", "PLACE", *out],
        "detect model": ["detect", *pet, "--model", "PLACE", *out],
        "suv in": ["suv", "PLACE", "--out", "suv.nii.gz"],
        "suv out": ["suv", f"{study}", "--out", "PLACE"],
        "phantom": ["phantom", "--out", "PLACE", "--count", "1", "--seed", "1"],
        "cohort": ["cohort", "check", "PLACE"],
        "train cohort": ["train", "vqgan", "--cohort", "PLACE", *config, "--out", "run"],
        "train config": ["train", "vqgan", "--cohort", f"{cohort}", "--config", "PLACE", *out],
        "train out": ["train", "vqgan", "--cohort", f"{cohort}", *config, "--out", "PLACE"],
        "calibrate model": ["calibrate", "--model", "PLACE", "--cohort", "c", "--out", "c.json"],
        "calibrate cohort": ["calibrate", "--model", f"{model}", "--cohort", "PLACE", *out],
        "calibrate out": ["calibrate", "--model", f"{model}", "--cohort", f"{cohort}", "--out",
                          "PLACE"],
        "export config": ["export", "--config", "PLACE", "--runs", "runs", *out],
        "export runs": ["export", *config, "--runs", "PLACE", *out],
        "export out": ["export", *config, "--runs", "runs", "--out", "PLACE"],
        "evaluate cohort": ["evaluate", "--cohort", "PLACE", "--model", f"{model}", *out],
        "evaluate out": ["evaluate", "--cohort", f"{cohort}", "--model", f"{model}", "--out",
                         "PLACE"],
        "bench": ["bench", "--json", "PLACE"],
        "models show": ["models", "show", "PLACE"],
        "models verify": ["models", "verify", "PLACE"],
        "models add": ["models", "add", "PLACE"],
    }  # fmt: skip


WRITTEN = ("detect out", "suv out", "phantom", "train out", "calibrate out", "export out",
           "evaluate out", "bench")  # fmt: skip

# Many commands in one process: each would take seconds to import the same.
IN_TURN = """
import contextlib, io, json, sys
from PETAnomalyLib.engine.cli import main
for words in json.load(sys.stdin):
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        code = main(words)
    print(json.dumps([code, said.getvalue()]), flush=True)
"""


class Workplace:
    """A folder with a configuration and a cohort of one study, where every command is tried."""

    def __init__(self, folder: Path, study: Path, bundle: Bundle) -> None:
        self.folder = folder
        self._study, self._bundle = study, bundle
        (folder / "cohort" / "ann").mkdir(parents=True)
        (folder / "cohort" / "ann" / "0").symlink_to(study)
        configuration(folder, "pet-vqgan")

    def run(self, place: str, only: tuple[str, ...] = ()) -> dict[str, tuple[int, str]]:
        """Each command with a place -> exit code and what it said."""
        words = commands(self._study, self._bundle.path, self.folder / "cohort")
        chosen = {name: words[name] for name in only or words}
        todo = [
            [self._full(place, name, words) if word == "PLACE" else word for word in words]
            for name, words in chosen.items()
        ]
        done = subprocess.run(
            without_privilege([sys.executable, "-c", IN_TURN]),
            env={**environment(), "HOME": str(self.folder.with_name("home"))},
            input=json.dumps(todo),
            capture_output=True,
            text=True,
            cwd=self.folder,
            timeout=300,
            check=False,
        )
        found = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(found) == len(todo), done.stderr
        return {name: (code, said) for name, (code, said) in zip(chosen, found)}

    def _full(self, place: str, name: str, words: list[str]) -> str:
        return place + (SUFFIXES.get(words[0], "") if name in WRITTEN else "")

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


@pytest.fixture
def workplace(tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]) -> Workplace:
    return Workplace(tmp_path / "workplace", tiny_study, tiny_bundles["pet"])


def assert_all_are_refused(said: dict[str, tuple[int, str]]) -> None:
    assert {name: one for name, one in said.items() if one[0] != 2 or "Traceback" in one[1]} == {}


@pytest.mark.slow
@pytest.mark.parametrize(("place", "only"), [(LONG, ()), (f"{LONG}/deeper", WRITTEN)])
def test_a_name_that_is_too_long(place: str, only: tuple[str, ...], workplace: Workplace) -> None:
    before = workplace.files()
    assert_all_are_refused(workplace.run(place, only))
    assert workplace.files() == before


READ = tuple(name for name in commands(Path(), Path(), Path()) if name not in WRITTEN)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "only"), [("closed", READ), ("closed/deeper", READ), ("closed/a/result", WRITTEN)]
)
def test_a_folder_that_may_not_be_entered(
    place: str, only: tuple[str, ...], workplace: Workplace
) -> None:
    closed = workplace.folder / "closed"
    closed.mkdir()
    before = workplace.files()
    closed.chmod(0)
    try:
        said = workplace.run(place, only)
    finally:
        closed.chmod(0o755)
    assert_all_are_refused(said)
    assert workplace.files() == before


def test_a_folder_in_a_model(workplace: Workplace, tiny_bundles: dict[str, Bundle]) -> None:
    model = tiny_bundles["petct"].path
    before = set(model.rglob("*"))
    said = workplace.run(str(model / "result"), WRITTEN)
    assert_all_are_refused(said)
    assert all("is a pretrained model" in words for _, words in said.values())
    assert set(model.rglob("*")) == before
