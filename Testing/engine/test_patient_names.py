"""Nothing that a detection writes says who the patient is."""

from __future__ import annotations

import gzip
import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.cli import main
from PETAnomalyLib.engine.study.disclosure import Disclosure
from synthetic_dicom import DOSE_BQ, WEIGHT_KG, pet_header, write_series

NAME, IDENTITY = "Mustermann", "PAT4711"
UID = "1.2.826.0.1.3680043.8.498.4711"


def write_dicom(study: Path, folder: Path) -> Path:
    """The study's PET as an attenuation-corrected and an uncorrected series, and another file.

    The patient's name stands in the header, in every folder's name and in file names.
    """
    image = sitk.ReadImage(str(study / "SUV.nii.gz"))
    columns, rows, gap = image.GetSpacing()
    values = np.clip(sitk.GetArrayFromImage(image) * 1000, 0, 32000)
    for number, corrections in enumerate((["ATTN", "DECY"], ["DECY"])):
        header = pet_header(
            DecayCorrection="ADMIN",
            CorrectedImage=corrections,
            SeriesInstanceUID=f"{UID}.{number}",
            SeriesDescription=f"WB {NAME}'s PET {number}",
            PatientName=f"{NAME}^Erika",
            PatientID=IDENTITY,
        )
        write_series(
            folder / f"{NAME}-{number}",
            header,
            values,
            slopes=[DOSE_BQ / WEIGHT_KG / 1e6] * image.GetDepth(),
            spacing=(rows, columns),
            gap=gap,
            prefix=f"{IDENTITY}-",
        )
    (folder / f"letter to {NAME}.txt").write_text("Dear colleague")
    return folder


def written(folder: Path) -> bytes:
    """Everything that stands in a folder: names, contents, and what compressed contents hold."""
    found = []
    for path in sorted(folder.rglob("*")):
        content = path.read_bytes()
        found += [path.name.encode(), content]
        if path.suffix == ".gz":
            found.append(gzip.decompress(content))
        if path.name.endswith(".nrrd"):
            header, _, voxels = content.partition(b"\n\n")
            found.append(gzip.decompress(voxels) if b"gzip" in header else voxels)
        if path.suffix == ".png":
            found += _text_chunks(content)
    return b"\n".join(found)


def _text_chunks(png: bytes) -> list[bytes]:
    """The contents of tEXt, zTXt and iTXt chunks (PNG specification, 11.3.3), decompressed."""
    found, place = [], 8
    while place < len(png):
        length = int.from_bytes(png[place : place + 4], "big")
        kind, content = png[place + 4 : place + 8], png[place + 8 : place + 8 + length]
        if kind in (b"tEXt", b"iTXt"):
            found.append(content)
        if kind == b"zTXt":
            found.append(zlib.decompress(content.partition(b"\0")[2][1:]))
        place += 12 + length
    return found


def detect(*words: object) -> None:
    assert main(["detect", "--device", "cpu", *map(str, words)]) == 0


def report_in(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


@pytest.fixture(scope="module")
def of_dicom(
    tmp_path_factory: pytest.TempPathFactory, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> dict[str, Path]:
    """Results of a DICOM folder in a patient's folder, without and with --anonymous."""
    place = tmp_path_factory.mktemp("dicom") / f"{NAME} {IDENTITY}"
    dicom = write_dicom(tiny_study, place / f"{NAME}, Erika")
    results = {}
    for name, more in (("plain", []), ("anonymous", ["--anonymous"])):
        results[name] = tmp_path_factory.mktemp("results") / name
        model = tiny_bundles["autoencoder"].path
        detect("--pet", dicom, "--model", model, "--out", results[name], *more)
    return results


@pytest.mark.slow
def test_a_dicom_study_is_told_without_its_folder(of_dicom: dict[str, Path]) -> None:
    report = report_in(of_dicom["plain"])
    assert report["inputs"]["pet"]["path"] == "."
    text = json.dumps(report).replace(f"WB {NAME}'s PET", "")  # what a series is called is told
    assert NAME not in text
    assert IDENTITY not in written(of_dicom["plain"]).decode("latin-1")
    assert any("attenuation-corrected" in warning for warning in report["warnings"])
    assert report["inputs"]["pet"]["series_instance_uid"] == f"{UID}.0"


def test_and_anonymously_without_anything_that_leads_to_the_patient(
    of_dicom: dict[str, Path],
) -> None:
    content = written(of_dicom["anonymous"])
    for secret in (NAME, "Erika", IDENTITY, UID, "2025-01-01", "20250101", ".dcm"):
        assert secret.encode() not in content, secret
        assert secret.encode("utf-16-le") not in content, secret
    plain, anonymous = report_in(of_dicom["plain"]), report_in(of_dicom["anonymous"])
    assert len(anonymous["warnings"]) == len(plain["warnings"])
    for numbers in ("weight_kg", "dose_bq", "half_life_s"):
        assert anonymous["inputs"]["pet"]["suv"][numbers] == plain["inputs"]["pet"]["suv"][numbers]
    assert anonymous["findings"] == plain["findings"]


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        pytest.param(".nii.gz", "petct", marks=pytest.mark.slow),
        (".nrrd", "autoencoder"),
        pytest.param(".mha", "autoencoder", marks=pytest.mark.slow),
    ],
)
def test_image_files_are_told_by_their_own_name_or_not_at_all(
    ending: str, kind: str, tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    """Their notes name the patient as well."""
    place = tmp_path / NAME / "scans"
    place.mkdir(parents=True)
    for name in ("SUV", "CTres"):
        image = sitk.ReadImage(str(tiny_study / f"{name}.nii.gz"))
        for note in ("ITK_FileNotes", "descrip", "aux_file", "intent_name", "content", "Comment"):
            image.SetMetaData(note, f"{NAME} {IDENTITY}")
        sitk.WriteImage(image, str(place / f"{IDENTITY}-{name}{ending}"), useCompression=True)
    pet, ct = (place / f"{IDENTITY}-{name}{ending}" for name in ("SUV", "CTres"))
    words = ["--pet", pet, "--ct", ct, "--model", tiny_bundles[kind].path, "--out"]
    detect(*words, tmp_path / "plain")
    inputs = report_in(tmp_path / "plain")["inputs"]
    assert inputs["pet"]["path"] == pet.name
    if kind == "petct":
        assert inputs["ct"]["path"] == ct.name
    assert NAME.encode() not in written(tmp_path / "plain")
    detect(*words, tmp_path / "anonymous", "--anonymous", "--keep-reconstructions")
    content = written(tmp_path / "anonymous")
    for secret in (NAME, IDENTITY):
        assert secret.encode() not in content, secret
    plain, anonymous = tmp_path / "plain" / "overview.png", tmp_path / "anonymous" / "overview.png"
    assert plain.read_bytes() != anonymous.read_bytes(), "the title names the file"


@pytest.mark.slow
def test_a_phantoms_faulty_lesions_are_told_without_the_folder(
    tmp_path: Path, tiny_study: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    place = Path(shutil.copytree(tiny_study, tmp_path / NAME / IDENTITY))
    (place / "description.json").write_text("{}")
    (place / "SEG.nii.gz").write_bytes(b"broken")
    words = ["--pet", place / "SUV.nii.gz", "--model", tiny_bundles["autoencoder"].path, "--out"]
    for name, more in (("plain", []), ("anonymous", ["--anonymous"])):
        detect(*words, tmp_path / name, *more)
        content = written(tmp_path / name)
        assert NAME.encode() not in content
        assert IDENTITY.encode() not in content
        warnings = " ".join(report_in(tmp_path / name)["warnings"])
        assert ("SEG.nii.gz" in warnings) == (name == "plain")
        assert "lesions are not drawn" in warnings


@pytest.mark.parametrize("given", ["absolute", "relative", "through a link", "with dots"])
def test_however_the_folder_is_spelled(
    given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path / NAME / "pet"
    (real / f"{IDENTITY}-sub").mkdir(parents=True)
    (real / f"{IDENTITY}-sub" / "a.dcm").touch()
    monkeypatch.chdir(tmp_path)
    (tmp_path / f"link-{NAME}").symlink_to(real)
    path = {
        "absolute": real,
        "relative": Path(NAME, "pet"),
        "through a link": Path(f"link-{NAME}"),
        "with dots": Path(NAME) / ".." / NAME / "pet",
    }[given]
    for spelled in (path, path.absolute(), path.resolve()):
        warning = f"{spelled} has no slices: {spelled}/{IDENTITY}-sub/a.dcm, {spelled}."
        told = Disclosure([path]).sentence(warning)
        assert NAME not in told
        assert f" {IDENTITY}-sub/a.dcm," in told
        told = Disclosure([path], anonymous=True).sentence(warning)
        assert NAME not in told
        assert IDENTITY not in told
        assert "has no slices" in told


@pytest.mark.parametrize("anonymous", [False, True])
def test_a_folder_whose_name_is_part_of_our_words_leaves_them_alone(
    anonymous: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    warning = "The brain mask was made by registration: findings in the brain may be skull."
    for name in ("in", "brain", "a", "fin", "regis"):
        Path(name).mkdir()
        (Path(name) / "mr.nii.gz").touch()
        told = Disclosure([Path(name, "mr.nii.gz")], anonymous)
        assert told.sentence(warning) == warning
        assert f"{name}/" not in told.sentence(f"The MR {name}/mr.nii.gz is small.")
        assert str(tmp_path) not in told.sentence(f"Files in {tmp_path / name} are no DICOM.")


def test_a_models_path_is_told_from_the_users_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/erika")
    monkeypatch.setenv("USERPROFILE", "/home/erika")
    told = Disclosure([Path("pet.nii.gz")])
    assert told.model_path(Path("/home/erika/models/mine")) == "~/models/mine"
    assert told.model_path(Path("/home/erikas/models/mine")) == "/home/erikas/models/mine"
    assert Disclosure([], anonymous=True).model_path(Path("/home/erika/mine")) == "mine"
