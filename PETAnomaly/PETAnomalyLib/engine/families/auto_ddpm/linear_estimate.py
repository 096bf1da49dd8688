"""The best linear estimate of a noised slice: Wiener's filter, for slices as smooth as slices are.

N. Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series, 1949. The power of
pictures falls with the square of the frequency (D. Field, J. Opt. Soc. Am. A 4:2379, 1987).
"""

from __future__ import annotations

import torch
from torch import Tensor

SPREAD = 0.25
"""Of the intensities of slices, about: a standard deviation (sigma_data of Karras et al.)."""


def linear_estimate(noisy: Tensor, variance: Tensor) -> Tensor:
    """B x 1 x h x w slices of B x 1 x h x w slices with white noise.

    Args:
        noisy: slices plus noise.
        variance: of the noise, B x 1 x 1 x 1.
    """
    power = _power(noisy.shape[-2], noisy.shape[-1], noisy.device)
    seen = torch.fft.rfft2(noisy, norm="ortho") * (power / (power + variance))
    return torch.fft.irfft2(seen, s=noisy.shape[-2:], norm="ortho")


def _power(rows: int, columns: int, device: torch.device) -> Tensor:
    """Expected of each frequency, h x (w / 2 + 1), so that a pixel has the variance `SPREAD`^2."""
    down, across, all_across = (
        frequencies.to(device).square()
        for frequencies in (
            torch.fft.fftfreq(rows), torch.fft.rfftfreq(columns), torch.fft.fftfreq(columns)
        )
    )  # fmt: skip
    lowest = 1.0 / (rows * columns)  # the mean's, that has no frequency, as that of the slowest
    whole = 1.0 / (down[:, None] + all_across + lowest)
    return SPREAD**2 / whole.mean() / (down[:, None] + across + lowest)
