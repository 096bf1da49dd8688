"""The way from scans to a model of one's own, as docs/train.md has it, on a tiny cohort."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from documented_commands import commands
from PETAnomalyLib.engine.bundles.installed import installed_bundles
from PETAnomalyLib.engine.cli import main
from repository import ROOT
from tiny_bundle import write_tiny_study
from tiny_training import write_tiny_cohort

FAMILY = "PETAnomaly/PETAnomalyLib/engine/families/vqgan_performer"
STEPS = 3


def way_to_a_model() -> list[list[str]]:
    """The commands of "Every step once", in words."""
    every = list(commands(ROOT / "docs" / "train.md"))
    block = next(one.block for one in every if one.line.startswith("petanomaly phantom"))
    return [one.words for one in every if one.block == block]


@pytest.mark.slow
def test_the_documented_commands_make_a_model_that_detects(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))  # Windows
    # As shipped, but for the number of steps.
    for folder in ("configs", "bundles"):
        shutil.copytree(ROOT / FAMILY / folder, Path(FAMILY, folder))
    for path in Path(FAMILY, "configs").glob("tiny-*.json"):
        settings = json.loads(path.read_text())
        for stage in settings.keys() & {"vqgan", "transformer"}:
            settings[stage]["steps"] = STEPS
        path.write_text(json.dumps(settings))
    phantoms, rest = way_to_a_model()[:2], way_to_a_model()[2:]
    assert [words[:4] for words in phantoms] == [
        ["petanomaly", "phantom", "--out", "scans"],
        ["petanomaly", "phantom", "--out", "validation-scans"],
    ]
    # In place of the phantoms, which take minutes.
    study = write_tiny_study(tmp_path / "phantom" / "0")
    write_tiny_cohort(tmp_path / "scans", study)
    shutil.copytree(study, "validation-scans/patient-1/0")
    for words in rest:
        assert words[0] == "petanomaly"
        assert main(words[1:]) == 0, (words, capfd.readouterr().err)
    assert "tiny-petct" in {bundle.name for bundle in installed_bundles()}
    images = ["--pet", str(study / "SUV.nii.gz"), "--ct", str(study / "CTres.nii.gz")]
    assert main(["detect", *images, "--model", "tiny-petct", "--out", "result"]) == 0
    report = json.loads(Path("result/report.json").read_text())
    assert report["model"]["name"] == "tiny-petct"
