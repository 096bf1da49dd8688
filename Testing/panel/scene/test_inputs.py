from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import slicer  # slicer.util looks for qt
import vtk
from PETAnomalyLib.engine.frame.alignment import align
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.study.study import read_pet
from PETAnomalyLib.panel.scene import inputs
from PETAnomalyLib.panel.scene.volume_files import ijkToRas, physicalImage
from studies import addStudy, addVolume, image, petArray

pytestmark = pytest.mark.usefixtures("scene")


def setUnits(node: Any, code: Any) -> None:
    units = slicer.vtkCodedEntry()
    units.SetValueSchemeMeaning(code, "UCUM", code)
    node.SetVoxelValueUnits(units)


def test_a_pet_in_suvbw_is_said_with_its_size_and_spacing() -> None:
    pet, _ct = addStudy()
    state = inputs.describePet(pet)
    assert state.usable
    assert state.text == "SUVbw, 40 x 36 x 50, 4.00 x 4.00 x 5.00 mm"


def test_plausible_values_without_units_are_taken_for_suv_with_a_warning() -> None:
    pet = addVolume("PET", petArray())
    state = inputs.describePet(pet)
    assert state.usable
    assert state.warning
    assert state.unconfirmed
    assert "values up to 9.0" in state.text
    inputs.confirmSuv(pet)
    state = inputs.describePet(pet)
    assert state.usable
    assert not state.unconfirmed
    assert "as you said" in state.text


@pytest.mark.parametrize("scale", [3.7, 50.0, 5000.0])
def test_what_the_engine_refuses_is_refused_in_its_words(scale: float, tmp_path: Any) -> None:
    """kBq/ml without units too; read from a file, as the engine reads it."""
    voxels = np.where(large() > 0, large() * scale, 0.0).astype(np.float32)
    path = tmp_path / "pet.nrrd"
    picture = image(voxels)
    sitk.WriteImage(picture, str(path))
    with pytest.raises(InputError) as refused:
        read_pet(path)
    node = addVolume("PET", voxels)
    state = inputs.describePet(node)
    assert not state.usable
    said = refused.value.message.split(" is ", 1)[1]
    assert said in state.text
    inputs.confirmSuv(node)
    assert not inputs.describePet(node).usable  # nobody's word makes it SUV
    inputs.markAsSuv(node)
    assert said in inputs.describePet(node).text


@pytest.mark.parametrize("spacing", [1.0, 4.0])
def test_a_scrap_without_a_patient_is_refused_in_the_words_of_a_run(spacing: float) -> None:
    voxels = np.random.default_rng(5).random((3, 3, 3)).astype(np.float32) * 5
    node = addVolume("scrap", voxels)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(np.diag([spacing] * 3 + [1.0])))
    with pytest.raises(InputError) as refused:
        align(physicalImage(voxels, ijkToRas(node)), image(large()))
    state = inputs.describePet(node)
    assert not state.usable
    assert state.text == f"{refused.value.message} {refused.value.hint}"
    inputs.confirmSuv(node)
    assert not inputs.describePet(node).usable


def large() -> np.ndarray:
    """A body of 26 l: what is too hot for SUV shows in a large part of a body only."""
    return np.tile(petArray() > 0, (9, 1, 1)).astype(np.float32)


def test_a_volume_of_no_numbers_is_refused() -> None:
    voxels = petArray()
    voxels[:] = np.nan
    assert "NaN" in inputs.describePet(addVolume("nothing", voxels)).text
    voxels = petArray()
    voxels[3, 3, 3] = np.inf
    assert "1 voxels that are NaN or infinite" in inputs.describePet(addVolume("x", voxels)).text


@pytest.mark.parametrize("code", ["{SUVlbm}g/ml", "{SUVbsa}cm2/ml", "{SUVibw}g/ml"])
def test_suv_of_another_kind_is_refused_by_its_name(code: Any) -> None:
    pet = addVolume("PET", petArray())
    setUnits(pet, code)
    state = inputs.describePet(pet)
    assert not state.usable
    assert code in state.text


@pytest.mark.parametrize(("code", "factor"), [("Bq/ml", 1.0), ("BQML", 5000.0), ("", 5000.0)])
def test_bequerels_are_refused_whether_the_units_or_the_values_say_so(
    code: Any, factor: Any
) -> None:
    pet = addVolume("PET", petArray() * factor)
    if code:
        setUnits(pet, code)
    state = inputs.describePet(pet)
    assert not state.usable
    assert "load the PET from DICOM" in state.text
    assert not state.convertible


def test_a_bequerel_volume_whose_dicom_files_are_there_is_convertible(tmp_path: Any) -> None:
    names = []
    for number in range(3):
        file = tmp_path / f"ä {number}.dcm"
        file.write_bytes(bytes(128) + b"DICM" + bytes(10))
        names.append(str(file))
    pet = addVolume("PET", petArray() * 5000.0)
    storage = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(names[0])
    for name in names:
        storage.AddFileName(name)
    pet.SetAndObserveStorageNodeID(storage.GetID())
    assert inputs.describePet(pet).convertible
    assert [str(file) for file in inputs.dicomFiles(pet)] == names


def test_the_dicom_database_names_the_files_of_a_volume_loaded_from_it(
    tmp_path: Any, monkeypatch: Any
) -> None:
    files = {uid: str(tmp_path / f"{uid}.dcm") for uid in ("1.2", "1.3")}
    database = SimpleNamespace(isOpen=True, fileForInstance=lambda uid: files.get(uid, ""))
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    pet = addVolume("PET", petArray() * 5000.0)
    pet.SetAttribute("DICOM.instanceUIDs", "1.2 1.3")
    assert [str(file) for file in inputs.dicomFiles(pet)] == list(files.values())
    pet.SetAttribute("DICOM.instanceUIDs", "1.2 1.9")
    assert inputs.dicomFiles(pet) == []


def test_a_ct_chosen_as_pet_is_recognised() -> None:
    _pet, ct = addStudy()
    assert "looks like a CT" in inputs.describePet(ct).text
    slicer.util.arrayFromVolume(ct)[20, 18, 18] = 1500  # bone: higher than any SUV
    assert "looks like a CT" in inputs.describePet(ct).text


def test_a_pet_chosen_as_ct_is_recognised() -> None:
    pet, _ct = addStudy()
    other = addVolume("Another PET", petArray())
    assert "not in HU" in inputs.describeCt(other, pet, True).text
    assert "same volume" in inputs.describeCt(pet, pet, True).text


def test_a_ct_of_another_place_is_refused() -> None:
    pet, ct = addStudy()
    matrix = vtk.vtkMatrix4x4()
    ct.GetIJKToRASMatrix(matrix)
    matrix.SetElement(2, 3, matrix.GetElement(2, 3) + 900.0)
    ct.SetIJKToRASMatrix(matrix)
    assert "elsewhere" in inputs.describeCt(ct, pet, True).text


def test_without_a_ct_the_model_decides() -> None:
    pet, _ct = addStudy()
    assert not inputs.describeCt(None, pet, required=True).usable
    assert inputs.describeCt(None, pet, required=False).usable


def test_a_volume_under_a_transform_is_refused_with_what_to_do() -> None:
    pet, _ct = addStudy()
    transform = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    pet.SetAndObserveTransformNodeID(transform.GetID())
    assert "Harden transform" in inputs.describePet(pet).text


def test_a_single_slice_and_a_constant_volume_are_refused() -> None:
    assert "single slice" in inputs.describePet(addVolume("slice", petArray()[:1])).text
    constant = addVolume("constant", np.full((5, 5, 5), 2.0, np.float32))
    assert "is constant" in inputs.describePet(constant).text


def test_a_volume_without_voxels_is_refused() -> None:
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "empty")
    assert "no voxels" in inputs.describePet(empty).text
