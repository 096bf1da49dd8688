"""A head and what a model makes of it: what papers 2 to 4 judge."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class HealedHead:
    """One head in the model frame, D x H x W.

    Attributes:
        name: of the study.
        image: x, the model's intensity.
        residual: x - x_hat, signed.
        brain: where the brain is.
        lesions: where a lesion is; none in a healthy head.
        axis: that slices lie along: 0 axial, 1 coronal, 2 sagittal.
    """

    name: str
    image: Array
    residual: Array
    brain: Mask
    lesions: Mask
    axis: int

    @property
    def reconstruction(self) -> Array:
        """x_hat."""
        return self.image - self.residual

    @property
    def judged(self) -> Mask:
        """The pixels that count: those of the brain, and of lesions that reach beyond its mask.

        A lesion that the mask leaves out has been missed; a mask cannot improve a model.
        """
        return self.brain | self.lesions

    def slices(self, volume: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
        """A volume of this head, slice by slice: n x h x w."""
        return np.moveaxis(volume, self.axis, 0)
