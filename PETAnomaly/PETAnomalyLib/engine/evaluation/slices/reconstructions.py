"""What a model makes of heads, in its own frame, kept in files: made once, judged again and again.

`<folder>/<model>-<its hash>/<study>-<hash of its image>.npz` holds `residual`, x - x_hat, float16:
small residuals keep their three digits, where those of a reconstruction near 1 would not; and
`seconds` that it took.
"""

from __future__ import annotations

import hashlib
import os
import time
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from PETAnomalyLib.engine import families  # noqa: F401 - enters every family, in workers too
from PETAnomalyLib.engine.bundles.bundle import Bundle
from PETAnomalyLib.engine.detection_settings import DetectionSettings, resolve
from PETAnomalyLib.engine.evaluation.slices.head import Array, HealedHead
from PETAnomalyLib.engine.families.fallback import heal_within_memory
from PETAnomalyLib.engine.families.healer import HealingRequest
from PETAnomalyLib.engine.families.loaded_model import model_of_process
from PETAnomalyLib.engine.runtime.devices import choose_device, use_physical_cores
from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.runtime.reporter import Reporter
from PETAnomalyLib.engine.runtime.worker_pool import Cluster, for_each
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy


class KeptReconstructions:
    """Those of one model.

    Args:
        bundle: of brain MR.
        folder: of all models' files.
    """

    def __init__(self, bundle: Bundle, folder: Path) -> None:
        self._bundle = bundle
        self._folder = folder / f"{bundle.name}-{bundle.sha256[:12]}"

    def make(
        self,
        studies: Sequence[AlignedStudy],
        reporter: Reporter,
        workers: int | Cluster,
        share: tuple[float, float],
    ) -> None:
        """Reconstruct those that are missing, as `detect` would with the model's own settings."""
        self._folder.mkdir(parents=True, exist_ok=True)
        missing = [study for study in studies if _read(self._file(study)) is None]
        if not missing:
            return
        reporter.stage("reconstruct", f"{self._bundle.name}: reconstructing {len(missing)} heads")
        jobs = [
            (self._file(study), self._bundle.path, self._bundle.sha256, study.image)
            for study in missing
        ]
        for_each(_reconstruct, jobs, workers, reporter, share)

    def healed(self, study: AlignedStudy) -> HealedHead:
        """A study that has been reconstructed.

        Raises:
            InputError: its file is not there any more, or its brain is not known.
        """
        residual = _read(self._file(study))
        if residual is None:
            raise InputError(
                f"{self._file(study)} is not there, or damaged", "run the same command again"
            )
        return head_of(study, residual, self._bundle.slice_axis)

    def seconds(self, study: AlignedStudy) -> float | None:
        """That its reconstruction took, loading of the model included; None where not known."""
        try:
            with np.load(self._file(study)) as arrays:
                return float(arrays["seconds"])
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
            return None

    def _file(self, study: AlignedStudy) -> Path:
        image = np.ascontiguousarray(study.image)
        inputs = hashlib.sha256(repr(image.shape).encode() + image.tobytes()).hexdigest()
        return self._folder / f"{study.name}-{inputs[:12]}.npz"


def head_of(study: AlignedStudy, residual: Array, axis: int) -> HealedHead:
    """A study beside what was made of it.

    Raises:
        InputError: its brain is not known.
    """
    if study.brain is None:
        raise InputError(f"{study.name} has no brain mask", "the papers judge heads")
    brain = study.brain > 0
    return HealedHead(
        name=study.name,
        image=study.image.astype(np.float32),
        residual=residual.astype(np.float32),
        brain=brain,
        lesions=np.zeros_like(brain) if study.lesions is None else study.lesions > 0,
        axis=axis,
    )


def _reconstruct(file: Path, folder: Path, sha256: str, image: np.ndarray[Any, Any]) -> None:
    """Heal one head and write what is left of it."""
    model = model_of_process(folder, sha256)
    resolved = resolve(DetectionSettings(), model.bundle)
    request = HealingRequest(
        resolved.samples,
        resolved.decodes,
        resolved.seed,
        resolved.resampling_threshold,
        samples_at_once=resolved.samples,
    )
    use_physical_cores()
    begun = time.monotonic()
    x = image.astype(np.float32)
    healing, _ = heal_within_memory(
        model, choose_device("auto"), x, None, request, lambda _: None, lambda _: None
    )
    mean = np.empty_like(x)
    for voxels, values in healing.decoded.tiles(lambda _: None):
        mean[voxels] = values.mean(0).cpu().numpy()
    partial = file.with_suffix(f".{os.getpid()}.partial.npz")
    seconds = time.monotonic() - begun
    np.savez(partial, seconds=np.float64(seconds), residual=(x - mean).astype(np.float16))
    partial.replace(file)


def _read(file: Path) -> Array | None:
    """None: not there, or left short by a power cut."""
    try:
        with np.load(file) as arrays:
            return np.asarray(arrays["residual"], np.float32)
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile):
        return None
