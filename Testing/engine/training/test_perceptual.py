"""The perceptual loss is used where it is installed, and its absence is said."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import torch
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.training.perceptual import perceptual_loss

CPU = torch.device("cpu")


class Listener(SilentReporter):
    """Remembers what was said."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def log(self, level: str, message: str) -> None:
        assert level == "info"
        self.said.append(message)


def test_crops_too_small_for_the_network_are_trained_without_it() -> None:
    listener = Listener()
    assert perceptual_loss(3, 16, CPU, listener) is None
    assert listener.said == [
        "Training without the perceptual loss: images of 16 voxels are too small for it"
    ]


@pytest.mark.skipif(importlib.util.find_spec("lpips") is not None, reason="lpips is installed")
def test_what_is_not_installed_is_named() -> None:
    listener = Listener()
    assert perceptual_loss(3, 48, CPU, listener) is None
    assert listener.said == [
        "Training without the perceptual loss: the Python package lpips is not installed"
    ]


def test_weights_are_read_from_disk_and_never_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.hub, "_hub_dir", str(tmp_path))
    listener = Listener()
    assert perceptual_loss(3, 32, CPU, listener) is None
    if "the weights of AlexNet are not in" not in listener.said[0]:
        pytest.skip(listener.said[0])
    assert not list(tmp_path.rglob("*"))
    from torchvision import models

    # An AlexNet of random weights, under the name that torchvision looks for.
    file = tmp_path / "checkpoints" / Path(models.AlexNet_Weights.IMAGENET1K_V1.url).name
    file.parent.mkdir()
    torch.manual_seed(0)
    torch.save(models.alexnet().state_dict(), file)
    loss = perceptual_loss(3, 32, CPU, listener)
    assert loss is not None
    images = torch.rand(2, 1, 32, 32, 32, requires_grad=True)
    distance = loss(images, images.detach().roll(5, 2))
    distance.backward()
    assert distance > 0
    assert images.grad is not None
    assert images.grad.abs().sum() > 0
    assert float(loss(images.detach(), images.detach())) == pytest.approx(0.0, abs=1e-6)
