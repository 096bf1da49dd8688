"""Calibration and cohort evaluation on a tiny cohort: what they write, and that it agrees."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.evaluation.cohort_evaluation import evaluate
from PETAnomalyLib.engine.evaluation.tables import table_of, write_evaluation
from PETAnomalyLib.engine.publishing import calibration
from PETAnomalyLib.engine.publishing.calibration import calibrate
from PETAnomalyLib.engine.runtime.cancellation import Cancellation
from PETAnomalyLib.engine.runtime.errors import Cancelled, InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.cohort_layout import find_studies
from sklearn.metrics import average_precision_score


@pytest.fixture(scope="module")
def cohort(tiny_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cohort")
    (folder / "patient-1").mkdir()
    (folder / "patient-1" / "0").symlink_to(tiny_study, target_is_directory=True)
    return folder


@pytest.mark.slow
def test_calibration_chooses_the_best_point_of_each_curve(
    cohort: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    out = tmp_path / "calibration.json"
    found = calibrate(tiny_bundles["pet"], find_studies(cohort), out, SilentReporter())
    assert json.loads(out.read_text()) == json.loads(json.dumps(found))
    thresholds, curves = found["thresholds"], found["curves"]
    best = max(curves["resampling"], key=lambda point: point["auprc"])
    assert thresholds["resampling"] == best["resampling"]
    for name in ("min_bandwidth", "epsilon_percentile"):
        assert thresholds[name] == max(curves[name], key=lambda point: point[1])[0]
    for scorer in tiny_bundles["pet"].scorers:
        tolerable = [p["threshold"] for p in curves[scorer] if p["false_positives_a_scan"] <= 3]
        highest = max(point["threshold"] for point in curves[scorer])
        assert thresholds["scorers"][scorer] == min(tolerable, default=highest)


@pytest.mark.slow
def test_the_areas_of_the_search_are_those_of_the_maps_that_detect_writes(
    cohort: Path,
    tiny_bundles: dict[str, Bundle],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bundle = tiny_bundles["pet"]
    for searched, key in (
        ("RESAMPLING_THRESHOLDS", "resampling"),
        ("MIN_BANDWIDTHS", "min_bandwidth"),
        ("EPSILON_PERCENTILES", "epsilon_percentile"),
    ):
        monkeypatch.setattr(calibration, searched, (bundle.thresholds[key],))
    studies = find_studies(cohort)
    curves = calibrate(bundle, studies, tmp_path / "found.json", SilentReporter())["curves"]
    table = evaluate(studies, [str(bundle.path)], tmp_path, DetectionSettings(), SilentReporter())
    areas = {row.rule.name: row.map.auprc for row in table.rows}
    for scorer, curve in (("kde", "min_bandwidth"), ("zscore", "epsilon_percentile")):
        ((_value, area),) = curves[curve]
        assert np.isclose(area, areas[f"{bundle.name} {scorer}"])


def test_the_table_is_that_of_the_files_that_detect_writes(
    cohort: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    bundle = tiny_bundles["autoencoder"]
    studies = find_studies(cohort)
    found = evaluate(studies, [str(bundle.path)], tmp_path, DetectionSettings(), SilentReporter())
    rows = found.rows
    assert [row.rule.name for row in rows] == [
        f"{bundle.name} residual", "SUV > 2.5 SUV", "SUV > 4 SUV", "SUV > 4, grown to 41 % SUV"
    ]  # fmt: skip
    result = tmp_path / bundle.name / "patient-1__0"
    score, mask = (
        sitk.GetArrayFromImage(sitk.ReadImage(str(result / f"{name}.nii.gz")))
        for name in ("residual", "scored_mask")
    )
    truth = sitk.GetArrayFromImage(sitk.ReadImage(str(tiny_study / "SEG.nii.gz"))) > 0
    scored = mask > 0
    expected = average_precision_score(truth[scored], score[scored])
    assert np.isclose(rows[0].map.auprc, expected)
    assert f"{expected:.3f}" in table_of(found)
    write_evaluation(found, tmp_path)
    assert table_of(found) in (tmp_path / "evaluation.md").read_text()
    with (tmp_path / "evaluation.csv").open() as file:
        assert [line["model"] for line in csv.DictReader(file)] == [r.rule.model for r in rows]
    (whole,) = json.loads((tmp_path / "evaluation.json").read_text())["rows"][0]["by_study"]
    assert np.isclose(whole["auprc"], expected)
    assert np.isclose(whole["true_mtv_ml"], truth.sum() * 0.8**3)
    suv = sitk.GetArrayFromImage(sitk.ReadImage(str(tiny_study / "SUV.nii.gz")))
    assert np.isclose(rows[1].map.auprc, average_precision_score(truth[scored], suv[scored]))


@pytest.mark.slow
def test_a_repeated_evaluation_detects_nothing_anew_unless_settings_differ(
    cohort: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    model, studies = [str(tiny_bundles["autoencoder"].path)], find_studies(cohort)
    written = []
    for settings in (DetectionSettings(), DetectionSettings(), DetectionSettings(grow=0.5)):
        found = evaluate(studies, model, tmp_path, settings, SilentReporter())
        assert found.rows[0].rule.grow == settings.grow
        written.append(next(tmp_path.glob("*/*/report.json")).stat().st_mtime_ns)
    assert written[0] == written[1] < written[2]


def test_a_study_without_known_lesions_cannot_be_evaluated(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    study = tmp_path / "cohort" / "patient" / "0"
    study.mkdir(parents=True)
    (study / "SUV.nii.gz").symlink_to(tiny_study / "SUV.nii.gz")
    with pytest.raises(InputError, match="lesions of the study patient__0 are not known"):
        evaluate(
            find_studies(tmp_path / "cohort"),
            [str(tiny_bundles["pet"].path)],
            tmp_path / "out",
            DetectionSettings(),
            SilentReporter(),
        )


def test_studies_without_the_ct_that_a_model_needs_are_named_before_any_is_looked_at(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    for patient in ("one", "two"):
        shutil.copytree(tiny_study, tmp_path / "cohort" / patient / "0")
    (tmp_path / "cohort" / "two" / "0" / "CTres.nii.gz").unlink()
    studies, out = find_studies(tmp_path / "cohort"), tmp_path / "out"
    bundle, reporter = tiny_bundles["petct"], SilentReporter()
    models = [str(tiny_bundles[kind].path) for kind in ("pet", "petct")]
    with pytest.raises(InputError, match="1 of the cohort's 2 studies have no CT: two__0"):
        evaluate(studies, models, out, DetectionSettings(), reporter)
    with pytest.raises(InputError, match="1 of the cohort's 2 studies have no CT: two__0"):
        calibrate(bundle, studies, out / "calibration.json", reporter)
    assert list(tmp_path.rglob("*.json")) == []


def test_a_calibration_that_cannot_be_written_is_refused_before_any_study_is_healed(
    cohort: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "calibration.json"

    class Unstarted(SilentReporter):
        def stage(self, name: str, label: str) -> None:
            pytest.fail(f"{name} has begun: {label}")

    with pytest.raises(InputError, match=r"calibration\.json cannot be written"):
        calibrate(tiny_bundles["pet"], find_studies(cohort), out, Unstarted())


def test_a_calibration_stops_in_the_middle_of_a_study(
    cohort: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    cancellation = Cancellation()
    told = []

    class StoppedOnceHealing(SilentReporter):
        def stage(self, name: str, label: str) -> None:  # noqa: ARG002 - the protocol's
            if name == "heal":
                cancellation.request()

        def progress(self, fraction: float) -> None:
            told.append(fraction)  # after the first study

    with pytest.raises(Cancelled):
        calibrate(
            tiny_bundles["pet"],
            find_studies(cohort),
            tmp_path / "calibration.json",
            StoppedOnceHealing(cancellation),
        )
    assert told == []
    assert list(tmp_path.iterdir()) == []


def test_a_cohort_without_a_lesion_cannot_be_evaluated(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    study = Path(shutil.copytree(tiny_study, tmp_path / "cohort" / "patient" / "0"))
    mask = study / "SEG.nii.gz"
    sitk.WriteImage(sitk.ReadImage(str(mask)) * 0, str(mask))
    models, out = [str(tiny_bundles["autoencoder"].path)], tmp_path / "out"
    with pytest.raises(InputError, match="none of the studies has a lesion"):
        evaluate(
            find_studies(tmp_path / "cohort"), models, out, DetectionSettings(), SilentReporter()
        )
