"""`petanomaly detect --dicom`: the findings as DICOM beside the other results."""

from __future__ import annotations

import shutil
from pathlib import Path

import pydicom
import pytest
from pet_as_dicom import write_pet_as_dicom
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.cli import main

pytest.importorskip("highdicom")


@pytest.fixture(scope="module")
def results(
    tmp_path_factory: pytest.TempPathFactory, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> Path:
    """A folder with `pet`, `plain` (with DICOM objects) and `anonymous`."""
    place = tmp_path_factory.mktemp("dicom")
    write_pet_as_dicom(tiny_study / "SUV.nii.gz", place / "pet")
    for name, more in (("plain", []), ("anonymous", ["--anonymous"])):
        model = str(tiny_bundles["autoencoder"].path)
        assert main(["detect", "--pet", str(place / "pet"), "--model", model, "--device", "cpu",
                     "--out", str(place / name), "--dicom", *more]) == 0  # fmt: skip
    return place


@pytest.mark.parametrize("name", [pytest.param("plain", marks=pytest.mark.slow), "anonymous"])
def test_the_command_for_a_result_writes_the_very_same_bytes(
    results: Path, tmp_path: Path, name: str
) -> None:
    result = shutil.copytree(results / name, tmp_path / "result")
    files = {path.name: path.read_bytes() for path in sorted(result.glob("*.dcm"))}
    assert list(files) == ["findings.seg.dcm", "findings.sr.dcm"]
    for file in files:
        (result / file).unlink()
    more = ["--anonymous"] if name == "anonymous" else []
    assert main(["dicom", str(result), "--pet", str(results / "pet"), *more]) == 0
    for file, content in files.items():
        assert (result / file).read_bytes() == content


def test_there_is_a_segment_for_each_finding_of_the_table(results: Path) -> None:
    rows = (results / "plain" / "findings.csv").read_text(encoding="utf-8").splitlines()[1:]
    segments = pydicom.dcmread(results / "plain" / "findings.seg.dcm").SegmentSequence
    assert 0 < len(rows) == len(segments)
    for row, segment in zip(rows, segments):
        number, suv_max = row.split(",")[:2]
        assert segment.SegmentLabel.startswith(f"Finding {number} (SUVmax ")
        assert float(segment.SegmentLabel.split()[-1][:-1]) == pytest.approx(
            float(suv_max), abs=0.051
        )


def test_an_anonymous_result_has_no_identity_in_its_objects(results: Path) -> None:
    files = list((results / "anonymous").glob("*.dcm"))
    content = b"".join(path.read_bytes() for path in files)
    for secret in (b"ToBeSeen", b"synthetic", b"1.2.826.0.1.3680043.8.498.", b"20250101"):
        assert secret not in content


def test_an_image_file_is_refused_before_anything_is_computed(
    tmp_path: Path, tiny_study: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = ["detect", "--pet", str(tiny_study / "SUV.nii.gz"), "--model", "pet-phantom"]
    assert main([*words, "--out", str(tmp_path / "result"), "--dicom", "--events"]) == 2
    said = capfd.readouterr()
    assert "DICOM results need the PET as DICOM" in said.out
    assert '"align"' not in said.out
    assert list(tmp_path.iterdir()) == []


def test_without_the_option_there_is_none(
    tmp_path: Path, results: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    model = str(tiny_bundles["autoencoder"].path)
    out = tmp_path / "result"
    assert main(["detect", "--pet", str(results / "pet"), "--model", model, "--device", "cpu",
                 "--out", str(out)]) == 0  # fmt: skip
    assert list(out.glob("*.dcm")) == []
    for path in out.glob("*.gz"):
        assert path.read_bytes() == (results / "plain" / path.name).read_bytes()
