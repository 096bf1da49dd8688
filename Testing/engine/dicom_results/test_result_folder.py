"""`petanomaly dicom`: a result folder, also one corrected by hand, as DICOM objects."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from dicom_studies import boxes, findings_of, with_column, write_pet, write_result
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.findings.segmentation import write_segmentation
from repository import MODULE
from synthetic_dicom import DOSE_BQ

highdicom = pytest.importorskip("highdicom")


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `pet` and `result` (five findings)."""
    place = tmp_path_factory.mktemp("original")
    write_result(place / "result", write_pet(place / "pet"))
    return place


@pytest.fixture
def place(original: Path, tmp_path: Path) -> Path:
    """A copy, to be corrected."""
    return Path(shutil.copytree(original, tmp_path / "copy"))


def export(place: Path, *more: str) -> tuple[Any, Any]:
    words = ["dicom", str(place / "result"), "--pet", str(place / "pet"), *more]
    assert main(words) == 0
    files = [place / "result" / f"findings.{kind}.dcm" for kind in ("seg", "sr")]
    return tuple(pydicom.dcmread(path) if path.exists() else None for path in files)  # type: ignore[return-value]


def refusal(place: Path, capfd: pytest.CaptureFixture[str], *more: str) -> str:
    before = sorted(path.name for path in (place / "result").iterdir())
    words = ["dicom", str(place / "result"), "--pet", str(place / "pet"), *more]
    assert main(words) == 2
    assert sorted(path.name for path in (place / "result").iterdir()) == before
    said = capfd.readouterr().err
    assert "Traceback" not in said
    return " ".join(said.split())


def names(segmentation: Any) -> list[str]:
    return [segment.SegmentLabel.split(" (")[0] for segment in segmentation.SegmentSequence]


def numbers(report: Any) -> dict[tuple[str, str, str], float]:
    """(group, concept, derivation) -> value."""
    content = highdicom.sr.ComprehensiveSR.from_dataset(report).content
    found = {}
    for group in [
        *content.get_volumetric_roi_measurement_groups(),
        *content.get_image_measurement_groups(),
    ]:
        for one in group.get_measurements():
            derivation = one.derivation.meaning if one.derivation is not None else ""
            found[group.tracking_identifier, one.name.meaning, derivation] = float(one.value)
    return found


def table(place: Path) -> list[list[str]]:
    text = (place / "result" / "findings.csv").read_text(encoding="utf-8")
    return [line.split(",") for line in text.splitlines()]


def test_the_numbers_are_those_of_the_table(place: Path) -> None:
    _, report = export(place)
    found = numbers(report)
    header, *rows = table(place)
    for row in rows:
        value = dict(zip(header, row))
        name = f"Finding {value['number']}"
        assert found[name, "SUVbw", "Maximum"] == float(value["suv_max"])
        assert found[name, "SUVbw", "Mean"] == float(value["suv_mean"])
        assert found[name, "SUVbw", "Peak Value Within ROI"] == float(value["suv_peak"])
        assert found[name, "Metabolic Volume", ""] == float(value["mtv_ml"])
        assert found[name, "Total Lesion Glycolysis", ""] == float(value["tlg_g"])
        assert found[name, "Anomaly score", "Maximum"] == float(value["score_max"])


def test_twice_is_the_same_bytes(place: Path) -> None:
    export(place)
    files = [place / "result" / f"findings.{kind}.dcm" for kind in ("seg", "sr")]
    before = [path.read_bytes() for path in files]
    export(place)
    assert [path.read_bytes() for path in files] == before


def test_verdicts_of_the_table_count(place: Path) -> None:
    export(place)
    with_column(place / "result" / "findings.csv", "verdict",
                {1: "lesion", 2: "physiological", 5: "unsure"})  # fmt: skip
    segmentation, report = export(place)
    assert names(segmentation) == ["Finding 1", "Finding 3", "Finding 4", "Finding 5"]
    found = numbers(report)
    assert found["Totals", "Number of findings", ""] == 4
    assert found["Totals", "Number of findings whose verdict is unsure", ""] == 3


def test_all_physiological_leaves_a_report_of_nothing(place: Path) -> None:
    export(place)
    everything = dict.fromkeys(range(1, 6), "physiological")
    with_column(place / "result" / "findings.csv", "verdict", everything)
    segmentation, report = export(place)
    assert segmentation is None
    assert set(numbers(report).values()) == {0}


def redraw(place: Path, labels: sitk.Image, study: Any) -> None:
    path = place / "result" / "segmentation.seg.nrrd"
    write_segmentation(path, labels, findings_of(study, labels))


def test_a_finding_redrawn_by_hand_is_measured_anew_and_says_so(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    study = write_result(tmp_path / "result", write_pet(tmp_path / "pet"))
    sites = {2: "left thorax", 3: "left thorax"}
    with_column(tmp_path / "result" / "findings.csv", "site", sites)
    before, _ = export(tmp_path)
    labels = boxes(study.pet, 5)
    labels[20, 17, 8] = 3
    redraw(tmp_path, labels, study)
    segmentation, report = export(tmp_path)
    assert "Finding 3 was redrawn" in capfd.readouterr().err
    kinds = [segment.SegmentAlgorithmType for segment in segmentation.SegmentSequence]
    assert kinds == ["AUTOMATIC", "AUTOMATIC", "SEMIAUTOMATIC", "AUTOMATIC", "AUTOMATIC"]
    voxels = int((sitk.GetArrayFromImage(labels) == 3).sum())
    volume = numbers(report)["Finding 3", "Metabolic Volume", ""]
    assert volume == pytest.approx(voxels * np.prod(study.pet.GetSpacing()) / 1000, abs=1e-4)
    assert segmentation.SOPInstanceUID != before.SOPInstanceUID
    assert segmentation.SegmentSequence[2].TrackingUID == before.SegmentSequence[2].TrackingUID
    # Where it lies was said of what it was.
    sited = ["AnatomicRegionSequence" in segment for segment in segmentation.SegmentSequence]
    assert sited == [False, True, False, False, False]


def test_findings_deleted_and_added_by_hand(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    study = write_result(tmp_path / "result", write_pet(tmp_path / "pet"))
    labels = boxes(study.pet, 6)
    array = sitk.GetArrayFromImage(labels)
    array[array == 2] = 0
    changed = sitk.GetImageFromArray(array)
    changed.CopyInformation(labels)
    redraw(tmp_path, changed, study)
    segmentation, _ = export(tmp_path)
    said = capfd.readouterr().err
    assert "1 findings of the table have no voxels any more: left out (2)" in said
    assert "Finding 6 is in no row of the table" in said
    assert names(segmentation) == [f"Finding {n}" for n in (1, 3, 4, 5, 6)]
    assert segmentation.SegmentSequence[4].SegmentAlgorithmType == "SEMIAUTOMATIC"


def test_a_result_on_mirrored_voxels_of_the_same_pet_is_taken(place: Path) -> None:
    """As other converters of DICOM store them."""
    before, _ = export(place)
    result = place / "result"
    report = json.loads((result / "report.json").read_text(encoding="utf-8"))
    del report["inputs"]["pet"]["series_instance_uid"]
    (result / "report.json").write_text(json.dumps(report), encoding="utf-8")
    for name in ("kde.nii.gz", "segmentation.seg.nrrd"):
        image = sitk.ReadImage(str(result / name))
        keys = {key: image.GetMetaData(key) for key in image.GetMetaDataKeys()}
        mirrored = sitk.Flip(image, (False, True, True))
        for key, value in keys.items():
            if key.startswith("Segment"):
                mirrored.SetMetaData(key, value)
        sitk.WriteImage(mirrored, str(result / name), True)
    after, _ = export(place)
    assert after.PixelData == before.PixelData
    assert after.SOPInstanceUID == before.SOPInstanceUID


def test_another_series_is_refused(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(place / "pet")
    write_pet(place / "pet", SeriesInstanceUID="1.2.3.4.5")
    assert "is of another PET series" in refusal(place, capfd)


def test_another_patients_pet_on_the_same_grid_is_refused(
    place: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    report = json.loads((place / "result" / "report.json").read_text(encoding="utf-8"))
    report["inputs"]["pet"] = {"path": "SUV.nii.gz"}  # the result of a converted image
    (place / "result" / "report.json").write_text(json.dumps(report), encoding="utf-8")
    shutil.rmtree(place / "pet")
    write_pet(place / "pet", RadionuclideTotalDose=str(DOSE_BQ * 1.2))
    assert "it is another PET" in refusal(place, capfd)


def test_a_pet_that_is_no_dicom_is_refused(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sitk.WriteImage(sitk.ReadImage(str(place / "result" / "kde.nii.gz")), str(place / "s.nii.gz"))
    image = sitk.Abs(sitk.ReadImage(str(place / "s.nii.gz")))
    shutil.rmtree(place / "pet")
    sitk.WriteImage(image, str(place / "pet.nii.gz"))
    words = ["dicom", str(place / "result"), "--pet", str(place / "pet.nii.gz")]
    assert main(words) == 2
    assert "DICOM results need the PET as DICOM" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("report.json", None, "is no whole result of petanomaly"),
        ("report.json", "{", "report.json is damaged"),
        ("report.json", "[1]", "report.json lacks"),
        ("report.json", '{"model": {}, "settings": {}, "inputs": {}}', "names no model"),
        ("findings.csv", None, "findings.csv does not exist"),
        ("findings.csv", "number;suv_max\n1;2\n", "has no column 'mtv_ml'"),
        ("findings.csv", "number,suv_max,mtv_ml\n1,x,2\n", "has 'x' in the column 'suv_max'"),
        ("findings.csv", "number,suv_max,mtv_ml\n1,1,2\n1,1,2\n", "has finding 1 again"),
        ("findings.csv", "number,suv_max,mtv_ml,verdict\n1,1,2,sure\n", "has the verdict 'sure'"),
        ("segmentation.seg.nrrd", None, "segmentation.seg.nrrd does not exist"),
        ("segmentation.seg.nrrd", "NRRD0005\n", "not a readable NRRD"),
        ("kde.nii.gz", None, "kde.nii.gz does not exist"),
    ],
)
def test_a_folder_that_is_no_whole_result_is_refused_in_words(
    place: Path, capfd: pytest.CaptureFixture[str], name: str, content: str | None, complaint: str
) -> None:
    (place / "result" / name).unlink()
    if content is not None:
        (place / "result" / name).write_text(content, encoding="utf-8")
    assert complaint in refusal(place, capfd)


def test_another_process_writes_the_same_bytes_and_touches_nothing_that_sends(
    place: Path,
) -> None:
    script = (
        "import sys\n"
        "sys.modules['requests'] = sys.modules['dicomweb_client'] = None\n"
        "from PETAnomalyLib.engine.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    words = ["dicom", str(place / "result"), "--pet", str(place / "pet")]
    ran = subprocess.run(
        [sys.executable, "-c", script, *words], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(MODULE), "PYTHONHASHSEED": "7"},
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    files = sorted((place / "result").glob("*.dcm"))
    before = [path.read_bytes() for path in files]
    export(place)
    assert [path.read_bytes() for path in files] == before
    assert len(files) == 2


def test_the_events_end_with_the_folder(place: Path, capfd: pytest.CaptureFixture[str]) -> None:
    export(place, "--events")
    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert events[-1] == {"event": "result", "dir": str(place / "result")}


def test_a_site_of_the_table_is_reported(place: Path) -> None:
    with_column(place / "result" / "findings.csv", "site", {2: "right thorax"})
    segmentation, _ = export(place)
    coded = [
        segment.AnatomicRegionSequence[0].CodeMeaning
        for segment in segmentation.SegmentSequence
        if "AnatomicRegionSequence" in segment
    ]
    assert coded == ["Thorax"]
