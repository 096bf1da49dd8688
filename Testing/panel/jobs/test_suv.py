from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import slicer  # slicer.util looks for qt
from dicom_studies import write_pet
from open_panel import openPanel
from PETAnomalyLib.panel.environment.interpreter import findInterpreter
from PETAnomalyLib.panel.scene.inputs import SUVBW_CODE, unitsCode
from repository import SHARED_DATA
from studies import waitUntil

OBJECTS = SHARED_DATA / "suv-reference-objects"

pytestmark = pytest.mark.usefixtures("scene")


def loadSeries(folder: Path) -> Any:
    """A volume node in Bq/ml as Slicer's Add Data makes it from DICOM files."""
    names = list(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder)))
    image = sitk.ReadImage(names)
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "PT")
    slicer.util.updateVolumeFromArray(node, sitk.GetArrayFromImage(image).astype(np.float32))
    node.SetSpacing(image.GetSpacing())
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(names[0])
    for name in names:
        storage.AddFileName(name)
    node.SetAndObserveStorageNodeID(storage.GetID())
    return node


@pytest.mark.skipif(not OBJECTS.exists(), reason="the real data are not here")
def test_one_click_makes_a_suv_volume_of_a_bequerel_volume_from_its_files(tmp_path: Any) -> None:
    with openPanel(tmp_path) as panel:
        panel.engine.interpreter = findInterpreter  # the real engine
        panel.parameters.pet = loadSeries(OBJECTS / "DRO_0_0" / "PT")
        panel.update()
        assert panel.study.pet.convertible, panel.ui.petState.text
        panel.ui.convertButton.click()
        assert waitUntil(lambda: not panel.isBusy, 300)
        panel.update()
        pet = panel.parameters.pet
        assert pet.GetName() == "SUVbw, PT", panel.ui.stageState.text
        assert unitsCode(pet) == SUVBW_CODE
        assert panel.study.pet.usable
        mask = next((OBJECTS / "DRO_0_0" / "mask").rglob("*.nii*"), None)
        suv = slicer.util.arrayFromVolume(pet)
        if mask is not None:
            inside = sitk.GetArrayFromImage(sitk.ReadImage(str(mask))) > 0
            assert suv[inside].max() == pytest.approx(4.0, rel=0.01)
            assert np.median(suv[inside]) == pytest.approx(1.0, rel=0.01)
        assert list(Path(slicer.app.temporaryPath).glob("PETAnomaly-*")) == [] or waitUntil(
            lambda: not list(Path(slicer.app.temporaryPath).glob("PETAnomaly-*")), 10
        )


def test_what_the_engine_refuses_is_said_in_its_own_words(tmp_path: Path) -> None:
    with openPanel(tmp_path) as panel:
        panel.engine.interpreter = findInterpreter  # the real engine
        pet = loadSeries(write_pet(tmp_path / "PET", PatientWeight=None))
        slicer.util.arrayFromVolume(pet)[:] *= 1000.0  # Bq/ml, whatever the few slices say
        pet.Modified()
        panel.parameters.pet = pet
        panel.convertToSuv()
        assert waitUntil(lambda: not panel.isBusy, 120)
        said = panel.ui.stageState.text
        assert "PatientWeight" in said
        assert "unexpectedly" not in said
