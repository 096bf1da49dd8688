"""The measurement report read back by highdicom: every number, unit and reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pydicom
import pytest
from dicom_studies import DETECTOR, SITES, by_instance, reading_of, write_pet
from PETAnomalyLib.engine.dicom_results.reading import Detector, Reading
from PETAnomalyLib.engine.dicom_results.source import Source
from PETAnomalyLib.engine.dicom_results.writing import (
    REPORT_FILE,
    SEGMENTATION_FILE,
    write_objects,
)

highdicom = pytest.importorskip("highdicom")

SUV, VOLUME, GLYCOLYSIS = ("126401", "DCM"), ("126032", "DCM"), ("126033", "DCM")
SCORE = ("score", "99PETANOMALY")
MAXIMUM, MEAN, PEAK, TOTAL = "56851009", "373098007", "126031", "255619001"


def written(folder: Path, reading: Reading) -> Any:
    folder.mkdir(exist_ok=True)
    write_objects(folder, reading)
    return highdicom.sr.srread(folder / REPORT_FILE)


def measured(group: Any) -> dict[tuple[tuple[str, str], str], tuple[float, str]]:
    """Concept and derivation -> value and unit (UCUM)."""
    found = {}
    for one in group.get_measurements():
        derivation = one.derivation.value if one.derivation is not None else ""
        name = (one.name.value, one.name.scheme_designator)
        assert one.unit.scheme_designator == "UCUM"
        found[name, derivation] = (float(one.value), one.unit.value)
    return found


def groups(dataset: Any) -> list[Any]:
    """The groups of single findings, TID 1411."""
    return list(dataset.content.get_volumetric_roi_measurement_groups())


def totals(dataset: Any) -> Any:
    """The group of the totals, TID 1501."""
    (group,) = dataset.content.get_image_measurement_groups()
    return group


@pytest.mark.parametrize("count", [1, 6, pytest.param(30, marks=pytest.mark.slow)])
def test_every_number_of_a_finding_is_there_with_its_unit(tmp_path: Path, count: int) -> None:
    reading = reading_of(write_pet(tmp_path / "pet"), count)
    dataset = written(tmp_path / "out", reading)
    found = groups(dataset)
    assert len(found) == count
    for group, one in zip(found, reading.judged):
        finding = one.finding
        assert measured(group) == {
            (SUV, MAXIMUM): (round(finding.suv_max, 4), "{SUVbw}g/ml"),
            (SUV, MEAN): (round(finding.suv_mean, 4), "{SUVbw}g/ml"),
            (SUV, PEAK): (round(finding.suv_peak, 4), "{SUVbw}g/ml"),
            (VOLUME, ""): (round(finding.mtv_ml, 4), "ml"),
            (GLYCOLYSIS, ""): (round(finding.tlg_g, 4), "g"),
            (SCORE, MAXIMUM): (round(finding.score_max, 4), "{nat}"),
            (SCORE, MEAN): (round(finding.score_mean, 4), "{nat}"),
        }


def test_the_totals_are_a_group_of_their_own_without_what_is_physiological(tmp_path: Path) -> None:
    verdicts = {1: "lesion", 2: "physiological", 3: "lesion", 4: "unsure"}
    reading = reading_of(write_pet(tmp_path / "pet"), 4, verdicts=verdicts)
    dataset = written(tmp_path / "out", reading)
    kept = [one.finding for one in reading.judged if one.finding.number != 2]
    numbers = measured(totals(dataset))
    assert numbers[("findings", "99PETANOMALY"), ""] == (3, "1")
    assert numbers[("unsure-findings", "99PETANOMALY"), ""] == (1, "1")
    volume, unit = numbers[VOLUME, TOTAL]
    assert volume == pytest.approx(sum(finding.mtv_ml for finding in kept), abs=1e-4)
    assert unit == "ml"
    glycolysis, unit = numbers[GLYCOLYSIS, TOTAL]
    assert glycolysis == pytest.approx(sum(finding.tlg_g for finding in kept), abs=1e-4)
    assert unit == "g"
    said = [
        evaluation[0].value.meaning
        for group in groups(dataset)
        for evaluation in group.get_qualitative_evaluations()
        if evaluation[0].name.value == "verdict"
    ]
    assert said == ["Lesion", "Lesion", "Indeterminate"]


def test_each_finding_has_the_code_of_its_site(tmp_path: Path) -> None:
    reading = reading_of(write_pet(tmp_path / "pet"), len(SITES) + 1, sites=SITES)
    found = []
    for group in groups(written(tmp_path / "out", reading)):
        coded = [(one.value.meaning.lower(), one.ContentSequence[0].value.meaning.lower()
                  if "ContentSequence" in one else "") for one in group.finding_sites]  # fmt: skip
        found.append(" ".join([f"{side} {region}".strip() for region, side in coded]))
    words = {"chest": "thorax", "extremity": "limb"}
    said = [" ".join(words.get(word, word) for word in site.split(" ")) for site in found]
    assert said == [*SITES, ""]


def test_without_findings_the_report_says_that_there_are_none(tmp_path: Path) -> None:
    reading = reading_of(write_pet(tmp_path / "pet"), 0)
    dataset = written(tmp_path / "out", reading)
    assert groups(dataset) == []
    assert all(value == 0 for value, _ in measured(totals(dataset)).values())
    assert len(measured(totals(dataset))) == 4


@pytest.mark.parametrize("count", [0, 1, 5])
def test_it_refers_to_the_segments_and_to_the_pets_slices(tmp_path: Path, count: int) -> None:
    pet = write_pet(tmp_path / "pet", "oblique")
    reading = reading_of(pet, count)
    dataset = written(tmp_path / "out", reading)
    slices = by_instance(pet)
    of_totals = [str(one.referenced_sop_instance_uid) for one in totals(dataset).source_images]
    assert sorted(of_totals) == sorted(slices)
    evidence = {
        (str(series.SeriesInstanceUID), str(one.ReferencedSOPInstanceUID))
        for study in dataset.CurrentRequestedProcedureEvidenceSequence
        for series in study.ReferencedSeriesSequence
        for one in series.ReferencedSOPSequence
    }
    expected = {(str(one.SeriesInstanceUID), uid) for uid, one in slices.items()}
    if count:
        segmentation = highdicom.seg.segread(tmp_path / "out" / SEGMENTATION_FILE)
        expected.add((str(segmentation.SeriesInstanceUID), str(segmentation.SOPInstanceUID)))
    assert evidence == expected
    for number, group in enumerate(groups(dataset), 1):
        segment = group.referenced_segment
        described = segmentation.get_segment_description(number)
        assert segment.referenced_sop_instance_uid == segmentation.SOPInstanceUID
        assert segment.referenced_segment_numbers == [number]
        assert group.tracking_uid == described.TrackingUID
        assert group.tracking_identifier == described.TrackingID == f"Finding {number}"
        on = (reading.segments == number).any(axis=(1, 2)).nonzero()[0]
        assert {str(one.referenced_sop_instance_uid) for one in
                segment.source_images_for_segmentation} == {
            str(reading.source.slices[k].SOPInstanceUID) for k in on}  # fmt: skip


@pytest.mark.parametrize(
    ("is_fdg", "has_ct", "procedure"),
    [(True, True, "443271005"), (True, False, "44139-4"), (False, True, "44139-4")],
)
def test_of_the_procedure_it_says_what_is_known(
    tmp_path: Path, is_fdg: bool, has_ct: bool, procedure: str
) -> None:
    reading = reading_of(write_pet(tmp_path / "pet"), 1)
    source = Source(**{**vars(reading.source), "is_fdg": is_fdg, "has_ct": has_ct})
    dataset = written(tmp_path / "out", Reading(reading.labels, reading.judged, DETECTOR, source))
    (reported,) = (
        item.ConceptCodeSequence[0].CodeValue
        for item in dataset.ContentSequence
        if item.ConceptNameCodeSequence[0].CodeMeaning == "Procedure reported"
    )
    assert reported == procedure


def test_it_is_a_preliminary_unverified_pet_report_of_our_software(tmp_path: Path) -> None:
    dataset = written(tmp_path / "out", reading_of(write_pet(tmp_path / "pet"), 1))
    assert dataset.ConceptNameCodeSequence[0].CodeMeaning == "PET Measurement Report"
    assert dataset.ContentTemplateSequence[0].TemplateIdentifier == "1500"
    assert (dataset.VerificationFlag, dataset.PreliminaryFlag) == ("UNVERIFIED", "PRELIMINARY")
    assert dataset.Manufacturer == "PETAnomaly"
    assert dataset.DeviceSerialNumber == DETECTOR.sha256
    said = dataset.to_json()
    assert "model=a-model" in said
    assert f"sha256={DETECTOR.sha256}" in said


@pytest.mark.parametrize("scorer", ["zscore", "residual"])
def test_scores_without_a_unit_say_so(tmp_path: Path, scorer: str) -> None:
    detector = Detector("0.1.0", "m", "ab" * 32, {"scorer": scorer})
    dataset = written(
        tmp_path / "out", reading_of(write_pet(tmp_path / "pet"), 1, detector=detector)
    )
    assert measured(groups(dataset)[0])[SCORE, MAXIMUM][1] == "1"


def test_plain_pydicom_reads_the_same_numbers(tmp_path: Path) -> None:
    """As a workstation that knows no templates: the NUM items in their order."""
    reading = reading_of(write_pet(tmp_path / "pet"), 2)
    written(tmp_path / "out", reading)
    numbers = []
    todo = [pydicom.dcmread(tmp_path / "out" / REPORT_FILE)]
    while todo:
        item = todo.pop(0)
        todo = [*item.get("ContentSequence", []), *todo]
        if item.get("ValueType") == "NUM":
            numbers.append(float(item.MeasuredValueSequence[0].NumericValue))
    first = reading.judged[0].finding
    assert numbers[:2] == [round(first.suv_max, 4), round(first.suv_mean, 4)]
    assert len(numbers) == 2 * 7 + 4
