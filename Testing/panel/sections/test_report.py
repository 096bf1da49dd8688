"""The report: what was read, with what, and no name."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest
import slicer  # slicer.util looks for qt
import vtk
from PETAnomalyLib.panel.scene.mip_picture import PIXEL_MM, frontMip
from studies import ORIGIN_LPS, SIZE, SPACING, addStudy, petArray

pytestmark = pytest.mark.usefixtures("scene")


def test_it_has_lesions_totals_settings_and_warnings_and_no_name(
    detected: Any, tmp_path: Any
) -> None:
    findings = detected.findings.inScene
    findings.judge(["Finding_1"], "lesion")
    findings.comment(["Finding_1"], "left <hilum> & more")
    assert detected.findings.report.write(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    said = re.sub(r"<[^>]*>", " ", page.split("<img")[0])
    own = detected.findings.rows()[0].finding
    for expected in (
        "left &lt;hilum&gt; &amp; more",
        f"{own.suv_max:.1f}",
        f"{own.mtv_ml:.1f}",
        "A stub wrote this.",
        "Model petct-phantom",
        "1 findings are not decided.",
        "kde",
        "40 x 36 x 50",
    ):
        assert expected in said, expected
    assert "Müller" not in page


def test_it_is_written_as_pdf_and_a_folder_that_is_not_there_is_said(
    detected: Any, tmp_path: Any, monkeypatch: Any
) -> None:
    said: list[str] = []
    monkeypatch.setattr(slicer.util, "errorDisplay", lambda text, *_a, **_k: said.append(text))
    assert detected.findings.report.write(tmp_path / "report.pdf")
    content = (tmp_path / "report.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/Image" in content
    assert not detected.findings.report.write(tmp_path / "nowhere" / "report.pdf")
    assert not detected.findings.report.write(tmp_path / "nowhere" / "report.html")
    assert len(said) == 2


@pytest.mark.parametrize("flips", [(1, 1, 1), (-1, 1, 1), (1, -1, -1), (-1, -1, -1)])
def test_the_picture_has_the_head_on_top_and_the_right_side_left(flips: Any) -> None:
    """However the voxels lie, the picture is the same, and a place in it is where it is seen."""
    pet, _ct = addStudy()
    plain, place = frontMip(pet, 9.0)
    turned, other = frontMip(turnedAround(pet, flips), 9.0)
    assert np.array_equal(plain, turned)
    hottest = [-(ORIGIN_LPS[0] + 14 * SPACING[0]), 0.0, ORIGIN_LPS[2] + 20 * SPACING[2]]
    for each in (place, other):
        column, row = each(hottest)
        # LPS: i grows towards the left; k towards the head
        assert column * PIXEL_MM == pytest.approx((14 + 0.5) * SPACING[0])
        assert row * PIXEL_MM == pytest.approx((SIZE[2] - 20 - 0.5) * SPACING[2])
        assert plain[int(row), int(column)] == plain.min()


def turnedAround(pet: Any, flips: tuple[int, int, int]) -> Any:
    """The same PET with the order of its voxels along i, j, k reversed where a flip is -1."""
    matrix = vtk.vtkMatrix4x4()
    pet.GetIJKToRASMatrix(matrix)
    affine = slicer.util.arrayFromVTKMatrix(matrix)
    voxels = petArray()[:: flips[2], :: flips[1], :: flips[0]]
    for axis, flip in enumerate(flips):
        if flip < 0:
            affine[:3, 3] += affine[:3, axis] * (SIZE[axis] - 1)
            affine[:3, axis] *= -1
    node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "turned")
    slicer.util.updateVolumeFromArray(node, np.ascontiguousarray(voxels))
    node.SetIJKToRASMatrix(slicer.util.vtkMatrixFromArray(affine))
    return node
