"""The README's way from scans to a model of one's own, command by command, on a tiny cohort."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
from PETAnomalyLib.engine.bundles.bundle import installed_bundles
from PETAnomalyLib.engine.cli import main
from repository import ROOT
from tiny_training import write_tiny_cohort

CONFIGS = ROOT / "PETAnomaly" / "PETAnomalyLib" / "engine" / "training"
STEPS = 3


def commands() -> list[list[str]]:
    """The first block of commands of the section, in words."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    section = text.split("## Train on your own scans")[1].split("\n## ")[0]
    first = section[section.index("    petanomaly ") :].split("\n\n")[0]
    lines = first.replace("\\\n", " ").splitlines()
    assert lines.pop(2).split() == [f"CONFIGS={CONFIGS.relative_to(ROOT).as_posix()}"]
    return [shlex.split(line.replace("$CONFIGS", "configurations")) for line in lines]


def test_the_readmes_commands_make_a_model_that_detects(
    tiny_study: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))  # Windows
    # As shipped, but for the number of steps.
    shutil.copytree(CONFIGS / "configs", "configurations/configs")
    shutil.copytree(CONFIGS / "bundles", "configurations/bundles")
    for path in Path("configurations/configs").glob("tiny-*.json"):
        settings = json.loads(path.read_text())
        for stage in settings.keys() & {"vqgan", "transformer"}:
            settings[stage]["steps"] = STEPS
        path.write_text(json.dumps(settings))
    # In place of the phantoms, which take minutes.
    phantoms, rest = commands()[:2], commands()[2:]
    assert [words[:4] for words in phantoms] == [
        ["petanomaly", "phantom", "--out", "scans"],
        ["petanomaly", "phantom", "--out", "validation-scans"],
    ]
    write_tiny_cohort(tmp_path / "scans", tiny_study)
    shutil.copytree(tiny_study, "validation-scans/patient-1/0")
    for words in rest:
        assert words[0] == "petanomaly"
        assert main(words[1:]) == 0, (words, capfd.readouterr().err)
    assert "tiny-petct" in {bundle.name for bundle in installed_bundles()}
    study = ["--pet", str(tiny_study / "SUV.nii.gz"), "--ct", str(tiny_study / "CTres.nii.gz")]
    assert main(["detect", *study, "--model", "tiny-petct", "--out", "result"]) == 0
    report = json.loads(Path("result/report.json").read_text())
    assert report["model"]["name"] == "tiny-petct"
