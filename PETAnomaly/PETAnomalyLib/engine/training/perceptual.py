"""The perceptual loss of the VQ-GANs (paper 1, appendix C.1; Zhang et al., arXiv 1801.03924).

Slices of original and reconstruction, of a volume those along each axis, go through an AlexNet
trained on photographs; the loss is the distance of its activations. The network's weights are no
part of this program, and are never downloaded behind the user's back: where they are not installed,
training does without.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import torch
from monai.losses import PerceptualLoss

from PETAnomalyLib.engine.runtime.reporter import Reporter

SMALLEST = 32  # voxels: of less, AlexNet's strides leave nothing


def perceptual_loss(
    dimensions: int, edge: int, device: torch.device, reporter: Reporter
) -> PerceptualLoss | None:
    """The loss, or None and a message that says what is missing.

    Args:
        dimensions: of what it is to compare: 2 or 3.
        edge: voxels along its shortest edge.
        device: where that is.
        reporter: told why there is none.
    """
    missing = _what_is_missing(edge)
    if missing:
        reporter.log("info", f"Training without the perceptual loss: {missing}")
        return None
    # All slices, and not a random half of them: a step is then the same in one process or many.
    loss = PerceptualLoss(dimensions, "alex", is_fake_3d=True, fake_3d_ratio=1.0)
    return loss.eval().requires_grad_(False).to(device)


def _what_is_missing(edge: int) -> str | None:
    if edge < SMALLEST:
        return f"images of {edge} voxels are too small for it"
    for package in ("lpips", "torchvision"):
        if find_spec(package) is None:
            return f"the Python package {package} is not installed"
    try:
        from torchvision.models import AlexNet_Weights
    except (ImportError, RuntimeError) as error:  # as when made for another torch than this one
        return f"torchvision does not fit this torch ({error})"
    file = AlexNet_Weights.IMAGENET1K_V1.url.rsplit("/", 1)[-1]
    weights = Path(torch.hub.get_dir()) / "checkpoints" / file
    return None if weights.exists() else f"the weights of AlexNet are not in {weights}"
