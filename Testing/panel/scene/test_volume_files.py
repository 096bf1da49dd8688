from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import slicer  # slicer.util looks for qt
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.background import Abandoned, Work
from PETAnomalyLib.panel.scene.volume_files import VolumeSnapshot, physicalImage
from studies import ORIGIN_LPS, SPACING, addStudy, addVolume, petArray

pytestmark = pytest.mark.usefixtures("scene")


def test_the_file_holds_the_nodes_voxels_in_its_place(tmp_path: Any) -> None:
    pet, _ct = addStudy()
    path = tmp_path / "mit Leer und ß.nrrd"
    VolumeSnapshot(pet).write(path, Work())
    image = sitk.ReadImage(str(path))
    assert np.array_equal(sitk.GetArrayFromImage(image), petArray())
    assert image.GetSpacing() == SPACING
    assert image.GetOrigin() == pytest.approx(ORIGIN_LPS)


@pytest.mark.parametrize("dtype", [np.int16, np.uint8, np.uint16, np.int32, np.float64])
def test_every_voxel_type_is_written_as_it_is(tmp_path: Any, dtype: Any) -> None:
    array = (petArray() * 10).astype(dtype)
    path = tmp_path / "volume.nrrd"
    VolumeSnapshot(addVolume("volume", array)).write(path, Work())
    read = sitk.GetArrayFromImage(sitk.ReadImage(str(path)))
    assert read.dtype == dtype
    assert np.array_equal(read, array)


def test_an_oblique_volume_keeps_every_voxels_place(tmp_path: Any) -> None:
    node = addVolume("oblique", petArray())
    angle = 0.3
    axes = np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    matrix = np.eye(4)
    matrix[:3, :3] = axes * [2.0, 3.0, 4.0]
    matrix[:3, 3] = (11.0, -22.0, 33.0)
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(matrix))
    VolumeSnapshot(node).write(tmp_path / "oblique.nrrd", Work())
    image = sitk.ReadImage(str(tmp_path / "oblique.nrrd"))
    for ijk in ((0, 0, 0), (5, 7, 9), (39, 0, 49)):
        ras = (matrix @ [*ijk, 1.0])[:3]
        lps = image.TransformIndexToPhysicalPoint(ijk)
        assert lps == pytest.approx((-ras[0], -ras[1], ras[2]))


def test_the_voxels_outlive_the_deleted_node(tmp_path: Any) -> None:
    pet, _ct = addStudy()
    snapshot = VolumeSnapshot(pet)
    slicer.mrmlScene.RemoveNode(pet)
    del pet
    snapshot.write(tmp_path / "pet.nrrd", Work())
    written = sitk.GetArrayFromImage(sitk.ReadImage(str(tmp_path / "pet.nrrd")))
    assert np.array_equal(written, petArray())


def test_writing_stops_when_nobody_waits_any_more(tmp_path: Any) -> None:
    pet, _ct = addStudy()
    work = Work()
    work.abandon()
    with pytest.raises(Abandoned):
        VolumeSnapshot(pet).write(tmp_path / "pet.nrrd", work)


def test_a_volume_without_voxels_is_refused_by_its_name() -> None:
    empty = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "Empty one")
    with pytest.raises(InputError, match="Empty one"):
        VolumeSnapshot(empty)


def test_an_image_of_voxels_and_matrix_lies_where_the_matrix_says() -> None:
    matrix = np.diag([-4.0, -4.0, 5.0, 1.0])
    matrix[:3, 3] = (80.0, 70.0, -900.0)
    image = physicalImage(petArray(), matrix)
    assert image.TransformIndexToPhysicalPoint((1, 2, 3)) == pytest.approx((-76.0, -62.0, -885.0))
