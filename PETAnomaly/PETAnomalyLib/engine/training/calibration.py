"""`petanomaly calibrate`: the thresholds of a bundle, searched on validation studies.

Paper 1 tunes the resampling threshold and the minimum bandwidth on 11 validation studies. Here, in
this order: the resampling threshold t together with the minimum bandwidth, by the area under the
precision-recall curve of the KDE map; the epsilon percentile by that of the Z-score; then one
threshold a scorer by the findings as they are drawn, growing included: the lowest with no more than
three false positives a scan. A reader can dismiss a finding, but not see a missed lesion.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk

from PETAnomalyLib.engine.bundle import Bundle
from PETAnomalyLib.engine.delineation import Delineator
from PETAnomalyLib.engine.devices import choose_device
from PETAnomalyLib.engine.errors import InputError
from PETAnomalyLib.engine.evaluation import (
    OperatingPoint,
    map_quality,
    number_lesions,
    operating_curve,
)
from PETAnomalyLib.engine.events import Reporter
from PETAnomalyLib.engine.frame import Alignment, align, scored_mask, to_study_grid
from PETAnomalyLib.engine.healing import Healer, HealingRequest, build_healer
from PETAnomalyLib.engine.lesion_mask import read_lesions
from PETAnomalyLib.engine.model_input import model_input
from PETAnomalyLib.engine.scoring import Array, kde, lowest_unless_elevated, residual, zscore
from PETAnomalyLib.engine.study import read_study
from PETAnomalyLib.engine.training.cohort_layout import CohortStudy

RESAMPLING_THRESHOLDS = (0.02, 0.04, 0.08)
MIN_BANDWIDTHS = (0.01, 0.02, 0.04, 0.08)
EPSILON_PERCENTILES = (50.0, 75.0, 90.0, 95.0, 98.0, 99.0)
# For the search alone: the best t is the same with 4 samples, at a quarter of the time.
SEARCH_SAMPLES = 4
GROW = 0.4
FALSE_POSITIVES_A_SCAN = 3.0
# Of the lesions' own voxels: thresholds beyond that many of them lose the lesions.
LESION_QUANTILES = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True)
class _Study:
    """One validation study, aligned."""

    image: Array
    ct: Array | None
    pet: sitk.Image
    truth: npt.NDArray[np.bool_]
    scored: sitk.Image
    template: sitk.Image
    alignment: Alignment


@dataclass(frozen=True)
class _Healed:
    """One validation study, healed with one resampling threshold."""

    study: _Study
    reconstructions: npt.NDArray[np.float16]


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

    Raises:
        InputError: a study that cannot be read, or whose lesions are not known.
    """
    reporter.stage("align", f"Aligning {len(studies)} studies")
    template = sitk.ReadImage(str(bundle.template), sitk.sitkFloat32)
    aligned = []
    for study in studies:
        aligned.append(_align(bundle, study, template))
        reporter.check_cancelled()
    healer = build_healer(bundle, choose_device("auto"))
    thresholds = {key: value for key, value in bundle.thresholds.items() if key != "scorers"}
    curves: dict[str, Any] = {}
    if "kde" in bundle.scorers:
        t, h_min, curves["resampling"] = _best_resampling(bundle, healer, aligned, reporter)
        thresholds["resampling"], thresholds["min_bandwidth"] = t, h_min
    reporter.stage("heal", f"Healing {len(aligned)} studies")
    healed = []
    t = thresholds.get("resampling", 1.0)  # a model with one reconstruction has none
    for number, one in enumerate(aligned):
        healed.append(_heal(healer, one, t, bundle.samples, bundle.decodes))
        reporter.progress(0.5 + 0.3 * (number + 1) / len(aligned))
        reporter.check_cancelled()
    reporter.stage("search", "Searching the thresholds")
    if "zscore" in bundle.scorers:
        curve = [(p, _auprc(healed, lambda x, x_r, p=p: zscore(x, x_r, p)))  # type: ignore[misc]
                 for p in EPSILON_PERCENTILES]  # fmt: skip
        curves["epsilon_percentile"] = curve
        thresholds["epsilon_percentile"] = max(curve, key=lambda point: point[1])[0]
    maps: dict[str, Callable[[Array, Array], Array]] = {
        "kde": lambda x, x_r: kde(x, x_r, thresholds["min_bandwidth"]),
        "zscore": lambda x, x_r: zscore(x, x_r, thresholds["epsilon_percentile"]),
        "residual": residual,
    }
    thresholds["scorers"] = {}
    for scorer in bundle.scorers:
        thresholds["scorers"][scorer], curves[scorer] = _best_threshold(
            healed, maps[scorer], bundle.min_volume_ml
        )
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


def _align(bundle: Bundle, study: CohortStudy, template: sitk.Image) -> _Study:
    if study.lesions is None:
        raise InputError(
            f"the lesions of the study {study.name} are not known",
            "calibrate on studies whose lesions somebody has drawn",
        )
    read = read_study(study.pet, study.ct if bundle.ct == "required" else None)
    alignment = align(read.pet, template)
    image, ct = model_input(read, template, alignment, bundle.intensity)
    return _Study(
        image=image,
        ct=ct,
        pet=read.pet,
        truth=read_lesions(study.lesions, read.pet),
        scored=scored_mask(read.pet, template, alignment),
        template=template,
        alignment=alignment,
    )


def _heal(healer: Healer, study: _Study, threshold: float, samples: int, decodes: int) -> _Healed:
    request = HealingRequest(
        samples=samples,
        decodes=decodes,
        seed=0,
        resampling_threshold=threshold,
        samples_at_once=samples,
    )
    healing = healer.heal(study.image, study.ct, request, lambda _: None)
    return _Healed(study, healing.reconstructions.astype(np.float16))


def _best_resampling(
    bundle: Bundle, healer: Healer, aligned: Sequence[_Study], reporter: Reporter
) -> tuple[float, float, list[dict[str, float]]]:
    """t and h_min with the highest area under the precision-recall curve, and all that were tried.

    Both at once: more resampling gives more spread, and a wider kernel matters less.
    """
    curve = []
    for number, t in enumerate(RESAMPLING_THRESHOLDS):
        reporter.stage("heal", f"Healing {len(aligned)} studies with t = {t:g}")
        healed = []
        for study in aligned:
            healed.append(_heal(healer, study, t, SEARCH_SAMPLES, bundle.decodes))
            reporter.check_cancelled()
        for h_min in MIN_BANDWIDTHS:
            auprc = _auprc(healed, lambda x, x_r, h=h_min: kde(x, x_r, h))  # type: ignore[misc]
            curve.append({"resampling": t, "min_bandwidth": h_min, "auprc": auprc})
        reporter.progress(0.5 * (number + 1) / len(RESAMPLING_THRESHOLDS))
    best = max(curve, key=lambda point: point["auprc"])
    return best["resampling"], best["min_bandwidth"], curve


def _on_pet_grid(healed: _Healed, make_map: Callable[[Array, Array], Array]) -> sitk.Image:
    study, reconstructions = healed.study, healed.reconstructions.astype(np.float32)
    score = make_map(study.image, reconstructions)
    score = lowest_unless_elevated(score, study.image, reconstructions)
    image = sitk.GetImageFromArray(score)
    image.CopyInformation(study.template)
    return to_study_grid(image, study.pet, study.alignment, float(score.min()))


def _auprc(healed: Sequence[_Healed], make_map: Callable[[Array, Array], Array]) -> float:
    scores, truths = [], []
    for one in healed:
        scored = sitk.GetArrayViewFromImage(one.study.scored) > 0
        score = sitk.GetArrayFromImage(_on_pet_grid(one, make_map))  # a view would outlive it
        scores.append(score[scored])
        truths.append(one.study.truth[scored])
    return map_quality(scores, truths).auprc


def _best_threshold(
    healed: Sequence[_Healed], make_map: Callable[[Array, Array], Array], min_volume_ml: float
) -> tuple[float, list[dict[str, float]]]:
    maps = [_on_pet_grid(one, make_map) for one in healed]
    studies = [one.study for one in healed]
    in_lesions = np.concatenate(
        [sitk.GetArrayViewFromImage(m)[study.truth] for m, study in zip(maps, studies)]
    )
    drawings = [Delineator(m, study.pet, study.scored) for m, study in zip(maps, studies)]
    curve = operating_curve(
        lambda threshold: [
            sitk.GetArrayFromImage(drawing.at(threshold, GROW, min_volume_ml).labels)
            for drawing in drawings
        ],
        np.unique(np.quantile(in_lesions, LESION_QUANTILES)).tolist(),
        [number_lesions(study.truth) for study in studies],
    )
    return tolerable_threshold(curve), [asdict(point) for point in curve]


def tolerable_threshold(curve: Sequence[OperatingPoint]) -> float:
    """The lowest threshold with tolerably few false positives; where there is none, the highest."""
    tolerable = [p for p in curve if p.false_positives_a_scan <= FALSE_POSITIVES_A_SCAN]
    if tolerable:
        return min(point.threshold for point in tolerable)
    return max(point.threshold for point in curve)
