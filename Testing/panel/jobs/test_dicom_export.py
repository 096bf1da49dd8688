"""Export DICOM: real DICOM files, the real engine, objects read back."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
from dicom_studies import STUDY_UID, write_pet
from open_panel import openPanel, settled
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.study import read_study
from PETAnomalyLib.panel.environment.interpreter import findInterpreter
from PETAnomalyLib.panel.jobs.dicom_export import OBJECTS, deliver
from PETAnomalyLib.panel.parameters import setThreshold
from PETAnomalyLib.panel.scene.inputs import dicomFiles, keepDicomSource, markAsSuv
from PETAnomalyLib.panel.scene.run_record import detectorOf
from PETAnomalyLib.panel.scene.volume_nodes import addVolume
from studies import waitUntil

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture
def reading(tmp_path: Path) -> Any:
    """A panel with findings of a DICOM PET, its own files known by the volume it was made of."""
    pytest.importorskip("highdicom")
    series = write_pet(tmp_path / "PET ä", gap=10.0)  # a body of more than a litre
    with openPanel(tmp_path) as panel:
        pet = addVolume(read_study(series).pet, "PET", None)
        markAsSuv(pet)
        source = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Bq/ml")
        storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
        files = sorted(str(file) for file in series.rglob("*.dcm"))
        storage.SetFileName(files[0])
        for file in files:
            storage.AddFileName(file)
        source.SetAndObserveStorageNodeID(storage.GetID())
        keepDicomSource(pet, source)
        assert [str(file) for file in dicomFiles(pet)] == files
        panel.parameters.pet = pet
        panel.parameters.model = "pet-phantom"
        panel.parameters.minimumVolume = 0.0
        suv = slicer.util.arrayFromVolume(pet)
        setThreshold(panel.parameters, "kde", float(np.quantile(suv, 0.995)) * 1.5 - 2.0)
        panel.update()
        panel.ui.detectButton.click()
        assert waitUntil(lambda: panel.parameters.table is not None), panel.whyNot()
        settled(panel)
        panel.update()
        panel.engine.interpreter = findInterpreter  # the real engine from here on
        yield panel


def exported(panel: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    import qt

    monkeypatch.setattr(
        qt.QFileDialog, "getExistingDirectory", staticmethod(lambda *_unused: str(folder))
    )
    assert panel.ui.dicomButton.enabled
    panel.ui.dicomButton.click()
    assert waitUntil(lambda: not panel.isBusy, 120)
    return panel.ui.stageState.text


def test_what_a_hand_corrected_is_written_as_it_stands_with_the_verdicts(
    reading: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import highdicom
    import pydicom

    rows = reading.findings.rows()
    assert len(rows) >= 3
    gone, normal, *kept = rows
    reading.findings.inScene.remove([gone.segment])
    reading.findings.inScene.judge([normal.segment], "physiological")
    reading.findings.inScene.judge([kept[0].segment], "lesion")
    folder = tmp_path / "Ausgang ö"
    folder.mkdir()
    said = exported(reading, folder, monkeypatch)
    assert sorted(file.name for file in folder.iterdir()) == sorted(OBJECTS), said
    segments = highdicom.seg.Segmentation.from_dataset(pydicom.dcmread(folder / OBJECTS[0]))
    assert segments.StudyInstanceUID == STUDY_UID
    labels = [text.SegmentLabel.split(" (")[0] for text in segments.SegmentSequence]
    assert labels == [f"Finding {row.finding.number}" for row in kept]
    voxels = sum(int(segments.get_volume(segment_numbers=[n + 1]).array.astype(bool).sum())
                 for n in range(len(kept)))  # fmt: skip
    spacing = reading.parameters.pet.GetSpacing()
    ml = sum(row.finding.mtv_ml for row in kept)
    assert voxels * np.prod(spacing) / 1000 == pytest.approx(ml, rel=1e-3)
    report = highdicom.sr.ComprehensiveSR.from_dataset(pydicom.dcmread(folder / OBJECTS[1]))
    content: Any = report.content
    groups = content.get_volumetric_roi_measurement_groups()
    maxima = [
        float(one.value)
        for group in groups
        for one in group.get_measurements()
        if one.name.meaning == "SUVbw" and one.derivation.meaning == "Maximum"
    ]
    assert maxima == pytest.approx([row.finding.suv_max for row in kept], abs=1e-3)


def test_the_objects_are_offered_to_slicers_database(
    reading: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[Any] = []

    def importDicom(folder: str, copyFiles: bool = False) -> None:
        taken.append((sorted(file.name for file in Path(folder).iterdir()), copyFiles))

    library = ModuleType("DICOMLib")
    library.DICOMUtils = SimpleNamespace(importDicom=importDicom)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "DICOMLib", library)
    monkeypatch.setattr(slicer, "dicomDatabase", SimpleNamespace(isOpen=True), raising=False)
    monkeypatch.setattr(slicer.util, "confirmYesNoDisplay", lambda *_a, **_k: True)
    folder = tmp_path / "out"
    folder.mkdir()
    exported(reading, folder, monkeypatch)
    assert taken == [(sorted(OBJECTS), True)]


def test_findings_that_share_voxels_are_named(
    reading: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, *_others = reading.findings.rows()
    pet = reading.parameters.pet
    everything = np.ones_like(slicer.util.arrayFromVolume(pet), dtype=np.uint8)
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        everything, reading.parameters.segmentation, second.segment, pet
    )
    folder = tmp_path / "out"
    folder.mkdir()
    said = exported(reading, folder, monkeypatch)
    assert f"{first.finding.number}" in said
    assert "share voxels" in said
    assert list(folder.iterdir()) == []


def test_the_pet_of_another_series_is_refused(
    reading: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading.parameters.pet.RemoveNodeReferenceIDs("PETAnomaly.DicomSource")
    other = write_pet(tmp_path / "other", PatientWeight="40", gap=10.0)
    said = exported(reading, other, monkeypatch)  # both questions are answered with this folder
    assert "another PET" in said
    assert not any((other / name).exists() for name in OBJECTS)


def test_an_earlier_object_of_other_findings_goes(tmp_path: Path) -> None:
    objects, folder = tmp_path / "objects", tmp_path / "out"
    for place in (objects, folder):
        place.mkdir()
    (objects / OBJECTS[1]).write_bytes(b"new")
    for name in (*OBJECTS, "theirs.dcm"):
        (folder / name).write_bytes(b"old")
    deliver(objects, folder)
    there = {file.name: file.read_bytes() for file in folder.iterdir()}
    assert there == {OBJECTS[1]: b"new", "theirs.dcm": b"old"}


def test_findings_of_an_earlier_version_are_refused_in_words() -> None:
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    with pytest.raises(InputError, match="do not say which model"):
        detectorOf(node, {})
