"""The whole pipeline on a coarse phantom with random-weight models: files, geometry, numbers."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection import detect
from PETAnomalyLib.engine.detection_settings import DetectionSettings
from PETAnomalyLib.engine.families.vqgan_performer import healer as healing_module
from PETAnomalyLib.engine.runtime.errors import InputError, OutOfMemoryError
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from sklearn.neighbors import KernelDensity

MAPS = ("kde", "zscore", "residual")


class Listener(SilentReporter):
    """Remembers what it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.stages: list[str] = []
        self.fractions: list[float] = []
        self.warnings: list[str] = []

    def stage(self, name: str, label: str) -> None:  # noqa: ARG002 - the protocol's
        self.stages.append(name)

    def progress(self, fraction: float) -> None:
        self.fractions.append(fraction)

    def log(self, level: str, message: str) -> None:
        if level == "warning":
            self.warnings.append(message)


def run(study: Path, bundle: Bundle, out: Path, **settings: object) -> Path:
    ct = study / "CTres.nii.gz" if bundle.ct == "required" else None
    chosen = DetectionSettings(model=str(bundle.path), device="cpu", **settings)  # type: ignore[arg-type]  # by keyword
    return detect(study / "SUV.nii.gz", ct, out, chosen, SilentReporter())


@pytest.fixture(scope="module")
def result(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    out = tmp_path_factory.mktemp("detection") / "result"
    # A high resampling share comes from random weights alone: p(token) is about 1/16.
    return run(tiny_study, tiny_bundles["petct"], out, keep_reconstructions=True, seed=7)


@pytest.fixture(scope="module")
def kept(result: Path) -> dict[str, np.ndarray]:
    with np.load(result / "reconstructions.npz") as arrays:
        return dict(arrays)


def test_every_file_of_the_contract_is_there(result: Path) -> None:
    expected = {f"{name}.nii.gz" for name in MAPS} | {
        "scored_mask.nii.gz", "segmentation.seg.nrrd", "findings.csv", "report.json",
        "overview.png", "reconstructions.npz",
    }  # fmt: skip
    assert {path.name for path in result.iterdir()} == expected


@pytest.mark.parametrize("name", [*MAPS, "scored_mask"])
def test_maps_lie_on_the_pets_own_grid(result: Path, tiny_study: Path, name: str) -> None:
    pet = sitk.ReadImage(str(tiny_study / "SUV.nii.gz"))
    image = sitk.ReadImage(str(result / f"{name}.nii.gz"))
    assert image.GetSize() == pet.GetSize()
    for attribute in ("GetSpacing", "GetOrigin", "GetDirection"):
        assert np.allclose(getattr(image, attribute)(), getattr(pet, attribute)(), atol=1e-5)
    pixel = sitk.sitkUInt8 if name == "scored_mask" else sitk.sitkFloat32
    assert image.GetPixelID() == pixel


def test_what_is_not_scored_has_the_lowest_value(result: Path) -> None:
    scored = sitk.GetArrayFromImage(sitk.ReadImage(str(result / "scored_mask.nii.gz"))) > 0
    assert 0 < np.count_nonzero(~scored) < scored.size
    for name in MAPS:
        score = sitk.GetArrayFromImage(sitk.ReadImage(str(result / f"{name}.nii.gz")))
        assert (score[~scored] == score.min()).all()


def test_reconstructions_are_float32_in_the_model_frame(kept: dict[str, np.ndarray]) -> None:
    shape = (36, 20, 24)
    assert kept["reconstructions"].shape == (3 * 2, *shape)
    for name in ("image", *MAPS):
        assert kept[name].shape == shape
    for name in ("token_log_likelihood", "resampling_mask"):
        assert kept[name].shape == (9, 5, 6)
    assert {array.dtype for array in kept.values()} == {np.dtype(np.float32)}


def test_the_kde_map_is_sklearns_at_elevated_voxels(
    kept: dict[str, np.ndarray], result: Path
) -> None:
    settings = json.loads((result / "report.json").read_text(encoding="utf-8"))["settings"]
    image, reconstructions = kept["image"], kept["reconstructions"].astype(np.float64)
    elevated = np.argwhere(image > reconstructions.mean(0))
    n = len(reconstructions)
    for at in np.random.default_rng(0).permutation(elevated)[:300]:
        values = reconstructions[(slice(None), *at)]
        h = max(settings["min_bandwidth"], (4 * values.std() ** 5 / (3 * n)) ** 0.2)
        density = KernelDensity(bandwidth=h).fit(values[:, None])
        expected = -density.score_samples([[float(image[tuple(at)])]])[0]
        assert kept["kde"][tuple(at)] == pytest.approx(expected, abs=1e-3)


def test_tokens_below_the_threshold_are_those_resampled(
    kept: dict[str, np.ndarray], result: Path
) -> None:
    report = json.loads((result / "report.json").read_text(encoding="utf-8"))
    below = kept["token_log_likelihood"] < np.log(report["settings"]["resampling_threshold"])
    assert np.array_equal(below, kept["resampling_mask"] > 0)
    assert report["healing"]["tokens_resampled"] == np.count_nonzero(below)


def test_table_segmentation_and_report_tell_the_same_findings(result: Path) -> None:
    report = json.loads((result / "report.json").read_text(encoding="utf-8"))
    with (result / "findings.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    labels = sitk.ReadImage(str(result / "segmentation.seg.nrrd"))
    voxel_ml = np.prod(labels.GetSpacing()) / 1000
    counts = np.bincount(sitk.GetArrayFromImage(labels).ravel())[1:]
    assert len(rows) == len(counts) == report["findings"]["count"]
    volumes = [float(row["mtv_ml"]) for row in rows]
    assert np.allclose(volumes, counts * voxel_ml, atol=1e-4)
    assert report["findings"]["tmtv_ml"] == pytest.approx(sum(volumes), abs=0.1)
    tlg = sum(float(row["tlg_g"]) for row in rows)
    assert report["findings"]["tlg_g"] == pytest.approx(tlg, abs=0.1)


def test_the_report_holds_what_is_needed_to_repeat_the_run(
    result: Path, tiny_bundles: dict[str, Bundle]
) -> None:
    report = json.loads((result / "report.json").read_text(encoding="utf-8"))
    assert report["model"]["sha256"] == tiny_bundles["petct"].sha256
    names = ("seed", "samples", "decodes", "resampling_threshold", "min_bandwidth")
    settings = [report["settings"][name] for name in names]
    assert settings == [7, 3, 2, 0.05, 0.02]
    assert set(report["seconds"]) == {"read", "align", "heal", "score", "delineate", "write"}
    assert report["device"] == "cpu"
    assert {"torch", "numpy", "SimpleITK"} <= set(report["versions"])
    assert report["peak_memory"]["ram_mb"] > 0


def test_the_same_run_gives_the_same_bytes_and_another_seed_does_not(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    first, same, other = (
        run(tiny_study, tiny_bundles["pet"], tmp_path / str(i), seed=seed)
        for i, seed in enumerate((1, 1, 2))
    )
    for name in ("kde.nii.gz", "zscore.nii.gz", "residual.nii.gz", "segmentation.seg.nrrd"):
        assert (first / name).read_bytes() == (same / name).read_bytes()
    assert (first / "kde.nii.gz").read_bytes() != (other / "kde.nii.gz").read_bytes()


def test_an_autoencoder_gives_the_residual_map_alone(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    out = run(tiny_study, tiny_bundles["autoencoder"], tmp_path / "out")
    assert (out / "residual.nii.gz").exists()
    assert not (out / "kde.nii.gz").exists()
    assert not (out / "zscore.nii.gz").exists()


def test_a_scorer_that_needs_many_reconstructions_is_refused_with_the_reason(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    with pytest.raises(InputError, match="cannot give the scorer 'kde'") as refused:
        run(tiny_study, tiny_bundles["autoencoder"], tmp_path / "out", scorer="kde")
    assert "one" in refused.value.hint
    assert not (tmp_path / "out").exists()


def test_a_model_that_needs_ct_says_so(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    settings = DetectionSettings(model=str(tiny_bundles["petct"].path))
    with pytest.raises(InputError, match="needs the CT"):
        detect(tiny_study / "SUV.nii.gz", None, tmp_path / "out", settings, SilentReporter())
    assert not (tmp_path / "out").exists()


def test_stages_follow_each_other_and_progress_never_goes_back(
    tiny_study: Path, tiny_bundles: dict[str, Bundle], tmp_path: Path
) -> None:
    listener = Listener()
    settings = DetectionSettings(model=str(tiny_bundles["pet"].path), device="cpu")
    ct = tiny_study / "CTres.nii.gz"
    detect(tiny_study / "SUV.nii.gz", ct, tmp_path / "out", settings, listener)
    assert listener.stages == ["read", "align", "heal", "score", "delineate", "write"]
    assert listener.fractions == sorted(listener.fractions)
    assert listener.fractions[-1] == 1.0
    assert any("the CT is not used" in warning for warning in listener.warnings)


@pytest.mark.slow
def test_out_of_memory_means_smaller_pieces_the_same_result_and_a_warning(
    tiny_study: Path,
    tiny_bundles: dict[str, Bundle],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = run(tiny_study, tiny_bundles["pet"], tmp_path / "whole", samples=6)
    real = healing_module.resample

    def short_of_memory(*arguments: Any) -> Any:
        grids = arguments[1]
        if sum(len(grid.uniforms) for grid in grids) > 1:
            raise RuntimeError("[enforce fail] . DefaultCPUAllocator: can't allocate memory")
        return real(*arguments)

    monkeypatch.setattr(healing_module, "resample", short_of_memory)
    pieces = run(tiny_study, tiny_bundles["pet"], tmp_path / "pieces", samples=6)
    assert (pieces / "kde.nii.gz").read_bytes() == (whole / "kde.nii.gz").read_bytes()
    warnings = json.loads((pieces / "report.json").read_text(encoding="utf-8"))["warnings"]
    assert any("out of memory" in warning for warning in warnings)


def test_out_of_memory_to_the_last_is_an_error_and_leaves_nothing(
    tiny_study: Path,
    tiny_bundles: dict[str, Bundle],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def no_memory(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(healing_module, "resample", no_memory)
    with pytest.raises(OutOfMemoryError):
        run(tiny_study, tiny_bundles["pet"], tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
