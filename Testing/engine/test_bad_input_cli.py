"""Bad input through the command line: exit code 2, one event naming the cause, nothing written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine import cli
from PETAnomalyLib.engine.bundles.bundle import Bundle
from synthetic_dicom import a_body, ct_header, pet_header, write_series


class Study:
    """A copy of a good study, to be spoilt."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.pet = folder / "SUV.nii.gz"
        self.ct = folder / "CTres.nii.gz"

    def change(self, path: Path, change: Callable[[np.ndarray], object]) -> None:
        """Alter the voxels of an image (k, j, i)."""
        image = sitk.ReadImage(str(path), sitk.sitkFloat32)
        values = sitk.GetArrayFromImage(image)
        change(values)
        changed = sitk.GetImageFromArray(values)
        changed.CopyInformation(image)
        sitk.WriteImage(changed, str(path), useCompression=True)

    def rewrite(self, path: Path, change: Callable[[sitk.Image], sitk.Image]) -> None:
        """Replace an image."""
        sitk.WriteImage(change(sitk.ReadImage(str(path))), str(path), useCompression=True)


@pytest.fixture
def study(tiny_study: Path, tmp_path: Path) -> Study:
    return Study(Path(shutil.copytree(tiny_study, tmp_path / "study")))


def spacing(image: sitk.Image, millimetres: float) -> sitk.Image:
    image.SetSpacing([millimetres] * 3)
    return image


def shifted(image: sitk.Image, millimetres: float) -> sitk.Image:
    image.SetOrigin([coordinate + millimetres for coordinate in image.GetOrigin()])
    return image


def not_a_volume(study: Study) -> None:
    study.pet.write_text("SUV;1;2;3")


def missing(study: Study) -> None:
    study.pet.unlink()


def empty(study: Study) -> None:
    study.pet.write_bytes(b"")


def truncated(study: Study) -> None:
    study.pet.write_bytes(study.pet.read_bytes()[:-20000])


def one_slice(study: Study) -> None:
    study.rewrite(study.pet, lambda image: image[:, :, 20:21])


def four_dimensions(study: Study) -> None:
    study.rewrite(study.pet, lambda image: sitk.JoinSeries([image, image]))


def not_a_number(study: Study) -> None:
    study.change(study.pet, lambda values: values.put(1000, np.nan))


def infinite(study: Study) -> None:
    study.change(study.pet, lambda values: values.put(1000, np.inf))


def constant(study: Study) -> None:
    study.change(study.pet, lambda values: values.fill(1.0))


def becquerels(study: Study) -> None:
    study.change(study.pet, lambda values: values.__imul__(5000))


def kilobecquerels(study: Study) -> None:
    study.change(study.pet, lambda values: values.__imul__(5))


def swapped(study: Study) -> None:
    study.pet, study.ct = study.ct, study.pet


def elsewhere(study: Study) -> None:
    study.rewrite(study.ct, lambda image: shifted(image, 3000))


def no_ct(study: Study) -> None:
    study.ct = Path()


def in_metres(study: Study) -> None:
    study.rewrite(study.pet, lambda image: spacing(image, 0.008))


def a_few_slices_of_thigh(study: Study) -> None:
    study.rewrite(study.pet, lambda image: image[:, :, 2:10])


def mixed_series(study: Study) -> None:
    dicom = study.folder / "dicom"
    write_series(dicom, pet_header(SeriesInstanceUID="1.2.3.1"), a_body(), prefix="a")
    write_series(dicom, pet_header(SeriesInstanceUID="1.2.3.2"), a_body(), prefix="b")
    study.pet = dicom


def no_pet_series(study: Study) -> None:
    write_series(study.folder / "dicom", ct_header(), a_body())
    study.pet = study.folder / "dicom"


def no_weight(study: Study) -> None:
    write_series(study.folder / "dicom", pet_header(PatientWeight=""), a_body())
    study.pet = study.folder / "dicom"


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (not_a_volume, "is not a readable NIfTI"),
        (missing, "does not exist"),
        (empty, "is empty"),
        (truncated, "truncated"),
        (one_slice, "one slice"),
        (four_dimensions, "4-D"),
        (not_a_number, "NaN"),
        (infinite, "infinite"),
        (constant, "constant"),
        (becquerels, "Bq/ml"),
        (kilobecquerels, "kBq/ml"),
        (swapped, "looks like a CT"),
        (elsewhere, "does not overlap"),
        (no_ct, "needs the CT"),
        (in_metres, "implausible voxel spacing"),
        (a_few_slices_of_thigh, "model"),
        (mixed_series, "contains 2 PT series"),
        (no_pet_series, "No PT series"),
        (no_weight, "PatientWeight"),
    ],
)
def test_bad_input_is_refused_with_its_cause_and_nothing_is_written(
    spoil: Callable[[Study], None],
    cause: str,
    study: Study,
    tiny_bundles: dict[str, Bundle],
    capfd: pytest.CaptureFixture[str],
) -> None:
    spoil(study)
    out = study.folder / "new" / "result"
    ct = ["--ct", str(study.ct)] if study.ct.name else []
    model = ["--model", str(tiny_bundles["petct"].path)]
    code = cli.main(["detect", "--pet", str(study.pet), *ct, "--out", str(out), *model, "--events"])
    events = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    errors = [event for event in events if event["event"] == "error"]
    assert code == 2, errors
    assert len(errors) == 1
    assert cause in errors[0]["message"]
    assert errors[0]["hint"]
    assert events[-1] == errors[0]
    assert not [event for event in events if event["event"] == "result"]
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ("arguments", "causes"),
    [
        (["--model", "lung-wizard"], ["lung-wizard", "Installed:"]),
        (["--device", "cuda:77"], ["graphics card"]),
        (["--device", "tpu"], ["tpu", "auto, cpu, cuda"]),
        (["--scorer", "svm"], ["svm", "kde, zscore, residual"]),
        (["--out", "/proc/result"], ["/proc/result", "cannot be written"]),
    ],
)
def test_bad_settings_are_refused_before_the_study_is_read(
    arguments: list[str],
    causes: list[str],
    study: Study,
    tiny_bundles: dict[str, Bundle],
    capfd: pytest.CaptureFixture[str],
) -> None:
    given = {
        "--pet": str(study.pet),
        "--ct": str(study.ct),
        "--out": str(study.folder / "result"),
        "--model": str(tiny_bundles["petct"].path),
        arguments[0]: arguments[1],
    }
    code = cli.main(["detect", *(word for pair in given.items() for word in pair), "--events"])
    (event,) = (json.loads(line) for line in capfd.readouterr().out.splitlines())
    assert code == 2
    assert event["event"] == "error"
    assert all(cause in event["message"] + event["hint"] for cause in causes), event
    assert not (study.folder / "result").exists()


@pytest.mark.parametrize("scorer", ["kde", "zscore"])
def test_a_scorer_that_needs_many_reconstructions_is_refused_for_a_model_that_makes_one(
    scorer: str,
    study: Study,
    tiny_bundles: dict[str, Bundle],
    capfd: pytest.CaptureFixture[str],
) -> None:
    words = ["detect", "--pet", str(study.pet), "--out", str(study.folder / "result")]
    words += ["--model", str(tiny_bundles["autoencoder"].path), "--scorer", scorer]
    assert cli.main(words) == 2
    err = capfd.readouterr().err
    assert scorer in err
    assert "residual" in err
    assert "several reconstructions" in err


@pytest.mark.parametrize("damage", ["a weight changed", "a file missing"])
def test_a_damaged_model_is_refused_by_the_name_of_its_file(
    damage: str,
    study: Study,
    tiny_bundles: dict[str, Bundle],
    capfd: pytest.CaptureFixture[str],
) -> None:
    model = Path(shutil.copytree(tiny_bundles["pet"].path, study.folder / "model"))
    weights = model / "models" / "transformer.safetensors"
    if damage == "a file missing":
        weights.unlink()
    else:
        content = bytearray(weights.read_bytes())
        content[-1] ^= 1
        weights.write_bytes(content)
    words = ["detect", "--pet", str(study.pet), "--out", str(study.folder / "result")]
    assert cli.main([*words, "--model", str(model), "--events"]) == 2
    event = json.loads(capfd.readouterr().out)
    assert event["kind"] == "bundle"
    assert "transformer.safetensors" in event["message"]
