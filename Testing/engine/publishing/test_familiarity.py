"""`calibrate --familiarity` on a tiny cohort, and what `detect` makes of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles.bundle import Bundle, verify_bundle
from PETAnomalyLib.engine.bundles.writing import write_bundle
from PETAnomalyLib.engine.detection import detect
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.publishing import familiarity
from PETAnomalyLib.engine.publishing.familiarity import calibrate_familiarity
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy, find_studies

KINDS = ("pet", "petct", "autoencoder")


@pytest.fixture(scope="module")
def cohort(tiny_study: Path, tmp_path_factory: pytest.TempPathFactory) -> list[CohortStudy]:
    """Two studies that differ by a shade."""
    folder = tmp_path_factory.mktemp("cohort")
    for number, gain in enumerate((1.0, 1.02)):
        study = folder / f"patient-{number}" / "0"
        study.mkdir(parents=True)
        suv = sitk.ReadImage(str(tiny_study / "SUV.nii.gz")) * gain
        sitk.WriteImage(sitk.Cast(suv, sitk.sitkFloat32), str(study / "SUV.nii.gz"))
        (study / "CTres.nii.gz").symlink_to(tiny_study / "CTres.nii.gz")
    return find_studies(folder)


@pytest.fixture
def few_are_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(familiarity, "FEWEST_STUDIES", 2)


def with_familiarity(bundle: Bundle, section: dict[str, object], folder: Path) -> Bundle:
    manifest = json.loads(json.dumps(bundle.manifest))
    manifest["petanomaly"]["familiarity"] = section
    card = (bundle.path / "docs" / "README.md").read_text()
    write_bundle(folder, manifest, bundle.weights, bundle.template, card)
    return verify_bundle(folder)


@pytest.mark.usefixtures("few_are_enough")
@pytest.mark.parametrize(
    "kind", [KINDS[0], *(pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS[1:])]
)
def test_the_measures_fit_into_a_bundle_and_detect_places_a_study_among_them(
    kind: str, cohort: list[CohortStudy], tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    bundle = tiny_bundles[kind]
    section = calibrate_familiarity(bundle, cohort, tmp_path / "c.json", SilentReporter())
    assert json.loads((tmp_path / "c.json").read_text())["familiarity"] == section
    assert any("log_likelihood" in name for name in section["measures"]) == (kind != "autoencoder")
    known = with_familiarity(bundle, section, tmp_path / "known")
    out = tmp_path / "result"
    # Two studies tell little of what is familiar: the one may be refused beside the other.
    settings = DetectionSettings(model=str(known.path), anyway=True)
    detect(cohort[0].pet, cohort[0].ct if kind == "petct" else None, out, settings,
           SilentReporter())  # fmt: skip
    found = json.loads((out / "report.json").read_text())["fit"]["familiarity"]
    for name, measure in found["measures"].items():
        # Of two studies this is one: the measure is the least or the greatest of the two.
        ends = (section["measures"][name][0], section["measures"][name][-1])
        assert any(measure["value"] == pytest.approx(end, abs=2e-5) for end in ends)


@pytest.mark.slow
@pytest.mark.usefixtures("few_are_enough")
def test_a_foreign_study_is_said_to_be_foreign_in_warning_mask_and_findings(
    cohort: list[CohortStudy], tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    bundle = tiny_bundles["pet"]
    section = calibrate_familiarity(bundle, cohort, tmp_path / "c.json", SilentReporter())
    for name, quantiles in section["measures"].items():  # as if all others had been likelier
        if name.endswith("/log_likelihood"):
            section["measures"][name] = [q + 1.0 for q in quantiles]
    known = with_familiarity(bundle, section, tmp_path / "known")
    out = tmp_path / "result"
    detect(cohort[0].pet, None, out, DetectionSettings(model=str(known.path), threshold=-50.0),
           SilentReporter())  # fmt: skip
    report = json.loads((out / "report.json").read_text())
    assert "unlike those that the model knows" in report["warnings"][0]
    mask = sitk.GetArrayFromImage(sitk.ReadImage(str(out / "scored_mask.nii.gz")))
    assert 2 in np.unique(mask)
    header, *rows = (out / "findings.csv").read_text().splitlines()
    assert header.endswith(",unfamiliar")
    marked = sum(row.endswith(",true") for row in rows)
    assert report["findings"]["unfamiliar"] == marked > 0


@pytest.mark.usefixtures("few_are_enough")
@pytest.mark.slow
def test_a_run_that_was_stopped_goes_on(
    cohort: list[CohortStudy], tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    bundle, out = tiny_bundles["autoencoder"], tmp_path / "c.json"
    whole = calibrate_familiarity(bundle, cohort, out, SilentReporter())
    out.write_text('{"thresholds": {"kept": 1}}')

    class Stopping(SilentReporter):
        def progress(self, fraction: float) -> None:
            if fraction >= 0.5:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calibrate_familiarity(bundle, cohort, out, Stopping())
    gone = [replace(cohort[0], pet=tmp_path / "gone.nii.gz"), cohort[1]]
    assert calibrate_familiarity(bundle, gone, out, SilentReporter()) == whole
    assert json.loads(out.read_text()) == {"thresholds": {"kept": 1}, "familiarity": whole}


def test_too_few_studies_are_refused(
    cohort: list[CohortStudy], tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="too few"):
        calibrate_familiarity(tiny_bundles["pet"], cohort, tmp_path / "c.json", SilentReporter())
