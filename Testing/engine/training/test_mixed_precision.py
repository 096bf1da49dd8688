"""Stages in bfloat16, as on a graphics card: the losses are those of full precision, nearly.

The CPU has the same autocasting; what it cannot tell is the speed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from PETAnomalyLib.engine.families.dense_autoencoder.network import AutoencoderSizes
from PETAnomalyLib.engine.families.dense_autoencoder.train import (
    AutoencoderSettings,
    train_autoencoder,
)
from PETAnomalyLib.engine.families.vqgan_performer.encoded_studies import EncodedStudies, Encoder
from PETAnomalyLib.engine.families.vqgan_performer.performer import PerformerSizes
from PETAnomalyLib.engine.families.vqgan_performer.train_transformer import (
    TransformerSettings,
    train_transformer,
)
from PETAnomalyLib.engine.families.vqgan_performer.train_vqgan import VQGANSettings, train_vqgan
from PETAnomalyLib.engine.families.vqgan_performer.vqgan import VQGAN, VQGANSizes
from PETAnomalyLib.engine.runtime.reporter import SilentReporter
from PETAnomalyLib.engine.training.aligned_cache import AlignedStudy
from PETAnomalyLib.engine.training.checkpoint import Run
from tiny_training import read_log

STEPS = 3
VQGAN_SIZES = VQGANSizes((4, 6), 16, 8, 1)


def volumes() -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.random((16, 20, 24)).astype(np.float16) for _ in range(2)]


def encoded(cache: Path) -> EncodedStudies:
    torch.manual_seed(0)  # the same tokens for both
    studies = [AlignedStudy(f"p{n}__0", v, v, None) for n, v in enumerate(volumes())]
    encoder = Encoder(VQGAN(VQGAN_SIZES).eval(), cache)
    return EncodedStudies(studies, encoder, encoder, variants=1)


def losses(stage: str, precision: str, folder: Path) -> list[float]:
    """Of the first steps, and of the validation after them."""
    out = folder / precision
    out.mkdir()
    fabric = Fabric(accelerator="cpu", devices=1, precision=precision)  # type: ignore[arg-type]  # one of its names
    fabric.launch()
    run, quiet = Run(out, STEPS, None, fabric), SilentReporter()
    if stage == "vqgan":
        vqgan = VQGANSettings("pet", VQGAN_SIZES, STEPS, batch=2, crop=16, adversarial_from=0.5)
        train_vqgan(vqgan, volumes(), volumes(), run, False, quiet)
    elif stage == "autoencoder":
        sizes = AutoencoderSizes((16, 20, 24), (4, 4), 8)
        autoencoder = AutoencoderSettings(sizes, STEPS, batch=2)
        train_autoencoder(autoencoder, volumes(), volumes(), run, False, quiet)
    else:
        performer = PerformerSizes((4, 5, 6), 16, 16, 2, 2, 16, 8, 2)
        transformer = TransformerSettings(performer, STEPS, batch=2, variants=1)
        studies = encoded(folder / "tokens")
        train_transformer(transformer, studies, studies, run, False, quiet)
    names = ("error", "cross_entropy", "validation_error", "validation_cross_entropy")
    return [entry[name] for entry in read_log(out) for name in names if name in entry]


@pytest.mark.parametrize("stage", ["vqgan", "autoencoder", "transformer"])
def test_a_stage_trains_in_bfloat16_as_in_full_precision(stage: str, tmp_path: Path) -> None:
    full = losses(stage, "32-true", tmp_path)
    mixed = losses(stage, "bf16-mixed", tmp_path)
    assert len(full) == STEPS + 1
    assert mixed == pytest.approx(full, rel=0.03)  # bfloat16 has eight bits: 0.4 % a number
    assert mixed != full
