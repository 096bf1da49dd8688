"""A result folder that something has damaged is said to be, file by file."""

from __future__ import annotations

from pathlib import Path

import pytest
import SimpleITK as sitk
import slicer  # noqa: F401 - the panel's modules look for it
import stub_results
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.panel.background import Work
from PETAnomalyLib.panel.scene.result_files import readResults
from PETAnomalyLib.panel.scene.volume_files import VolumeSnapshot
from studies import addStudy

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture
def results(tmp_path: Path) -> Path:
    pet, _ct = addStudy()
    VolumeSnapshot(pet).write(tmp_path / "pet.nrrd", Work())
    stub_results.write(tmp_path / "result", sitk.ReadImage(str(tmp_path / "pet.nrrd")))
    return tmp_path / "result"


def test_a_result_folder_gives_what_was_written(results: Path) -> None:
    read = readResults(results, Work())
    assert set(read.maps) == {"kde", "zscore", "residual"}
    assert read.findings
    assert read.warnings == ["A stub wrote this."]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("report.json", b""),
        ("report.json", b'{"settings": {"scor'),
        ("report.json", b"[]"),
        ("report.json", b"[" * 100_000),
        ("report.json", b"\xff\xfe{"),
        ("findings.csv", None),
        ("findings.csv", b"number,suv_max\n1,2\n"),
        ("findings.csv", b"\xff"),
        ("segmentation.seg.nrrd", b"NRRD0004\n"),
        ("kde.nii.gz", b"\x1f\x8b"),
    ],
)
def test_a_damaged_file_is_named(name: str, content: bytes | None, results: Path) -> None:
    if content is None:
        (results / name).unlink()
    else:
        (results / name).write_bytes(content)
    with pytest.raises(InputError, match=f"{name} of the run can't be read"):
        readResults(results, Work())


def test_a_table_that_ends_in_the_middle_of_a_row_is_refused(results: Path) -> None:
    table = results / "findings.csv"
    table.write_bytes(table.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"findings\.csv of the run can't be read"):
        readResults(results, Work())
