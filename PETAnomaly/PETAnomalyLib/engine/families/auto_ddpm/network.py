"""AutoDDPM: what noise and its removal change is masked, stitched into the image, and resampled.

C. Bercea et al., *Mask, Stitch, and Re-Sample: Enhancing Robustness and Generalizability in Anomaly
Detection through Automatic Diffusion Models*, 2023. The U-Net is MONAI's; what it is asked for is
as T. Karras et al. have it: *Elucidating the Design Space of Diffusion-Based Generative Models*,
2022.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from monai.inferers import DiffusionInferer
from monai.metrics.regression import compute_ssim_and_cs
from monai.networks.nets import DiffusionModelUNet
from torch import Tensor, nn
from torch.nn import functional

from PETAnomalyLib.engine.families.auto_ddpm.diffusion import Diffusion
from PETAnomalyLib.engine.families.auto_ddpm.linear_estimate import SPREAD, linear_estimate
from PETAnomalyLib.engine.families.slices import Reconstructed

NORMAL_SHARE = 0.95
"""Of a slice's residuals: what is larger counts as the largest (the paper's norm95)."""

_WINDOW = 11  # of the structural similarity: Wang et al., 2004
_GROUP = 4  # channels that are normalised together, at least: the paper's 128 in 32 groups


@dataclass(frozen=True, kw_only=True)
class AutoDDPMSizes:
    """What the network is built from, and how it heals.

    Attributes:
        size: rows and columns of a slice.
        patch: edge of the squares of pixels that are channels of one place; 1 in the paper.
        channels: of each level of the U-Net, finest first.
        attention: how many of its levels attend, the coarsest.
        residual_blocks: of each level.
        noise: level from which the whole slice is denoised, of 1,000.
        stride: levels that one step goes down; 1 in the paper.
        mask_percent: of the heat that an anomaly has, times 100.
        resampled_noise, resampled_stride: the same where what was masked is resampled.
        resamplings: of each of these steps.
        axis: of D x H x W, that the slices lie along.
    """

    size: tuple[int, int]
    patch: int
    channels: tuple[int, ...]
    attention: int
    residual_blocks: int
    noise: int
    stride: int
    mask_percent: int
    resampled_noise: int
    resampled_stride: int
    resamplings: int
    axis: int = 0

    @property
    def highest(self) -> int:
        """The highest level that healing begins at; none above is learnt."""
        return max(self.noise, self.resampled_noise)

    @property
    def evaluations(self) -> int:
        """Of the U-Net, for a slice with an anomaly."""
        resampled = self.resampled_noise // self.resampled_stride * self.resamplings
        return self.noise // self.stride + resampled


@dataclass(frozen=True)
class Healed:
    """What becomes of slices, each B x 1 x h x w.

    Attributes:
        pseudo_healthy: noised, and denoised.
        mask: booleans: where they differ too much from that.
        images: resampled in the mask; the slices themselves outside.
    """

    pseudo_healthy: Tensor
    mask: Tensor
    images: Tensor


class AutoDDPM(nn.Module):
    """Estimates slices from noised ones; heals them by that."""

    def __init__(self, sizes: AutoDDPMSizes) -> None:
        super().__init__()
        self.sizes = sizes
        levels, pixels = len(sizes.channels), sizes.patch**2
        self.unet = DiffusionModelUNet(
            spatial_dims=2,
            in_channels=pixels,
            out_channels=pixels,
            channels=sizes.channels,
            attention_levels=[levels - place <= sizes.attention for place in range(levels)],
            num_res_blocks=sizes.residual_blocks,
            num_head_channels=sizes.channels,  # one head
            norm_num_groups=_groups(sizes.channels),
        )
        self._edge = sizes.patch << (levels - 1)
        self._diffusion = Diffusion()
        self._inferer = DiffusionInferer(self._diffusion.scheduler)

    def forward(self, images: Tensor) -> Reconstructed:
        """In training of noised slices: what they were, as estimated; else healed.

        Each is then healed as if it were the first slice of a study with seed 0.
        """
        if not self.training:
            streams = [torch.Generator().manual_seed(0) for _ in images]
            return Reconstructed.alone(self.heal(images, streams).images)
        levels = torch.randint(1, self.sizes.highest + 1, (len(images),), device=images.device)
        padded = self._padded(images)
        return self.denoised(images, torch.randn_like(padded), levels)

    def denoised(self, images: Tensor, noise: Tensor, levels: Tensor) -> Reconstructed:
        """Slices as they are estimated from noised ones, and the squared error of that, weighted.

        Args:
            images: B x 1 x h x w.
            noise: standard normal, as large as slices are with the rows and columns that the U-Net
                needs.
            levels: B, of noise, 1 to 1,000.
        """
        padded = self._padded(images)
        # What asks the network as the inferer does may stand for it.
        found = self._inferer(padded, self._image_of, noise, levels - 1)  # type: ignore[arg-type]
        kept = self._diffusion.kept(levels - 1)
        # As large at every level: the weight of Karras et al., 1 / c_out^2.
        weight = 1 / SPREAD**2 + kept / (1 - kept)
        errors = (found.float() - padded).square().flatten(1).mean(1)
        return Reconstructed(self._cut(found), (weight * errors).mean())

    def noise_for(self, images: Tensor, streams: Sequence[torch.Generator]) -> Tensor:
        """Standard normal for slices, each from its own stream: whatever else is in the batch."""
        size = self._padded_size(images)
        drawn = [torch.randn(1, *size, generator=stream) for stream in streams]
        return torch.stack(drawn).to(images.device)

    def heal(
        self,
        images: Tensor,
        streams: Sequence[torch.Generator],
        on_step: Callable[[float], None] = lambda _: None,
    ) -> Healed:
        """Mask, stitch, resample.

        Args:
            images: B x 1 x h x w.
            streams: of random numbers, one for each.
            on_step: told the share done after each step; may raise to stop.
        """
        done = 0

        def step() -> None:
            nonlocal done
            done += 1
            on_step(min(1.0, done / self.sizes.evaluations))

        # Air alone is healthy: a third of a head's slices.
        filled = images.flatten(1).any(1).nonzero()[:, 0]
        pseudo_healthy, healed = images.clone(), images.clone()
        mask = torch.zeros_like(images, dtype=torch.bool)
        if len(filled):
            mine = [streams[place] for place in filled.tolist()]
            pseudo_healthy[filled] = self._pseudo_healthy(images[filled], mine, step)
            mask[filled] = self.mask_of(images[filled], pseudo_healthy[filled])
        chosen = mask.flatten(1).any(1).nonzero()[:, 0]
        if len(chosen):
            mine = [streams[place] for place in chosen.tolist()]
            healed[chosen] = self.resampled(
                images[chosen], pseudo_healthy[chosen], mask[chosen], mine, step
            )
        on_step(1.0)
        return Healed(pseudo_healthy, mask, healed)

    def heat_of(self, images: Tensor, pseudo_healthy: Tensor) -> Tensor:
        """How unlike slices and their pseudo-healthy ones are, 0..1, B x 1 x h x w.

        Residuals over the slice's 95th percentile, times the structural dissimilarity, which stands
        for the paper's learnt one.
        """
        residual = (images - pseudo_healthy).abs()
        largest = residual.flatten(1).quantile(NORMAL_SHARE, 1).clamp(min=1e-6)
        relative = (residual / largest[:, None, None, None]).clamp(max=1.0)
        return relative * dissimilarity(images, pseudo_healthy)

    def mask_of(self, images: Tensor, pseudo_healthy: Tensor) -> Tensor:
        """Where that is too hot, and the neighbours of such pixels; booleans."""
        hot = self.heat_of(images, pseudo_healthy) > self.sizes.mask_percent / 100
        return functional.max_pool2d(hot.float(), 3, 1, 1) > 0

    def resampled(
        self,
        images: Tensor,
        pseudo_healthy: Tensor,
        mask: Tensor,
        streams: Sequence[torch.Generator],
        step: Callable[[], None] = lambda: None,
    ) -> Tensor:
        """Slices, with what is masked drawn anew so that it goes with what is not.

        Stitched, and noised to `resampled_noise`; then every step down takes what is outside the
        mask from the noised slices, and is done `resamplings` times, back up in between.
        """
        known, inside = self._padded(images), self._padded(mask.float()) > 0
        stitched = self._padded(torch.where(mask, pseudo_healthy, images))
        top, stride = self.sizes.resampled_noise, self.sizes.resampled_stride
        noisy = self._diffusion.noised(stitched, self.noise_for(images, streams), top)
        for level in range(top, 0, -stride):
            below = level - stride
            for again in reversed(range(self.sizes.resamplings)):
                drawn = self._step_down(noisy, level, below, images, streams)
                outside = known
                if below:
                    noise = self.noise_for(images, streams)
                    outside = self._diffusion.noised(known, noise, below)
                noisy = torch.where(inside, drawn, outside)
                if again:
                    noise = self.noise_for(images, streams)
                    noisy = self._diffusion.noised(noisy, noise, level, below)
                step()
        return self._cut(noisy)

    def _pseudo_healthy(
        self, images: Tensor, streams: Sequence[torch.Generator], step: Callable[[], None]
    ) -> Tensor:
        top, stride = self.sizes.noise, self.sizes.stride
        noise = self.noise_for(images, streams)
        noisy = self._diffusion.noised(self._padded(images), noise, top)
        for level in range(top, 0, -stride):
            noisy = self._step_down(noisy, level, level - stride, images, streams)
            step()
        return self._cut(noisy)

    def _step_down(
        self,
        noisy: Tensor,
        level: int,
        below: int,
        images: Tensor,
        streams: Sequence[torch.Generator],
    ) -> Tensor:
        at = torch.full((len(noisy),), level - 1, device=noisy.device)
        estimated = self._image_of(noisy, at).clamp(0.0, 1.0)  # as intensities are
        mean = self._diffusion.posterior(estimated, noisy, level, below)
        spread = self._diffusion.posterior_variance(level, below) ** 0.5
        return mean + spread * self.noise_for(images, streams) if below else mean

    def _image_of(self, x: Tensor, timesteps: Tensor, context: None = None) -> Tensor:
        """As the inferer asks a network: padded slices from noised ones; timesteps count from 0.

        The U-Net gives what the best linear estimate lacks, about as large at every level: equation
        7 of Karras et al., whose own estimate is of each pixel by itself.
        """
        kept = self._diffusion.kept(timesteps)[:, None, None, None]
        noisy, noise = x / kept.sqrt(), (1 - kept) / kept  # and its variance
        whole, patch = noise + SPREAD**2, self.sizes.patch
        asked = functional.pixel_unshuffle(noisy / whole.sqrt(), patch)
        found = functional.pixel_shuffle(self.unet(asked, timesteps, context), patch)
        return linear_estimate(noisy, noise) + SPREAD * (noise / whole).sqrt() * found

    def _padded_size(self, images: Tensor) -> tuple[int, int]:
        rows, columns = (-(-n // self._edge) * self._edge for n in images.shape[-2:])
        return rows, columns

    def _padded(self, images: Tensor) -> Tensor:
        rows, columns = self._padded_size(images)
        return functional.pad(images, (0, columns - images.shape[-1], 0, rows - images.shape[-2]))

    def _cut(self, padded: Tensor) -> Tensor:
        rows, columns = self.sizes.size
        return padded[..., :rows, :columns]


def dissimilarity(images: Tensor, others: Tensor) -> Tensor:
    """1 - SSIM of images at half their size, pixel by pixel, 0..1; of B x 1 x h x w.

    Of its scales the finest, where noise is, weighs least in multi-scale SSIM (Wang et al., 2003).
    """
    half = _WINDOW // 2
    small = (functional.avg_pool2d(part, 2, ceil_mode=True) for part in (images, others))
    wide, of_others = (
        functional.pad(part, (half, half, half, half), mode="replicate") for part in small
    )
    similarity, _ = compute_ssim_and_cs(
        of_others, wide, 2, kernel_size=(_WINDOW, _WINDOW), kernel_sigma=(1.5, 1.5), data_range=1.0
    )
    unlike = (1.0 - similarity).clamp(0.0, 1.0)
    return functional.interpolate(unlike, images.shape[-2:], mode="bilinear")


def _groups(channels: Sequence[int]) -> int:
    """As many as go into every width, 32 at most, of no fewer than `_GROUP` channels."""
    common = math.gcd(*channels)
    return max(n for n in range(1, 33) if common % n == 0 and (n == 1 or common // n >= _GROUP))
