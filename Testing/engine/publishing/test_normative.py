"""`petanomaly calibrate --normative`: healthy heads in, Z-scores of a detection out."""

from __future__ import annotations

import json
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
import SimpleITK as sitk
from ellipsoid_heads import write_head
from engine_process import run_petanomaly
from PETAnomalyLib.engine.bundles.bundle import Bundle, verify_bundle
from PETAnomalyLib.engine.bundles.writing import write_bundle
from PETAnomalyLib.engine.publishing.normative import FINDINGS_A_HEALTHY_HEAD, tolerable
from tiny_head_bundles import write_tiny_head_bundle


def test_a_threshold_is_the_lowest_that_few_findings_exceed_from_there_on() -> None:
    assert tolerable([(1.0, 40.0), (2.0, 3.0), (3.0, 1.0), (4.0, 0.0)]) == 2.0
    # Findings flow together as the threshold falls: two large ones are no sign of health.
    assert tolerable([(1.0, 1.0), (2.0, 9.0), (3.0, 3.0), (4.0, 0.0)]) == 3.0
    assert tolerable([(1.0, 9.0), (2.0, 8.0)]) == 2.0


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, healthy heads, and what is made of them."""
    place = tmp_path_factory.mktemp("norms")
    write_tiny_head_bundle(place / "models" / "tiny", "ae-dense")
    for seed in range(11, 21):
        write_head(place / "heads", "healthy", seed)
    write_head(place / "ill", "mass", 31)
    done = calibrate(place, place / "heads")
    assert done.returncode == 0, done.stderr
    return place


def calibrate(place: Path, heads: Path) -> CompletedProcess[str]:
    return run_petanomaly(
        "calibrate", "--model", place / "models" / "tiny", "--normative", heads,
        "--out", place / "c.json",
    )  # fmt: skip


def with_norms(place: Path, name: str) -> Bundle:
    """The model with what was calibrated, as `export` puts it together."""
    tiny = verify_bundle(place / "models" / "tiny")
    told = json.loads((place / "c.json").read_text())
    manifest = json.loads(json.dumps(tiny.manifest))
    manifest["name"] = name
    manifest["petanomaly"] |= {
        "scorers": ["zscore", "residual"],
        "thresholds": told["thresholds"],
        "normative": {
            "heads": told["normative"]["heads"],
            "mean": "models/residual_mean.nii.gz",
            "std": "models/residual_std.nii.gz",
        },
    }
    mean, std = (place / told["normative"][name] for name in ("mean", "std"))
    return write_bundle(
        place / "models" / name, manifest, tiny.weights, tiny.template, "# Norms\n",
        template_mask=tiny.template_mask, normative=(mean, std),
    )  # fmt: skip


@pytest.mark.slow
def test_healthy_heads_give_norms_and_thresholds_that_few_findings_exceed(place: Path) -> None:
    told = json.loads((place / "c.json").read_text())
    assert told["normative"]["heads"] == 10
    threshold = told["thresholds"]["scorers"]["zscore"]
    curve = dict(map(tuple, told["findings_a_healthy_head"]["zscore"]))
    assert curve[threshold] <= FINDINGS_A_HEALTHY_HEAD
    assert max(curve.values()) > FINDINGS_A_HEALTHY_HEAD  # a lower one would not do
    assert not (place / "c.json.heads").exists()
    template = sitk.ReadImage(str(place / "models" / "template.nii.gz"))
    std = sitk.ReadImage(str(place / "c.residual_std.nii.gz"))
    assert std.GetSize() == template.GetSize()
    assert sitk.GetArrayFromImage(std).min() > 0


@pytest.mark.slow
def test_a_detection_scores_by_them(place: Path) -> None:
    model = with_norms(place, "with-norms")
    assert model.normative is not None
    mr = next((place / "ill").rglob("*flair.nii.gz"))
    out = place / "result"
    done = run_petanomaly(
        "detect", "--mr", mr, "--model", model.path, "--out", out, "--keep-reconstructions"
    )
    assert done.returncode == 0, done.stderr
    mean, std = (sitk.GetArrayFromImage(sitk.ReadImage(str(file))) for file in model.normative)
    with np.load(out / "reconstructions.npz") as kept:
        difference = kept["image"] - kept["reconstructions"][0]
        inside = (kept["image"] > 0) & (difference > 0)
        assert np.allclose(
            kept["zscore"][inside], ((difference - mean) / std)[inside], rtol=1e-3, atol=1e-3
        )
    report = json.loads((out / "report.json").read_text())
    assert report["settings"]["scorer"] == "zscore"


@pytest.mark.slow
def test_what_makes_no_norms_is_refused(place: Path, tmp_path: Path) -> None:
    ill = calibrate(place, place / "ill")
    assert (ill.returncode, "no head of the cohort" in ill.stderr or "lesion" in ill.stderr) == (
        2,
        True,
    )
    for seed in (41, 42):
        write_head(tmp_path, "healthy", seed)
    few = calibrate(place, tmp_path)
    assert few.returncode == 2
    assert "2 heads are too few" in few.stderr
