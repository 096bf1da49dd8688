"""Detecting in many studies: what is done, kept, failed and told."""

from __future__ import annotations

import csv
import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from engine_process import run_petanomaly
from PETAnomalyLib.engine import cli
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.cohorts.cohort_detection import detect_cohort
from PETAnomalyLib.engine.cohorts.record import StudyRow
from PETAnomalyLib.engine.detection import detect
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.runtime.errors import Cancelled, InputError, StudiesFailedError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter


class Listener(SilentReporter):
    """Remembers what was told; asks to stop after so many questions."""

    def __init__(self, stop_at_stage: int = 10**9) -> None:
        super().__init__()
        self.stages: list[str] = []
        self.fractions: list[float] = []
        self.results: list[Path] = []
        self._stop_at = stop_at_stage

    def stage(self, name: str, label: str) -> None:  # noqa: ARG002 - the protocol's
        self.stages.append(label)

    def progress(self, fraction: float) -> None:
        self.fractions.append(fraction)

    def result(self, directory: Path) -> None:
        self.results.append(directory)

    def check_cancelled(self) -> None:
        if len(self.stages) >= self._stop_at:
            raise Cancelled("Stopped on request.")


STUDIES = (("ann", "0"), ("ann", "1"), ("bob", "0"))


def make_cohort(folder: Path, tiny_study: Path) -> Path:
    """Three studies of two patients: links to the same images."""
    for patient, study in STUDIES:
        place = folder / patient / study
        place.mkdir(parents=True)
        for name in ("SUV.nii.gz", "CTres.nii.gz"):
            (place / name).symlink_to(tiny_study / name)
    return folder


@pytest.fixture
def cohort(tmp_path: Path, tiny_study: Path) -> Path:
    return make_cohort(tmp_path / "cohort", tiny_study)


@pytest.fixture(scope="module")
def settings(tiny_bundles: dict[str, Bundle]) -> DetectionSettings:
    return DetectionSettings(model=str(tiny_bundles["autoencoder"].path), device="cpu")


class Finished(NamedTuple):
    """A cohort that has been worked on: where its results are, and what was told."""

    out: Path
    rows: list[StudyRow]
    listener: Listener


@pytest.fixture(scope="module")
def finished(
    tmp_path_factory: pytest.TempPathFactory, tiny_study: Path, settings: DetectionSettings
) -> Finished:
    folder, listener = tmp_path_factory.mktemp("finished"), Listener()
    cohort = make_cohort(folder / "cohort", tiny_study)
    rows = detect_cohort(cohort, folder / "out", settings, listener)
    return Finished(folder / "out", rows, listener)


@pytest.fixture
def out(finished: Finished, tmp_path: Path) -> Path:
    """The results of `cohort`, which nobody else changes."""
    return Path(shutil.copytree(finished.out, tmp_path / "out"))


def table(file: Path) -> list[dict[str, str]]:
    with file.open(newline="", encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def times(out: Path) -> dict[str, int]:
    return {p.parent.name: p.stat().st_mtime_ns for p in out.glob("*/report.json")}


def break_study(cohort: Path, patient: str) -> Path:
    pet = cohort / patient / "0" / "SUV.nii.gz"
    pet.unlink()
    pet.write_bytes(b"no image")
    return pet


@pytest.mark.slow
def test_each_study_is_what_detect_makes_of_it(
    finished: Finished, cohort: Path, tmp_path: Path, settings: DetectionSettings
) -> None:
    assert [row.state for row in finished.rows] == ["done"] * 3
    detect(cohort / "bob" / "0" / "SUV.nii.gz", None, tmp_path / "one", settings, SilentReporter())
    for file in (tmp_path / "one").iterdir():
        if file.name not in ("report.json", "overview.png"):
            assert file.read_bytes() == (finished.out / "bob__0" / file.name).read_bytes()
    told = finished.listener
    assert told.fractions == sorted(told.fractions)
    assert told.fractions[-1] == 1.0
    assert told.results == [finished.out]
    assert told.stages[-1] == "3 studies done, 0 failed, 0 running"


def test_the_tables_say_what_the_reports_say(finished: Finished) -> None:
    out = finished.out
    rows = table(out / "studies.csv")
    assert [row["study"] for row in rows] == ["ann__0", "ann__1", "bob__0"]
    assert [row["patient"] for row in rows] == ["ann", "ann", "bob"]
    for row in rows:
        found = json.loads((out / row["study"] / "report.json").read_text())["findings"]
        assert float(row["tmtv_ml"]) == found["tmtv_ml"]
        assert float(row["tlg_g"]) == found["tlg_g"]
        assert int(row["findings"]) == found["count"]
        assert float(row["seconds"]) > 0
    findings = table(out / "findings.csv")
    expected = [line for row in rows for line in table(out / row["study"] / "findings.csv")]
    assert [{k: one[k] for k in expected[0]} for one in findings] == expected
    assert {one["study"] for one in findings} == {row["study"] for row in rows}


def test_what_is_there_is_kept_and_what_has_changed_is_done_again(
    cohort: Path, out: Path, settings: DetectionSettings, tiny_study: Path
) -> None:
    first = times(out)
    detect_cohort(cohort, out, settings, SilentReporter())
    assert times(out) == first
    pet = cohort / "ann" / "1" / "SUV.nii.gz"  # the same bytes, written anew
    pet.unlink()
    shutil.copyfile(tiny_study / "SUV.nii.gz", pet)
    detect_cohort(cohort, out, settings, SilentReporter())
    second = times(out)
    assert {name for name in first if first[name] != second[name]} == {"ann__1"}
    other = replace(settings, seed=1)
    detect_cohort(cohort, out, other, SilentReporter(), shard=(3, 3))
    assert {name for name in first if times(out)[name] != second[name]} == {"bob__0"}


@pytest.mark.slow
def test_a_result_that_was_taken_away_or_damaged_is_done_again(
    cohort: Path, out: Path, settings: DetectionSettings
) -> None:
    shutil.rmtree(out / "ann__0")
    (out / "ann__1" / "report.json").write_text("{}")
    detect_cohort(cohort, out, settings, SilentReporter())
    reports = [json.loads(path.read_text()) for path in out.glob("*/report.json")]
    assert len(reports) == 3
    assert all("findings" in report for report in reports)


def test_a_study_that_fails_is_a_row_and_no_end_and_is_tried_again(
    cohort: Path, out: Path, settings: DetectionSettings, tiny_study: Path
) -> None:
    shutil.rmtree(out / "ann__0")
    first = times(out)
    broken = break_study(cohort, "ann")
    with pytest.raises(StudiesFailedError, match="1 of 3") as failure:
        detect_cohort(cohort, out, settings, SilentReporter())
    assert failure.value.exit_code == 5
    rows = {row["study"]: row for row in table(out / "studies.csv")}
    assert [row["state"] for row in rows.values()] == ["failed", "done", "done"]
    assert rows["ann__0"]["error"]
    assert str(broken.parent) not in rows["ann__0"]["error"], "a patient's folder"
    assert not (out / "ann__0").exists()
    shutil.copyfile(tiny_study / "SUV.nii.gz", broken)
    found = detect_cohort(cohort, out, settings, SilentReporter())
    assert [row.state for row in found] == ["done"] * 3
    assert first.items() < times(out).items()


@pytest.mark.slow
def test_a_stop_keeps_what_is_done(
    cohort: Path, tmp_path: Path, settings: DetectionSettings
) -> None:
    out = tmp_path / "out"
    with pytest.raises(Cancelled) as stopped:  # "list", "0 done", "1 done"
        detect_cohort(cohort, out, settings, Listener(stop_at_stage=3))
    assert "kept" in stopped.value.hint
    states = [row["state"] for row in table(out / "studies.csv")]
    assert states == ["done", "waiting", "waiting"]
    assert {path.name for path in out.iterdir()} >= {"ann__0", "studies.csv", "findings.csv"}
    assert not list(out.glob(".*partial*"))
    first = times(out)
    detect_cohort(cohort, out, settings, SilentReporter(), shard=(1, 2))
    assert times(out)["ann__0"] == first["ann__0"]
    assert [row["state"] for row in table(out / "studies.csv")] == ["done", "waiting", "done"]


@pytest.mark.slow
def test_shards_fill_one_folder(cohort: Path, tmp_path: Path, settings: DetectionSettings) -> None:
    out = tmp_path / "out"
    (row,) = detect_cohort(cohort, out, settings, SilentReporter(), shard=(2, 2))
    assert row.study == "ann__1"
    assert [one["state"] for one in table(out / "studies.csv")] == ["waiting", "done", "waiting"]
    rows = detect_cohort(cohort, out, settings, SilentReporter(), shard=(1, 2))
    assert [one.study for one in rows] == ["ann__0", "bob__0"]
    assert [one["state"] for one in table(out / "studies.csv")] == ["done"] * 3


@pytest.mark.slow
def test_from_the_command_line_in_two_processes(
    finished: Finished, cohort: Path, tmp_path: Path, settings: DetectionSettings
) -> None:
    out = tmp_path / "out"
    break_study(cohort, "ann")
    run = run_petanomaly(
        "detect", "--cohort", cohort, "--out", out, "--model", settings.model, "--device", "cpu",
        "--processes", 2, "--events",
    )  # fmt: skip
    assert run.returncode == 5, run.stderr
    events = [json.loads(line) for line in run.stdout.splitlines()]
    assert events[-2] == {"event": "result", "dir": str(out)}
    assert events[-1]["kind"] == "cohort"
    assert any(one.get("level") == "warning" and "ann__0" in one["message"] for one in events)
    for name in ("residual.nii.gz", "findings.csv", "segmentation.seg.nrrd"):
        assert (out / "bob__0" / name).read_bytes() == (finished.out / "bob__0" / name).read_bytes()
    assert (out / "index.html").is_file()


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--cohort", "c", "--ct", "x"], "--ct is the CT of one study"),
        (["--cohort", "c", "--pet", "x"], "not allowed with"),
        ([], "required"),
        (["--pet", "x", "--processes", "2"], "--processes is for many studies"),
        (["--pet", "x", "--shard", "1/2"], "--shard is for many studies"),
        (["--cohort", "c", "--shard", "3/2"], "not I/N"),
        (["--cohort", "c", "--shard", "0/2"], "not I/N"),
        (
            ["--cohort", "c", "--scheduler", "tcp://x", "--processes", "2"],
            "--processes is for this",
        ),
        (["--cohort", "c", "--scheduler-options", "x"], "is for a batch system"),
    ],
)
def test_options_that_do_not_go_together_are_said(
    words: list[str], complaint: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["detect", "--out", str(tmp_path / "out"), *words]) == 2
    assert complaint in capfd.readouterr().err


@pytest.mark.slow
def test_no_patients_name_is_written_with_anonymous(
    cohort: Path, tmp_path: Path, settings: DetectionSettings
) -> None:
    out = tmp_path / "out"
    break_study(cohort, "bob")
    with pytest.raises(StudiesFailedError):
        detect_cohort(cohort, out, replace(settings, anonymous=True), SilentReporter())
    assert sorted(path.name for path in out.glob("*__*")) == ["1__1", "1__2"]
    for file in out.rglob("*"):
        assert "ann" not in file.name
        if file.suffix in (".csv", ".json", ".html"):
            text = file.read_text(encoding="utf-8")
            assert "bob" not in text, file
            assert "/ann" not in text, file


def test_an_unusable_setting_ends_all_at_once(
    cohort: Path, tmp_path: Path, settings: DetectionSettings
) -> None:
    with pytest.raises(InputError, match="cannot give the scorer"):
        detect_cohort(cohort, tmp_path / "out", replace(settings, scorer="kde"), SilentReporter())
    assert not (tmp_path / "out").exists()
