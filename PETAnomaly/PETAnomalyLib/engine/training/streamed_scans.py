"""A lab's own scans, deformed anew each time that one is seen; what becomes of them is not stored.

The scans lie aligned in the cache, as for every training, and a worker reads the one that it
deforms: in memory are few.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from PETAnomalyLib.engine.runtime.errors import InputError
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy, kept
from PETAnomalyLib.engine.training.augmentation import deformed, intensity_changed, shifted
from PETAnomalyLib.engine.training.study_stream import Made

LARGEST_SHIFT = 3  # voxels

# Wide and smooth: organs are moved against each other, and keep their edges. Between two points the
# displacements differ by 2.1 voxels (the square root of 2 times 1.5), a tenth of the way: nothing
# folds.
CONTROL = 20  # voxels between the points that are displaced at random
DISPLACEMENT = 1.5  # voxels, standard deviation of each component at these points

ORDER, STUDY = 0, 1  # what is drawn: the second number of a seed


@dataclass(frozen=True)
class ScanSource:
    """Scans in turn, each time in another order and deformed otherwise.

    Attributes:
        files: name and file of each, see `aligned_files`.
        seed: of what is drawn.
    """

    files: tuple[tuple[str, Path], ...]
    seed: int

    def __call__(self, number: int) -> Made:
        """See `Source`.

        Raises:
            InputError: the scan is no more in the cache.
        """
        turn, within = divmod(number, len(self.files))
        order = np.random.default_rng((self.seed, ORDER, turn)).permutation(len(self.files))
        name, file = self.files[order[within]]
        scan = kept(name, file)
        if scan is None:
            raise InputError(f"{file} is gone or damaged", "go on with --resume: it is made anew")
        return Made(_otherwise(scan, np.random.default_rng((self.seed, STUDY, number))))


def _otherwise(scan: AlignedStudy, random: np.random.Generator) -> AlignedStudy:
    """Shifted, deformed, PET and CT alike; the PET's intensities changed. A scanner's HU do not
    vary so."""
    volumes = [scan.image] if scan.ct is None else [scan.image, scan.ct]
    moved = deformed(shifted(volumes, LARGEST_SHIFT, random), random, CONTROL, DISPLACEMENT)
    image = intensity_changed(moved[0], random).astype(np.float16)
    ct = None if scan.ct is None else moved[1].astype(np.float16)
    return replace(scan, image=image, ct=ct, lesions=None)
