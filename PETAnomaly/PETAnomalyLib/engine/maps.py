"""The maps of a study in the model frame: healed, decoded, scored. Here torch begins.

Imported by `detection.py` when a study has been read and aligned.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import numpy.typing as npt
import SimpleITK as sitk
import torch

from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection_settings import ResolvedSettings
from PETAnomalyLib.engine.families.fallback import heal_within_memory, smaller_pieces
from PETAnomalyLib.engine.families.healer import Healing, HealingRequest, Judged
from PETAnomalyLib.engine.families.loaded_model import LoadedModel
from PETAnomalyLib.engine.runtime.devices import (
    choose_device,
    is_out_of_memory,
    use_physical_cores,
)
from PETAnomalyLib.engine.runtime.stages import Stages
from PETAnomalyLib.engine.schedule import Schedule
from PETAnomalyLib.engine.scoring.normative import NormativeResidual
from PETAnomalyLib.engine.scoring.objects import ObjectSteps, combined_map, objects_of, shown
from PETAnomalyLib.engine.scoring.postprocessing import postprocessed
from PETAnomalyLib.engine.scoring.reconstructions_file import reconstructions_file
from PETAnomalyLib.engine.scoring.scoring import Array, score_tiles
from PETAnomalyLib.engine.study.image_file import read_float_image


def heal(
    model: LoadedModel,
    image: Array,
    ct: Array | None,
    resolved: ResolvedSettings,
    device: str,
    run: Stages,
    on_judged: Callable[[Judged], None],
    schedule: Schedule,
) -> tuple[Healing, torch.device]:
    """Heal a study.

    Args:
        model: that heals.
        image, ct: D x H x W, the model's intensities.
        resolved: how often, and from which seed.
        device: `auto`, `cpu`, `cuda`, `cuda:i` or `mps`.
        run: told of the progress.
        on_judged: told what the model finds of the study before it is healed; may raise to stop.
        schedule: told how long the rest takes, and asked how long it may.

    Returns:
        The healing, and the device that it ran on in the end.

    Raises:
        InputError: there is no such device.
        OutOfMemoryError: not even the smallest pieces on the CPU fit.
    """
    request = HealingRequest(
        resolved.samples,
        resolved.decodes,
        resolved.seed,
        resolved.resampling_threshold,
        samples_at_once=resolved.samples,
        on_judged=on_judged,
        on_forecast=schedule,
        seconds_left=schedule.seconds_left if schedule.is_limited else None,
    )

    def on_progress(share: float) -> None:
        run.reporter.check_cancelled()
        run.progress(0.12 + 0.38 * share)

    use_physical_cores()
    wanted = choose_device(device)
    healed = heal_within_memory(model, wanted, image, ct, request, on_progress, run.warn)
    schedule.tell()
    return healed


def score(
    model: LoadedModel,
    image: Array,
    healing: Healing,
    resolved: ResolvedSettings,
    keep: Path | None,
    run: Stages,
    brain: npt.NDArray[np.bool_] | None = None,
) -> dict[str, Array]:
    """The maps in the model frame, by scorer.

    Args:
        model: that healed; its networks are let go where memory runs out.
        image: D x H x W, the model's intensity.
        healing: of it.
        resolved: bandwidth, percentile, and whether only elevated uptake counts.
        keep: file for the reconstructions, or None.
        run: told of the progress.
        brain: D x H x W, where it is known: elsewhere every map has its lowest value.

    Raises:
        OutOfMemoryError: not even the smallest pieces on the CPU fit.
    """

    def on_progress(share: float) -> None:
        run.reporter.check_cancelled()
        run.progress(0.5 + 0.3 * share)

    norms = norms_of(model.bundle)
    with ExitStack() as while_scoring:
        file = None
        if keep is not None:
            shape = (healing.decoded.count, *healing.decoded.shape)
            file = while_scoring.enter_context(reconstructions_file(keep, shape))
        decoded = healing.decoded
        while True:
            tiles = decoded.tiles(on_progress)
            try:
                maps = score_tiles(
                    image,
                    tiles if file is None else file.following(tiles),
                    scorers=model.bundle.scorers,
                    min_bandwidth=resolved.min_bandwidth,
                    epsilon_percentile=resolved.epsilon_percentile,
                    elevated_only=resolved.elevated_only,
                    # Paper 1's residual is one-sided; in MR an infarct is darker than what it was.
                    absolute=brain is not None and not resolved.elevated_only,
                    normative=norms,
                )
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
            model.forget()  # its networks may be moved
            decoded = smaller_pieces(decoded, run.warn)
        if brain is not None:
            maps = {name: _in_brain(values, brain, model) for name, values in maps.items()}
            if "residual" in maps:
                maps["residual"] = _with_objects(maps["residual"], image, brain, model)
        if file is not None:
            file.finish({"image": image, **maps, **_of_tokens(healing)})
    return maps


def norms_of(bundle: Bundle) -> NormativeResidual | None:
    """What a model misses healthy heads by; None where nobody has measured that."""
    if bundle.normative is None:
        return None
    mean, std = (sitk.GetArrayFromImage(read_float_image(file)) for file in bundle.normative)
    return NormativeResidual(mean, std)


def _in_brain(score: Array, brain: npt.NDArray[np.bool_], model: LoadedModel) -> Array:
    """A map post-processed as the manifest says, along the network's slices."""
    found = model.bundle.postprocessing
    if found is None:
        return np.where(brain, score, score.min())
    return postprocessed(
        score,
        brain,
        model.bundle.slice_axis,
        found["median_voxels"],
        found["squash_percentile"],
        found["eroded_voxels"],
    )


def _with_objects(
    residual: Array, image: Array, brain: npt.NDArray[np.bool_], model: LoadedModel
) -> Array:
    """The residual's map above one half in its objects, where the manifest asks for objects."""
    found, axis = (model.bundle.postprocessing or {}).get("objects"), model.bundle.slice_axis
    if found is None:
        return residual
    steps = ObjectSteps(**found)
    combined = combined_map(residual, brain, axis, steps.of_volume, model.bundle.mask_tiles)
    return shown(combined, objects_of(combined, image, brain, axis, steps))


def _of_tokens(healing: Healing) -> dict[str, Array]:
    if healing.token_log_likelihood is None or healing.resampling_mask is None:
        return {}
    return {
        "token_log_likelihood": healing.token_log_likelihood.astype(np.float32),
        "resampling_mask": healing.resampling_mask.astype(np.float32),
    }
