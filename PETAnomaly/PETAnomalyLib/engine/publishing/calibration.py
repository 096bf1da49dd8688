"""`petanomaly calibrate`: the thresholds of a bundle, searched on validation studies.

Paper 1 tunes the resampling threshold and the minimum bandwidth on 11 validation studies. Here, in
this order: the resampling threshold t, with few samples and at the best of a few bandwidths, by the
area under the precision-recall curve of the KDE map; the minimum bandwidth by the same, with as
many reconstructions as the bundle makes; the epsilon percentile by that of the Z-score; then one
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
import torch

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.bundles.kinds import FAMILIES
from PETAnomalyLib.engine.evaluation.froc import (
    OperatingPoint,
    count_at_each,
    operating_curve,
    thresholds_to_try,
)
from PETAnomalyLib.engine.evaluation.metrics import (
    Labels,
    count_voxels,
    map_quality,
    stacked,
    thresholds_of,
)
from PETAnomalyLib.engine.families.fallback import heal_within_memory, smaller_pieces
from PETAnomalyLib.engine.families.healer import HealingRequest
from PETAnomalyLib.engine.families.loaded_model import LoadedModel
from PETAnomalyLib.engine.findings.delineation import Delineator
from PETAnomalyLib.engine.frame.alignment import Alignment, align
from PETAnomalyLib.engine.frame.field_of_view import scored_mask
from PETAnomalyLib.engine.frame.grids import to_study_grid
from PETAnomalyLib.engine.frame.model_input import model_input
from PETAnomalyLib.engine.runtime.devices import choose_device, is_out_of_memory, use_physical_cores
from PETAnomalyLib.engine.runtime.output import require_writable, write_whole
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.scoring.scoring import (
    Array,
    Statistics,
    is_elevated,
    kde,
    lowest_unless_elevated_of,
    residual_of,
    statistics_of,
    zscore_of,
)
from PETAnomalyLib.engine.study.cohort_layout import CohortStudy, require_ct
from PETAnomalyLib.engine.study.image_file import read_float_image
from PETAnomalyLib.engine.study.lesion_mask import known_lesions, require_lesions
from PETAnomalyLib.engine.study.study import read_study

RESAMPLING_THRESHOLDS = (0.0025, 0.005, 0.01)
# Half an octave apart.
MIN_BANDWIDTHS = (0.005, 0.007, 0.01, 0.014, 0.02, 0.028, 0.04, 0.056, 0.08, 0.113, 0.16)
EPSILON_PERCENTILES = (50.0, 75.0, 90.0, 95.0, 98.0, 99.0, 99.5, 99.9)
# For the search of t alone, which heals every study once for each t: a guess that saves time.
# Whether more samples would choose another t has not been measured. The best bandwidth does depend
# on how many there are, so that it is searched again with all of them.
SEARCH_SAMPLES = 8
SEARCH_BANDWIDTHS = (0.01, 0.02, 0.04, 0.08)
GROW = 0.4
FALSE_POSITIVES_A_SCAN = 3.0


@dataclass(frozen=True)
class _Study:
    """One validation study, aligned."""

    image: Array
    ct: Array | None
    pet: sitk.Image
    truth: Labels
    scored: sitk.Image
    template: sitk.Image
    alignment: Alignment


@dataclass(frozen=True)
class _Healed:
    """One validation study, healed with one resampling threshold.

    Its maps are made a dozen times over. Elsewhere than where uptake is elevated they are at their
    lowest value (`scoring.lowest_unless_elevated`), so that of the reconstructions no more is kept
    than what decides: v voxels. (64 reconstructions, one core: a KDE map in 0.5 s, where the whole
    of them and the mean worked out anew took 0.8.)

    Attributes:
        study: the study.
        statistics: of its reconstructions, D x H x W.
        elevated: true in v voxels, D x H x W.
        reconstructions: n x v.
    """

    study: _Study
    statistics: Statistics
    elevated: npt.NDArray[np.bool_]
    reconstructions: Array


MakeMap = Callable[[_Healed], Array]  # D x H x W; counts where uptake is elevated


def _healed(study: _Study, reconstructions: Array) -> _Healed:
    statistics = statistics_of(study.image, reconstructions)
    elevated = is_elevated(study.image, statistics)
    return _Healed(study, statistics, elevated, reconstructions[:, elevated])


def _kde(min_bandwidth: float) -> MakeMap:
    def make_map(one: _Healed) -> Array:
        nats = np.zeros(one.elevated.shape, np.float32)
        image = one.study.image[one.elevated]
        nats[one.elevated] = kde(image, one.reconstructions, min_bandwidth)
        return nats

    return make_map


def _zscore(epsilon_percentile: float) -> MakeMap:
    return lambda one: zscore_of(one.study.image, one.statistics, epsilon_percentile)


def _residual(one: _Healed) -> Array:
    return residual_of(one.study.image, one.statistics)


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
        InputError: a study that cannot be read, without known lesions, or without the CT that the
            model needs; a file that cannot be written.
    """
    require_writable(out)
    for study in studies:
        require_lesions(study)
    if bundle.ct == "required":
        require_ct(studies, "calibrate a model without CT")
    reporter.stage("align", f"Aligning {len(studies)} studies")
    template = read_float_image(bundle.template)
    aligned = []
    for study in studies:
        aligned.append(_align(bundle, study, template))
        reporter.check_cancelled()
    heal = _Healing(bundle, choose_device("auto"), reporter)
    use_physical_cores()
    thresholds = {key: value for key, value in bundle.thresholds.items() if key != "scorers"}
    curves: dict[str, Any] = {}
    if "resampling" in FAMILIES[bundle.healer["family"]].thresholds:
        curves["resampling"] = _resampling_curve(heal, aligned)
        best = max(curves["resampling"], key=lambda point: point["auprc"])
        thresholds["resampling"] = best["resampling"]
    reporter.stage("heal", f"Healing {len(aligned)} studies")
    t = thresholds.get("resampling", 1.0)  # a model without tokens has none
    healed = heal.all(aligned, t, bundle.samples, (0.5, 0.8))
    reporter.stage("search", "Searching the thresholds")
    if "kde" in bundle.scorers:
        curve = [(h, _auprc(healed, _kde(h))) for h in MIN_BANDWIDTHS]
        curves["min_bandwidth"] = curve
        thresholds["min_bandwidth"] = max(curve, key=lambda point: point[1])[0]
        reporter.check_cancelled()
    if "zscore" in bundle.scorers:
        curve = [(p, _auprc(healed, _zscore(p))) for p in EPSILON_PERCENTILES]
        curves["epsilon_percentile"] = curve
        thresholds["epsilon_percentile"] = max(curve, key=lambda point: point[1])[0]
    make_maps: dict[str, Callable[[], MakeMap]] = {
        "kde": lambda: _kde(thresholds["min_bandwidth"]),
        "zscore": lambda: _zscore(thresholds["epsilon_percentile"]),
        "residual": lambda: _residual,
    }
    thresholds["scorers"] = {}
    for scorer in bundle.scorers:
        thresholds["scorers"][scorer], curves[scorer] = _best_threshold(
            healed, make_maps[scorer](), bundle.min_volume_ml
        )
        reporter.check_cancelled()
    result = {
        "model": bundle.name,
        "studies": [study.name for study in studies],
        "thresholds": thresholds,
        "curves": curves,
    }
    write_whole(out, json.dumps(result, indent=2) + "\n")
    reporter.progress(1.0)
    return result


def _align(bundle: Bundle, study: CohortStudy, template: sitk.Image) -> _Study:
    read = read_study(study.pet, study.ct if bundle.ct == "required" else None)
    alignment = align(read.pet, template)
    image, ct = model_input(read, template, alignment, bundle.intensity)
    return _Study(
        image=image,
        ct=ct,
        pet=read.pet,
        truth=known_lesions(study, read.pet),
        scored=scored_mask(read.pet, template, alignment),
        template=template,
        alignment=alignment,
    )


class _Healing:
    """Heals studies one after the other; out of memory as `detect` is."""

    def __init__(self, bundle: Bundle, device: torch.device, reporter: Reporter) -> None:
        self._model = LoadedModel(bundle)
        self.reporter = reporter
        self._device = device

    def all(
        self, studies: Sequence[_Study], t: float, samples: int, share: tuple[float, float]
    ) -> list[_Healed]:
        """Heal with the resampling threshold t; `share` of the whole run is this, from and to."""
        healed = []
        for number, study in enumerate(studies):
            healed.append(self._one(study, t, samples))
            done = (number + 1) / len(studies)
            self.reporter.progress(share[0] + (share[1] - share[0]) * done)
            self.reporter.check_cancelled()
        return healed

    def _one(self, study: _Study, t: float, samples: int) -> _Healed:
        request = HealingRequest(
            samples=samples,
            decodes=self._model.bundle.decodes,
            seed=0,
            resampling_threshold=t,
            samples_at_once=samples,
        )
        healing, self._device = heal_within_memory(
            self._model, self._device, study.image, study.ct, request, self._go_on, self._warn
        )
        decoded = healing.decoded
        while True:
            try:
                return _healed(study, decoded.array())
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            self._model.forget()  # its networks may be moved
            decoded = smaller_pieces(decoded, self._warn)

    def _go_on(self, _share: float) -> None:
        self.reporter.check_cancelled()

    def _warn(self, message: str) -> None:
        self.reporter.log("warning", message)


def _resampling_curve(heal: _Healing, aligned: Sequence[_Study]) -> list[dict[str, float]]:
    """The area under the precision-recall curve for each t and bandwidth.

    Both at once: more resampling gives more spread, and a wider kernel matters less.
    """
    curve = []
    for number, t in enumerate(RESAMPLING_THRESHOLDS):
        heal.reporter.stage("heal", f"Healing {len(aligned)} studies with t = {t:g}")
        share = 0.5 / len(RESAMPLING_THRESHOLDS)
        healed = heal.all(aligned, t, SEARCH_SAMPLES, (number * share, (number + 1) * share))
        for h_min in SEARCH_BANDWIDTHS:
            auprc = _auprc(healed, _kde(h_min))
            curve.append({"resampling": t, "min_bandwidth": h_min, "auprc": auprc})
    return curve


def _on_pet_grid(one: _Healed, make_map: MakeMap) -> sitk.Image:
    study = one.study
    score = lowest_unless_elevated_of(make_map(one), study.image, one.statistics)
    image = sitk.GetImageFromArray(score)
    image.CopyInformation(study.template)
    return to_study_grid(image, study.pet, study.alignment, float(score.min()))


def _seen(study: _Study) -> npt.NDArray[np.bool_]:
    return np.asarray(sitk.GetArrayViewFromImage(study.scored) > 0)


def _auprc(healed: Sequence[_Healed], make_map: MakeMap) -> float:
    scores, truths = [], []
    for one in healed:
        scored = _seen(one.study)
        score = sitk.GetArrayFromImage(_on_pet_grid(one, make_map))  # a view would outlive it
        scores.append(score[scored])
        truths.append(one.study.truth[scored] > 0)
    thresholds = thresholds_of(np.concatenate([s[t] for s, t in zip(scores, truths)]))
    studies = stacked([count_voxels(s, t, thresholds) for s, t in zip(scores, truths)])
    return map_quality(thresholds, studies).auprc


def _best_threshold(
    healed: Sequence[_Healed], make_map: MakeMap, min_volume_ml: float
) -> tuple[float, list[dict[str, float]]]:
    maps = [_on_pet_grid(one, make_map) for one in healed]
    studies = [one.study for one in healed]
    in_lesions = [
        sitk.GetArrayFromImage(m)[(study.truth > 0) & _seen(study)]
        for m, study in zip(maps, studies)
    ]
    thresholds = thresholds_to_try(np.concatenate(in_lesions))
    counts = [
        count_at_each(
            Delineator(m, study.pet, study.scored), study.truth, thresholds, GROW, min_volume_ml
        )
        for m, study in zip(maps, studies)
    ]
    curve = operating_curve(thresholds, counts)
    return tolerable_threshold(curve), [asdict(point) for point in curve]


def tolerable_threshold(curve: Sequence[OperatingPoint]) -> float:
    """The lowest threshold with tolerably few false positives; where there is none, the highest."""
    tolerable = [p for p in curve if p.false_positives_a_scan <= FALSE_POSITIVES_A_SCAN]
    if tolerable:
        return min(point.threshold for point in tolerable)
    return max(point.threshold for point in curve)
