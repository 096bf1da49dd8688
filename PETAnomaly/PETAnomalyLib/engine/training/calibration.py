"""`petanomaly calibrate`: the thresholds of a bundle, searched on validation studies.

Paper 1 tunes the resampling threshold and the minimum bandwidth on 11 validation studies. Here, in
this order: the minimum bandwidth and the epsilon percentile by the area under the precision-recall
curve, then one threshold a scorer by the findings as they are drawn, growing included: the highest
that still hits three lesions in four. A reader can dismiss a finding, but not see a missed lesion.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from PETAnomalyLib.engine.bundle import Bundle
from PETAnomalyLib.engine.delineation import Delineator
from PETAnomalyLib.engine.detection import DetectionSettings, detect
from PETAnomalyLib.engine.evaluation import finding_quality, map_quality
from PETAnomalyLib.engine.events import Reporter, SilentReporter
from PETAnomalyLib.engine.frame import Alignment, to_study_grid
from PETAnomalyLib.engine.scoring import Array, kde, lowest_unless_elevated, residual, zscore
from PETAnomalyLib.engine.training.cohort import CohortStudy

MIN_BANDWIDTHS = (0.01, 0.015, 0.02, 0.03, 0.04, 0.06)
EPSILON_PERCENTILES = (50.0, 75.0, 90.0, 95.0, 98.0)
GROW = 0.4
SENSITIVITY = 0.75
# Of the lesions' own voxels: thresholds beyond that many of them lose the lesions.
LESION_QUANTILES = np.linspace(0.1, 0.9, 9)


@dataclass(frozen=True)
class _Healed:
    """What is kept of one validation study."""

    image: Array
    reconstructions: npt.NDArray[np.float16]
    pet: sitk.Image
    truth: npt.NDArray[np.bool_]
    scored: sitk.Image
    template: sitk.Image
    alignment: Alignment


def calibrate(
    bundle: Bundle, studies: Sequence[CohortStudy], out: Path, reporter: Reporter
) -> dict[str, Any]:
    """Search the thresholds and write them, with the curve behind each, to `out` (JSON).

    Args:
        bundle: the model, with any thresholds.
        studies: validation studies with known lesions, kept out of training.
        out: the JSON file.
        reporter: told of the progress.

    Returns:
        What was written: `thresholds`, as in a bundle's manifest, and `curves`.
    """
    healed = []
    for number, study in enumerate(studies):
        reporter.stage("heal", f"Healing study {number + 1} of {len(studies)}")
        healed.append(_heal(bundle, study))
        reporter.progress(0.6 * (number + 1) / len(studies))
        reporter.check_cancelled()
    thresholds: dict[str, Any] = {
        key: value for key, value in bundle.thresholds.items() if key != "scorers"
    }
    curves: dict[str, Any] = {}
    reporter.stage("search", "Searching the thresholds")
    if "kde" in bundle.scorers:
        thresholds["min_bandwidth"], curves["min_bandwidth"] = _best(
            MIN_BANDWIDTHS, lambda h: _auprc(healed, lambda x, x_r: kde(x, x_r, h))
        )
    if "zscore" in bundle.scorers:
        thresholds["epsilon_percentile"], curves["epsilon_percentile"] = _best(
            EPSILON_PERCENTILES, lambda p: _auprc(healed, lambda x, x_r: zscore(x, x_r, p))
        )
    reporter.progress(0.8)
    maps: dict[str, Callable[[Array, Array], Array]] = {
        "kde": lambda x, x_r: kde(x, x_r, thresholds["min_bandwidth"]),
        "zscore": lambda x, x_r: zscore(x, x_r, thresholds["epsilon_percentile"]),
        "residual": residual,
    }
    thresholds["scorers"] = {}
    for scorer in bundle.scorers:
        thresholds["scorers"][scorer], curves[scorer] = _best_threshold(healed, maps[scorer])
        reporter.check_cancelled()
    result = {
        "model": bundle.name,
        "studies": [study.name for study in studies],
        "thresholds": thresholds,
        "curves": curves,
    }
    out.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    reporter.progress(1.0)
    return result


def _heal(bundle: Bundle, study: CohortStudy) -> _Healed:
    """`detect` with its reconstructions kept: what is tuned is what users get."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "result"
        detect(
            study.pet,
            study.ct if bundle.ct == "required" else None,
            result,
            DetectionSettings(model=str(bundle.path), keep_reconstructions=True),
            SilentReporter(),
        )
        with np.load(result / "reconstructions.npz") as arrays:
            image = arrays["image"]
            reconstructions = arrays["reconstructions"].astype(np.float16)
        frame = json.loads((result / "report.json").read_text(encoding="utf-8"))["frame"]
        scored = sitk.ReadImage(str(result / "scored_mask.nii.gz"))
    motion = frame["model_to_study_lps_mm"]
    transform = sitk.Euler3DTransform()
    transform.SetCenter(motion["centre_mm"])
    transform.SetParameters([*motion["rotation_rad"], *motion["translation_mm"]])
    return _Healed(
        image=image,
        reconstructions=reconstructions,
        pet=sitk.ReadImage(str(study.pet), sitk.sitkFloat32),
        truth=sitk.GetArrayFromImage(sitk.ReadImage(str(study.lesions))) > 0,
        scored=scored,
        template=sitk.ReadImage(str(bundle.template)),
        alignment=Alignment(transform, frame["quality"]),
    )


def _on_pet_grid(study: _Healed, make_map: Callable[[Array, Array], Array]) -> sitk.Image:
    reconstructions = study.reconstructions.astype(np.float32)
    score = make_map(study.image, reconstructions)
    score = lowest_unless_elevated(score, study.image, reconstructions)
    image = sitk.GetImageFromArray(score)
    image.CopyInformation(study.template)
    return to_study_grid(image, study.pet, study.alignment, float(score.min()))


def _auprc(healed: Sequence[_Healed], make_map: Callable[[Array, Array], Array]) -> float:
    scores, truths = [], []
    for study in healed:
        scored = sitk.GetArrayViewFromImage(study.scored) > 0
        score = sitk.GetArrayFromImage(_on_pet_grid(study, make_map))  # a view would outlive it
        scores.append(score[scored])
        truths.append(study.truth[scored])
    return map_quality(scores, truths).auprc


def _best(
    candidates: Sequence[float], quality: Callable[[float], float]
) -> tuple[float, list[tuple[float, float]]]:
    curve = [(value, quality(value)) for value in candidates]
    return max(curve, key=lambda point: point[1])[0], curve


def _best_threshold(
    healed: Sequence[_Healed], make_map: Callable[[Array, Array], Array]
) -> tuple[float, list[dict[str, float]]]:
    maps = [_on_pet_grid(study, make_map) for study in healed]
    in_lesions = np.concatenate(
        [sitk.GetArrayViewFromImage(m)[study.truth] for m, study in zip(maps, healed)]
    )
    drawings = [Delineator(m, study.pet, study.scored) for m, study in zip(maps, healed)]
    truths = [study.truth for study in healed]
    curve = []
    for threshold in np.unique(np.quantile(in_lesions, LESION_QUANTILES)).tolist():
        labels = [
            sitk.GetArrayFromImage(drawing.at(threshold, GROW, 0.0).labels) for drawing in drawings
        ]
        found = finding_quality(labels, truths)
        curve.append(
            {
                "threshold": threshold,
                "dice": found.dice,
                "sensitivity": found.lesions_hit / max(1, found.lesions),
                "false_positives_a_scan": found.false_positives / len(healed),
            }
        )
    return sensitive_threshold(curve), curve


def sensitive_threshold(curve: Sequence[Mapping[str, float]]) -> float:
    """The highest threshold with `SENSITIVITY`; where there is none, the most sensitive."""
    enough = [point for point in curve if point["sensitivity"] >= SENSITIVITY]
    if enough:
        return max(point["threshold"] for point in enough)
    return max(curve, key=lambda point: point["sensitivity"])["threshold"]
